// Points at which a test build slows the agent down, as out/points.ts has them for JavaScript.

/*
 * way: it is known which way a call goes; returned: a call has returned, and is about to be counted; fill: a call has been
 * told of, and its place is about to be filled; take: what was counted is about to be taken.
 */
#define REACH(point)
