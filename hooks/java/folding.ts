// Counts a call that repeats an earlier one in native code: an app that asks for its phone number a thousand times a
// second must not feel it. What is told of once is told by JavaScript; the same question with the same answer from the
// same place, as long as it is being folded, never enters it.

import Java from "frida-java-bridge";
import { report, type Counted, type Fold } from "../out/emit.js";
import { currentEnv, divert, isArt, isStatic, targetOf, type Overload, type Raw } from "./bridge.js";
import { DECLARATIONS, MOST_ARGUMENTS, SLOTS, SOURCE } from "./folding_c.js";
import { CALLS, NONVIRTUAL, type Env, type Shorty } from "./jni.js";

/** What a watcher says of itself so that repeats of its calls may be counted below. */
export interface Repeats {
  /** indices of the arguments on which it depends what is said of a call */
  depends: number[];
  /** whether it depends on the result */
  reads: boolean;
}

/** Who hears of calls that are not repeats. */
export interface Teller {
  /** whether the call concerns anybody */
  wants: (env: Env, self: NativePointer | null, args: Raw[], begun: number) => boolean;
  /** the call has been made; gives what it was folded into, or null */
  told: (env: Env, self: NativePointer | null, args: Raw[], result: Raw, begun: number) => Fold | null;
}

interface Kind {
  letter: Shorty;
  /** in C */
  type: string;
  /** member of Value */
  member: string;
  read: (at: NativePointer) => Raw;
}

const KINDS: Record<string, Kind> = {
  pointer: { letter: "L", type: "gpointer", member: "l", read: (at) => at.readPointer() },
  boolean: { letter: "Z", type: "guint8", member: "z", read: (at) => at.readU8() },
  byte: { letter: "B", type: "gint8", member: "b", read: (at) => at.readS8() },
  char: { letter: "C", type: "guint16", member: "c", read: (at) => at.readU16() },
  short: { letter: "S", type: "gint16", member: "s", read: (at) => at.readS16() },
  int: { letter: "I", type: "gint32", member: "i", read: (at) => at.readS32() },
  long: { letter: "J", type: "gint64", member: "j", read: (at) => at.readS64() },
  float: { letter: "F", type: "gfloat", member: "f", read: (at) => at.readFloat() },
  double: { letter: "D", type: "gdouble", member: "d", read: (at) => at.readDouble() },
  void: { letter: "V", type: "void", member: "", read: () => undefined },
};
const VALUE = 8;
const TEXT = "java.lang.String";

function kindOf(type: { type: string; className: string }): Kind | null {
  return KINDS[type.type === "pointer" ? "pointer" : type.className] ?? null;
}

// Memory that the C part changes.
/** Which thread is inside, and whether calls are let through: for other C parts, too. */
export const insideKey = Memory.alloc(Process.pointerSize);
export const pausedFlag = Memory.alloc(4);
const jvmti = Memory.alloc(Process.pointerSize);
const counted = Memory.alloc(3 * VALUE);

interface Diverted {
  hook: NativePointer;
  overload: Overload;
  args: Kind[];
  result: Kind;
  teller: Teller;
  /** the method to call, once it is known */
  target: () => NativePointer | null;
  slots: Slot[];
  next: number;
  /** calls go through JavaScript again */
  off: boolean;
}

const diverted: Diverted[] = [];

const resolve = new NativeCallback((id: number): NativePointer => {
  const one = diverted[id] as Diverted;
  const target = one.target();
  if (target !== null) {
    native.setMethod(one.hook, target);
  }
  return target ?? one.overload.handle;
}, "pointer", ["int"]);

const wants = new NativeCallback((id, self, args, begun): number => {
  const one = diverted[id] as Diverted;
  try {
    const raws = one.args.map((kind, i) => kind.read(args.add(VALUE * i)));
    return one.teller.wants(currentEnv(), selfOf(one, self), raws, begun) ? -1 : claim(one, null);
  } catch (error) {
    report(error, one.overload.methodName);
    return -1;
  }
}, "int", ["int", "pointer", "pointer", "double"]);

