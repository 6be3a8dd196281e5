// The same as points.ts for C. A point is a statement.

export type PointInC =
  /** it is known which way a call goes */
  | "way"
  /** a call has returned, and is about to be counted */
  | "returned"
  /** a call has been told of, and its place is about to be filled */
  | "fill"
  /** what was counted is about to be taken */
  | "take";

/** What the points need. */
export const POINTS = "";

export const reach: (point: PointInC) => string = () => "";
