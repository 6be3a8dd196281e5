// The device's own clock in microseconds; Date has only milliseconds.

import CLOCK from "../native/clock.txt";

const SECOND_US = 1_000_000;

// In C, because it is called for every line, and reading memory from JavaScript costs more than the clock itself.
const clocks = new CModule(CLOCK, { clock_gettime: Module.getGlobalExportByName("clock_gettime") });

/** Microseconds since 1970. */
export const micros: () => number = new NativeFunction(clocks["micros"] as NativePointer, "double", [], {
  scheduling: "exclusive", exceptions: "propagate",
});

const bootMicros = new NativeFunction(clocks["boot_micros"] as NativePointer, "double", ["double"], {
  scheduling: "exclusive", exceptions: "propagate",
});

/** CLOCK_BOOTTIME in milliseconds at a time of `micros`; it cannot be set, and goes on while the device sleeps. */
export function bootMs(at: number): number {
  return Math.round(bootMicros(at) / 1000);
}

/**
 * Have the calling thread wait until a condition holds, at most for some seconds; returns whether it holds. Other
 * threads have the lock of JavaScript meanwhile, and with many of them one step may take a hundred times as long as it
 * should.
 */
export function waitUntil(isSo: () => boolean, seconds: number, step = 0.002): boolean {
  const end = micros() + seconds * SECOND_US;
  // Steps are counted too, because the clock may be set meanwhile.
  for (let left = seconds / step; left > 0 && !isSo() && micros() < end; left -= 1) {
    Thread.sleep(step);
  }
  return isSo();
}

let second = NaN;
let untilSecond = "";

/** A time as the contract writes it: RFC 3339, UTC, microseconds, trailing Z. */
export function timestamp(at: number): string {
  const whole = Math.floor(at / SECOND_US);
  if (whole !== second) {
    second = whole;
    untilSecond = new Date(whole * 1000).toISOString().slice(0, 19);
  }
  return `${untilSecond}.${String(at - whole * SECOND_US).padStart(6, "0")}Z`;
}
