// Named points at which a test has a thread wait, so that threads meet that otherwise hardly ever would
// (tests/lab/races). In the agent itself, nothing happens at any of them.

export type Point =
  /** a line is about to be queued */
  | "emit"
  /** an access has its line, and its fold is about to be looked up */
  | "access"
  /** the repeats of an access are about to be taken, and their line made */
  | "settle"
  /** a call has been reported, and has no slot yet in which its repeats are counted */
  | "told"
  /** a method has been replaced, and is not yet kept so */
  | "replaced"
  /** work is about to be done on the agent's own thread */
  | "install"
  /** the agent is about to leave, and lets calls through */
  | "detach";

export const reach: (point: Point) => void = () => undefined;

/** What the points in C need (native/points.h). */
export const POINT_SYMBOLS: CSymbols = {};
