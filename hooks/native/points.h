// Points at which a test build slows the agent down, like those of out/points.ts for JavaScript.

/*
 * way: it is decided which way a call goes; returned: a call has returned, and is about to be counted; fill: a call has
 * been reported, and its slot is about to be filled; take: a count is about to be taken.
 */
#define REACH(point)
