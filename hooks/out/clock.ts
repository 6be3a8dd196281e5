// The device's own clock in microseconds; Date has only milliseconds.

const SECOND_US = 1_000_000;

const timespec = Memory.alloc(2 * Process.pointerSize);
// Read as 32 bits each: a 64-bit number is an object, which costs more than the clock itself.
const high = timespec.add(4);
const nanos = timespec.add(Process.pointerSize);
const HIGH = 2 ** 32;
// Exclusive: a cooperative call would let another thread into the one buffer.
const clockGettime = new NativeFunction(
  Module.getGlobalExportByName("clock_gettime"),
  "int",
  ["int", "pointer"],
  { scheduling: "exclusive", exceptions: "propagate" },
);
const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;

/** Microseconds since 1970. */
export function micros(): number {
  return read(CLOCK_REALTIME);
}

/** What the clock that nobody sets, and that goes on while the device sleeps, showed at a time of `micros`: milliseconds. */
export function bootMs(at: number): number {
  return Math.round((read(CLOCK_BOOTTIME) - (micros() - at)) / 1000);
}

function read(clock: number): number {
  clockGettime(clock, timespec);
  const seconds = Process.pointerSize === 8 ? timespec.readU32() + HIGH * high.readU32() : timespec.readS32();
  return seconds * SECOND_US + Math.floor(nanos.readU32() / 1000);
}

/** A time as the contract writes it: RFC 3339, UTC, microseconds, trailing Z. */
export function timestamp(at: number): string {
  const whole = Math.floor(at / SECOND_US);
  const rest = String(at - whole * SECOND_US).padStart(6, "0");
  return `${new Date(whole * 1000).toISOString().slice(0, 19)}.${rest}Z`;
}
