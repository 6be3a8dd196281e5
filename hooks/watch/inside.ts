// Which threads are inside a function that we watch: calls that it makes itself are part of the same call.

/** A call of a hooked function: its thread, and its depth among all hooked calls. */
type Place = Pick<InvocationContext, "threadId" | "depth">;

/**
 * The calls that threads are in. If the end of one is missed, its mark does not count for a later call at the same
 * depth.
 */
export class Nesting {
  /** thread -> depth, among all hooked calls, of the call that it is in */
  private readonly depths = new Map<number, number>();

  /** Whether the thread is already in such a call, and this one is inside it. */
  has({ threadId, depth }: Place): boolean {
    const outer = this.depths.get(threadId);
    return outer !== undefined && depth > outer;
  }

  enter({ threadId, depth }: Place): void {
    this.depths.set(threadId, depth);
  }

  leave({ threadId }: Pick<Place, "threadId">): void {
    this.depths.delete(threadId);
  }
}
