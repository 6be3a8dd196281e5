// Which threads are inside a function that we watch: what it calls inside itself is part of the same call.

/** A call of a hooked function: its thread, and how deep among all that is hooked. */
type Place = Pick<InvocationContext, "threadId" | "depth">;

/** The end of a call may be missed: a mark left by such a call does not count for a later call at the same depth. */
export class Nesting {
  /** thread -> depth, among all that is hooked, of the call that it is in */
  private readonly depths = new Map<number, number>();

  /** Whether the thread is in such a call already, and this one is inside it. */
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
