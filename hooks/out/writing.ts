// Lines that C writes: an app that reads a new value each time does not wait for JavaScript each time.

import WRITING from "../native/writing.txt";

const state = Memory.alloc(256);
const length = Memory.alloc(4);
/** what is in all lines; kept here, as C goes on reading it */
let fixed = NULL;

const core = new CModule(WRITING, { lines: state, clock_gettime: Module.getGlobalExportByName("clock_gettime") });

const options = { scheduling: "exclusive", exceptions: "propagate" } as const;
const setFixed = new NativeFunction(core["set_fixed"] as NativePointer, "void", ["pointer"], options);
const settleCalls = new NativeFunction(core["settle_calls"] as NativePointer, "int", ["int", "double"], options);
const takeLines = new NativeFunction(core["take_lines"] as NativePointer, "pointer", ["pointer"], options);

/** The functions that the C part of folding.ts calls. */
export const WRITING_SYMBOLS: CSymbols = Object.fromEntries(
  ["new_table", "set_place", "write_call"].map((name) => [name, core[name] as NativePointer]));

/** Tell C that waiting lines will be taken soon: until then, it may write lines. */
export const expect = new NativeFunction(core["expect"] as NativePointer, "void", [], options);

const MOST_FIXED = 4096;

/** Have C write lines, with these members of an object in each of them, each followed by a comma. */
export function writeWith(text: string): void {
  if (text.length <= MOST_FIXED) {
    fixed = Memory.allocUtf8String(text);
    setFixed(fixed);
  }
}

/**
 * Have the repeats of calls written, all or those of calls whose last line is at least `age` microseconds old. Returns
 * how many calls may still be repeated.
 */
export function settleWritten(all: boolean, age: number): number {
  return settleCalls(all ? 1 : 0, age);
}

/** The next lines to be sent, at most some hundreds; null when there are none. */
export function takeWritten(): ArrayBuffer | null {
  const at = takeLines(length);
  return at.isNull() ? null : at.readByteArray(length.readS32());
}
