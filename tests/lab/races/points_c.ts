// In the place of hooks/out/points_c.ts. The word from which the plan follows is shared by all threads; that two may take
// the same number from it is no matter.

export type PointInC = "way" | "returned" | "fill" | "take";

const getenv = new NativeFunction(Module.getGlobalExportByName("getenv"), "pointer", ["pointer"]);
const seed = Number(getenv(Memory.allocUtf8String("APPWITNESS_SEED")).readCString() ?? "1");
const state = Memory.alloc(4).writeU32((seed * 40503 + 1) >>> 0);
const ALL: PointInC[] = ["way", "returned", "fill", "take"];
const WAITS_US = [0, 50, 500, 3000];

export const POINTS = `
static guint32 reached (guint32 end) {
  volatile guint32 *state = (volatile guint32 *) (gsize) ${state.toString()}ULL;
  guint32 now = *state;
  now ^= now << 13;
  now ^= now >> 17;
  now ^= now << 5;
  *state = now;
  return now % end;
}
`;

export function reach(point: PointInC): string {
  // Of 3 seeds each point is slow in 2; which ones, and how slow, changes from seed to seed.
  const number = ALL.indexOf(point) + 1;
  const mixed = (seed * 7919 + number * 104729) >>> 0;
  const wait = WAITS_US[mixed % WAITS_US.length] ?? 0;
  if (mixed % 3 === 0) {
    return "";
  }
  const pause = wait === 0 ? "g_thread_yield ();" : `g_usleep (${wait});`;
  return `if (reached (${1 + (mixed >>> 4) % 8}) == 0) ${pause}`;
}
