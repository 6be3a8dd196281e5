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

// The points of C: of 3 seeds each is slow in 2; which ones, and how slow, changes from seed to seed.
const WAITS_US = [0, 50, 500, 3000];
const points = Memory.alloc(4 * (1 + 2 * 4));
points.writeU32((seed * 40503 + 1) >>> 0);
for (let number = 0; number !== 4; number++) {
  const mixed = (seed * 7919 + (number + 1) * 104729) >>> 0;
  points.add(4 + 8 * number).writeU32(mixed % 3 === 0 ? 0 : 1 + (mixed >>> 4) % 8);
  points.add(8 + 8 * number).writeU32(WAITS_US[mixed % WAITS_US.length] ?? 0);
}

export const POINT_SYMBOLS: CSymbols = { points };

// What writes machine code is slow, too: half of a change stands for so long where it is made in place.
const HALF_S = 0.05;

function slow(writer: object, name: string): void {
  const real = Reflect.get(writer, name) as (...operands: unknown[]) => unknown;
  Reflect.set(writer, name, function (this: { code: NativePointer }, ...operands: unknown[]): unknown {
    if (name === "putJmpAddress") {
      this.code.writeU8(0xcc); // int3: here the half is within one instruction
    }
    Thread.sleep(HALF_S);
    return real.apply(this, operands);
  });
}

if (Process.arch === "arm64") {
  slow(Arm64Writer.prototype, "putBrReg");
} else {
  slow(X86Writer.prototype, "putJmpAddress");
}