const told = new NativeCallback((id, self, args, result, begun): number => {
  const one = diverted[id] as Diverted;
  try {
    const raws = one.args.map((kind, i) => kind.read(args.add(VALUE * i)));
    const fold = one.teller.told(currentEnv(), selfOf(one, self), raws, one.result.read(result), begun);
    // While it was told of, other threads ran: the fold may have been written for the last time.
    return fold === null || fold.held !== null || fold.gone ? -1 : claim(one, fold);
  } catch (error) {
    report(error, one.overload.methodName);
    return -1;
  }
}, "int", ["int", "pointer", "pointer", "pointer", "double"]);

function selfOf(one: Diverted, self: NativePointer): NativePointer | null {
  return isStatic(one.overload) ? null : self;
}

const core = new CModule(SOURCE, {
  inside_key: insideKey, paused: pausedFlag, jvmti, resolve, wants, told,
  clock_gettime: Module.getGlobalExportByName("clock_gettime"),
});

// Exclusive: none of these waits for anything but the other threads' counting.
const options: NativeFunctionOptions = { scheduling: "exclusive", exceptions: "propagate" };
const native = {
  newKey: new NativeFunction(core["new_key"] as NativePointer, "pointer", [], options),
  isInside: new NativeFunction(core["is_inside"] as NativePointer, "int", [], options),
  setInside: new NativeFunction(core["set_inside"] as NativePointer, "void", ["int"], options),
  newHook: new NativeFunction(
    core["new_hook"] as NativePointer, "pointer", ["int", "pointer", "int", "int", "int", "int", "int", "pointer"], options),
  setMethod: new NativeFunction(core["set_method"] as NativePointer, "void", ["pointer", "pointer"], options),
  take: new NativeFunction(core["take"] as NativePointer, "int", ["pointer", "int", "int", "pointer"], options),
};
insideKey.writePointer(native.newKey());

/** Whether the calling thread is inside a wrapped API, or in our own code on its behalf. */
export function isInside(): boolean {
  return native.isInside() !== 0;
}

export function setInside(on: boolean): void {
  native.setInside(on ? 1 : 0);
}

export function setPaused(on: boolean): void {
  pausedFlag.writeS32(on ? 1 : 0);
}

/** A place below where repeats of one call are counted, and the fold that they belong to. */
class Slot {
  fold: Fold | null = null;

  constructor(private readonly hook: NativePointer, private readonly number: number) {}

  /** Give the fold what was counted; with `free`, no more of it will be. Returns what the C part fills the slot with. */
  take(free: boolean): number {
    const given = native.take(this.hook, this.number, free ? 1 : 0, counted);
    const { fold } = this;
    const found: Counted = {
      count: counted.readDouble(), first: counted.add(VALUE).readDouble(), last: counted.add(2 * VALUE).readDouble(),
    };
    if (free) {
      this.fold = null;
      if (fold !== null) {
        fold.held = null;
      }
    }
    fold?.add(found);
    return given;
  }
}

/** Make room for a call; `fold` null: for one that concerns nobody. */
function claim(one: Diverted, fold: Fold | null): number {
  const slot = one.slots[one.next++ % SLOTS] as Slot;
  const given = slot.take(true);
  slot.fold = fold;
  if (fold !== null) {
    fold.held = slot;
  }
  return given;
}

let stacks = false;

/** Whether accesses have stacks; without a way to compare them below, nothing is counted there. */
export function configureFolding(withStack: boolean): void {
  stacks = withStack;
}

const JVMTI_VERSION = 0x30010200;
const GET_ENV = 6;
let looked = false;

