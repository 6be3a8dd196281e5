// Named points at which a test has a thread wait, so that threads meet there that otherwise hardly ever would
// (tests/lab/races). In the agent itself nothing happens at any of them.

export type Point =
  /** a line is about to be queued */
  | "emit"
  /** an access has its line, and is about to be looked for among those that are counted */
  | "access"
  /** what was counted of a call is about to be taken, and its line made */
  | "settle"
  /** a call has been told of, and has no place yet where its repeats are counted */
  | "told"
  /** a method has been replaced, and is not yet kept so */
  | "replaced"
  /** work is about to be done on the agent's own thread */
  | "install"
  /** the agent is about to leave, and calls are let through */
  | "detach";

export const reach: (point: Point) => void = () => undefined;

/** What the points of C need (native/points.h). */
export const POINT_SYMBOLS: CSymbols = {};
