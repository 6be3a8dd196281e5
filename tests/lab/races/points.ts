// In the place of hooks/out/points.ts: at a point a thread waits, or not, as a plan has it that follows from a seed
// (APPWITNESS_SEED in the process's environment). The lock of JavaScript is free meanwhile.

export type Point = "emit" | "access" | "settle" | "told" | "replaced" | "install" | "detach";

const getenv = new NativeFunction(Module.getGlobalExportByName("getenv"), "pointer", ["pointer"]);
const seed = Number(getenv(Memory.allocUtf8String("APPWITNESS_SEED")).readCString() ?? "1");
const WAITS_S = [0, 0.0001, 0.001, 0.005];

let state = (seed * 2654435761 + 1) >>> 0;

/** A number from 0 to below `end`; they follow from the seed alone. */
function next(end: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state = (state ^ (state << 5)) >>> 0;
  return state % end;
}

interface Plan {
  /** a thread waits once in so many times */
  rarely: number;
  wait: number;
}

/** Each seed has a few points at which threads wait. */
const plans = new Map<Point, Plan>();

export function reach(point: Point): void {
  let plan = plans.get(point);
  if (plan === undefined) {
    plan = { rarely: next(3) === 0 ? 0 : 1 + next(8), wait: WAITS_S[next(WAITS_S.length)] ?? 0 };
    plans.set(point, plan);
  }
  if (plan.rarely !== 0 && next(plan.rarely) === 0) {
    Thread.sleep(plan.wait);
  }
}