/** Whether the C part can tell stacks apart here. */
function canCompare(): boolean {
  if (!looked) {
    looked = true;
    if (stacks) {
      const { handle } = Java.vm as unknown as { handle: NativePointer };
      const getEnv = new NativeFunction(
        handle.readPointer().add(GET_ENV * Process.pointerSize).readPointer(), "int", ["pointer", "pointer", "int"]);
      const found = Memory.alloc(Process.pointerSize);
      if (getEnv(handle, found, JVMTI_VERSION) === 0) {
        jvmti.writePointer(found.readPointer());
      }
    }
  }
  return !stacks || !jvmti.readPointer().isNull();
}

let waiting: Diverted[] = [];

/**
 * Have calls of a method that was just replaced go through the C part; gives a way to have them go through JavaScript
 * again. Null when that cannot be: on ART, where it has never been tried; for a constructor; or when something that
 * matters is no text and no number.
 */
export function countRepeats(
  overload: Overload, cls: NativePointer, repeats: Repeats, asks: boolean, teller: Teller,
): (() => void) | null {
  const result = kindOf(overload.returnType);
  const args = overload.argumentTypes.map(kindOf);
  if (isArt() || overload.methodName === "$init" || result === null || args.length >= MOST_ARGUMENTS || !canCompare()) {
    return null;
  }
  const compares = Memory.alloc(MOST_ARGUMENTS);
  compares.add(args.length).writeS8(-1);
  for (const index of repeats.depends) {
    const letter = letterOf(overload.argumentTypes[index]);
    if (letter === null) {
      return null;
    }
    compares.add(index).writeS8(letter.charCodeAt(0));
  }
  const reads = repeats.reads ? letterOf(overload.returnType) : "";
  if (reads === null || args.includes(null)) {
    return null;
  }
  const id = diverted.length;
  const fixed = isStatic(overload);
  const hook = native.newHook(
    id, cls, fixed ? CALLS[result.letter][1] : CALLS[result.letter][0] + NONVIRTUAL, fixed ? 1 : 0, asks ? 1 : 0, result.letter.charCodeAt(0),
    reads === "" ? 0 : reads.charCodeAt(0), compares);
  const one: Diverted = {
    hook, overload, args: args as Kind[], result, teller, target: targetOf(overload), slots: [], next: 0, off: false,
  };
  one.slots = Array.from({ length: SLOTS }, (_, number) => new Slot(hook, number));
  diverted.push(one);
  waiting.push(one);
  if (waiting.length === 1) {
    Script.nextTick(compile);
  }
  return () => {
    one.off = true;
    divert(overload, null);
  };
}

/** Kind of a value that the C part can compare; null for any other. */
function letterOf(type: { type: string; className: string } | undefined): string | null {
  if (type?.className === TEXT) {
    return "T";
  }
  return type === undefined || type.type === "pointer" || type.type === "void" ? null : (kindOf(type)?.letter ?? null);
}

const modules: CModule[] = [];

/** JNI calls a function per method: one for each that waits, in one module. */
function compile(): void {
  const batch = waiting;
  waiting = [];
  const functions = batch.map(({ hook, args, result }, i) => {
    const takes = args.map(({ type }, n) => `, ${type} a${n}`).join("");
    const values = args.map(({ member }, n) => ` args[${n}].${member} = a${n};`).join("");
    const gives = result.member === "" ? "" : "return ";
    return `${result.type} method_${i}(gpointer env, gpointer self${takes}) { `
      + `Value args[${Math.max(args.length, 1)}];${values} `
      + `${gives}run((Hook *) ${hook.toString()}ULL, env, self, args)${result.member === "" ? "" : `.${result.member}`}; }`;
  });
  const code = `${DECLARATIONS}extern Value run(Hook *, gpointer, gpointer, Value *);\n${functions.join("\n")}`;
  const made = new CModule(code, { run: core["run"] as NativePointer });
  modules.push(made);
  batch.forEach((one, i) => {
    if (!one.off) {
      divert(one.overload, made[`method_${i}`] as NativePointer);
    }
  });
}
