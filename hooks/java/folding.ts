// The C code that is called in place of a hooked method, before JavaScript. It counts calls that repeat an earlier one,
// so that an app that asks for its phone number a thousand times a second is not slowed down: while a call is being
// folded, the same call with the same result from the same place enters JavaScript only once. Calls near the end of a
// stack never enter it, nor those of a thread that has spent too much time here; gaps say how many.

import Java from "frida-java-bridge";
import FOLDING from "../native/folding.txt";
import {
  LOSSES, MOST_ARGUMENTS, NEAR_END, NO_STACK, NO_WAY, ONLY_COUNTED, ROOM_FOR_SCRIPT, SLOTS, THINNED, VALUE_BYTES,
} from "../native/shared.js";
import { micros } from "../out/clock.js";
import { after } from "../out/doorbell.js";
import { atEnd, gap, report, type Counted, type Fold } from "../out/emit.js";
import { POINT_SYMBOLS, reach } from "../out/points.js";
import { WRITING_SYMBOLS } from "../out/writing.js";
import { artStacks } from "./art_stack.js";
import { currentEnv, divert, isArt, isStatic, scriptOf, targetOf, type Overload, type Raw } from "./bridge.js";
import { CALLS, NONVIRTUAL, deleteWeak, findClass, globalRef, inFrame, methodId, weakRef, type Env } from "./jni.js";
import { methods, type Letter } from "./methods.js";

/** What a watcher declares so that repeats of its calls may be counted in C. */
export interface Repeats {
  /** indices of the arguments that what is recorded of a call depends on */
  depends: number[];
  /** whether it depends on the result, too */
  reads: boolean;
  /**
   * given if a call's line holds nothing of the call but its result: returns what the lines of further calls with the
   * same stack hold before and after the value; null when that is unknown
   */
  around: ((fold: Fold) => { before: string; after: string } | null) | null;
}

/** Called for calls that are not repeats. */
export interface Teller {
  /** whether a watcher wants the call */
  wants: (env: Env, self: NativePointer | null, args: Raw[], begun: number) => boolean;
  /** called after the call; returns the fold that the call belongs to, or null */
  told: (env: Env, self: NativePointer | null, args: Raw[], result: Raw, begun: number) => Fold | null;
}

interface Kind {
  letter: Letter;
  read: (at: NativePointer) => Raw;
}

const KINDS: Record<string, Kind> = {
  pointer: { letter: "L", read: (at) => at.readPointer() },
  boolean: { letter: "Z", read: (at) => at.readU8() },
  byte: { letter: "B", read: (at) => at.readS8() },
  char: { letter: "C", read: (at) => at.readU16() },
  short: { letter: "S", read: (at) => at.readS16() },
  int: { letter: "I", read: (at) => at.readS32() },
  long: { letter: "J", read: (at) => at.readS64() },
  float: { letter: "F", read: (at) => at.readFloat() },
  double: { letter: "D", read: (at) => at.readDouble() },
  void: { letter: "V", read: () => undefined },
};
const TEXT = "java.lang.String";

function kindOf(type: { type: string; className: string }): Kind | null {
  return KINDS[type.type === "pointer" ? "pointer" : type.className] ?? null;
}

// Memory that the C part changes.
/** Which thread is inside, and whether watching is off; other C parts use them, too. */
export const insideKey = Memory.alloc(Process.pointerSize);
export const pausedFlag = Memory.alloc(4);
const threadKey = Memory.alloc(4);
const stacksFlag = Memory.alloc(4);
const losses = Memory.alloc(4);
const identity = Memory.alloc(2 * Process.pointerSize);
const jvmti = Memory.alloc(Process.pointerSize);
const art = Memory.alloc(2 * Process.pointerSize);
const counted = Memory.alloc(3 * VALUE_BYTES);

interface Diverted {
  hook: NativePointer;
  overload: Overload;
  whose: () => string[];
  args: Kind[];
  result: Kind;
  /** null while repeats are not counted */
  teller: Teller | null;
  around: Repeats["around"];
  /** the method to call, once it is known */
  target: () => NativePointer | null;
  slots: Slot[];
  next: number;
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
    const raws = one.args.map((kind, i) => kind.read(args.add(VALUE_BYTES * i)));
    return teller(one).wants(currentEnv(), selfOf(one, self), raws, begun) ? -1 : claim(one, null);
  } catch (error) {
    report(error, one.overload.methodName);
    return -1;
  }
}, "int", ["int", "pointer", "pointer", "double"]);

const told = new NativeCallback((id, self, args, result, begun, asks): number => {
  const one = diverted[id] as Diverted;
  try {
    const raws = one.args.map((kind, i) => kind.read(args.add(VALUE_BYTES * i)));
    const fold = teller(one).told(currentEnv(), selfOf(one, self), raws, one.result.read(result), begun);
    reach("told");
    if (asks !== 0 && fold !== null) {
      haveWritten(one, fold);
    }
    // Other threads ran in between: the fold may have been written for the last time.
    return fold === null || fold.gone ? -1 : claim(one, fold);
  } catch (error) {
    report(error, one.overload.methodName);
    return -1;
  }
}, "int", ["int", "pointer", "pointer", "pointer", "double", "int"]);

/** Have C write the lines of further calls like the one that it is reporting. */
function haveWritten(one: Diverted, fold: Fold): void {
  const around = one.around?.(fold) ?? null;
  if (around !== null) {
    const c = (text: string): NativePointer => Memory.allocUtf8String(text);
    native.writeFromNowOn(one.hook, c(around.before), c(around.after), c(JSON.stringify(fold.line.thread ?? null)));
  }
}

function teller(one: Diverted): Teller {
  if (one.teller === null) {
    throw new Error("nobody counts its repeats");
  }
  return one.teller;
}

function selfOf(one: Diverted, self: NativePointer): NativePointer | null {
  return isStatic(one.overload) ? null : self;
}

const LIBC = [
  "clock_gettime", "pthread_key_create", "pthread_getspecific", "pthread_setspecific", "pthread_self", "pthread_getattr_np",
  "pthread_attr_getstack", "pthread_attr_destroy", "sigaltstack", "calloc", "free",
];

const core = new CModule(FOLDING, {
  ...POINT_SYMBOLS, ...WRITING_SYMBOLS,
  inside_key: insideKey, thread_key: threadKey, paused: pausedFlag, stacks: stacksFlag, losses, jvmti, art, identity, resolve, wants, told,
  ...Object.fromEntries(LIBC.map((name) => [name, Module.getGlobalExportByName(name)])),
});

/** Offset in bytes of the positions of a walked stack, relative to its methods. */
const locations = (core["locations"] as NativePointer).readU32();

/** Exclusive: none of these waits for anything except other threads that are counting. */
function exclusive<R extends NativeFunctionReturnType, A extends NativeFunctionArgumentType[] | []>(
  name: string, returns: R, takes: A,
): NativeFunction<GetNativeFunctionReturnValue<R>, ResolveVariadic<Extract<GetNativeFunctionArgumentValue<A>, unknown[]>>> {
  return new NativeFunction(core[name] as NativePointer, returns, takes, { scheduling: "exclusive", exceptions: "propagate" });
}

const native = {
  newKey: exclusive("new_key", "pointer", []),
  newThreadKey: exclusive("new_thread_key", "uint", []),
  isInside: exclusive("is_inside", "int", []),
  setInside: exclusive("set_inside", "void", ["int"]),
  newHook: exclusive("new_hook", "pointer", ["int", "pointer", "int", "int", "int", "int"]),
  setFolds: exclusive("set_folds", "void", ["pointer", "int", "int", "int", "int", "pointer"]),
  writeFromNowOn: exclusive("write_from_now_on", "void", ["pointer", "pointer", "pointer", "pointer"]),
  setApi: exclusive("set_api", "void", ["pointer", "int"]),
  leaveOut: exclusive("leave_out", "pointer", ["pointer", "int", "pointer"]),
  leaveNoneOut: exclusive("leave_none_out", "void", ["pointer"]),
  setMethod: exclusive("set_method", "void", ["pointer", "pointer"]),
  take: exclusive("take_counted", "int", ["pointer", "int", "int", "pointer"]),
  takeLost: exclusive("take_lost", "void", ["pointer", "int", "pointer"]),
  framesOf: exclusive("frames_of", "pointer", ["pointer"]),
  cpuTime: exclusive("cpu_time", "double", []),
  spentOnStack: exclusive("spent_on_stack", "void", ["double"]),
  // Cooperative: they call into the VM, which may make the thread wait.
  hashOf: new NativeFunction(core["hash_of"] as NativePointer, "int", ["pointer", "pointer"], { exceptions: "propagate" }),
  walk: new NativeFunction(core["walk"] as NativePointer, "uint64", ["pointer", "pointer"], { exceptions: "propagate" }),
};
insideKey.writePointer(native.newKey());
threadKey.writeU32(native.newThreadKey());

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

/** A slot in C where repeats of one call are counted, and the fold that they belong to. */
class Slot {
  fold: Fold | null = null;

  constructor(private readonly hook: NativePointer, private readonly number: number) {}

  /**
   * Add what was counted to the fold; with `free`, no more will be counted for it. Returns what C needs to fill the
   * slot.
   */
  take(free: boolean): number {
    const given = native.take(this.hook, this.number, free ? 1 : 0, counted);
    const { fold } = this;
    const found: Counted = {
      count: counted.readDouble(), first: counted.add(VALUE_BYTES).readDouble(), last: counted.add(2 * VALUE_BYTES).readDouble(),
    };
    if (free) {
      this.fold = null;
      fold?.held.delete(this);
    }
    fold?.add(found);
    return given;
  }
}

/** Free a slot for a call; `fold` is null for a call that nobody wants. */
function claim(one: Diverted, fold: Fold | null): number {
  const slot = one.slots[one.next++ % SLOTS] as Slot;
  const given = slot.take(true);
  slot.fold = fold;
  fold?.held.add(slot);
  return given;
}

/** Set whether accesses have stacks. If they have, but C cannot compare stacks, nothing is counted there. */
export function configureFolding(withStack: boolean): void {
  stacksFlag.writeS32(withStack ? 1 : 0);
}

const JVMTI_VERSION = 0x30010200;
const GET_ENV = 6;
let looked = false;

/** Find a way to compare stacks in C; on the agent's own thread. Returns whether there is one, or none is needed. */
function canCompare(): boolean {
  if (!looked) {
    looked = true;
    const found = isArt() ? artStacks(currentEnv()) : null;
    if (found !== null) {
      art.writePointer(found.cls).add(Process.pointerSize).writePointer(found.method);
    } else if (!isArt()) {
      const { handle } = Java.vm as unknown as { handle: NativePointer };
      const getEnv = new NativeFunction(
        handle.readPointer().add(GET_ENV * Process.pointerSize).readPointer(), "int", ["pointer", "pointer", "int"]);
      const at = Memory.alloc(Process.pointerSize);
      if (getEnv(handle, at, JVMTI_VERSION) === 0) {
        jvmti.writePointer(at.readPointer());
      }
    }
  }
  return stacksFlag.readS32() === 0 || !jvmti.readPointer().isNull() || !art.readPointer().isNull();
}

/** A thread's stack as a number that no other stack has, or the reason for having none. */
export type Walked = { id: string } | "no way" | "thinned";

const others = native.newHook(-1, NULL, 0, 0, 0, 0);

/** Identify the stack of the calling thread. */
export function walk(env: Env): Walked {
  const id = native.walk(env.handle, others).toString();
  return id === String(THINNED) ? "thinned" : id === String(NO_WAY) || id === "1" ? "no way" : { id };
}

/**
 * On ART, method and position of each frame of the stack that this thread walked last, and the total number of frames.
 */
export function walkedFrames(): { keys: string[]; total: number } {
  const counts = Memory.alloc(8);
  const at = native.framesOf(counts);
  const [count, total] = [counts.readS32(), counts.add(4).readS32()];
  const size = Process.pointerSize;
  const keys = Array.from({ length: count }, (_, i) =>
    `${at.add(size * i).readPointer().toString()}:${at.add(locations + VALUE_BYTES * i).readU32()}`);
  return { keys, total };
}

/** Run `work`; its time counts as spent on stacks. */
export function onStacks<T>(work: () => T): T {
  const begun = native.cpuTime();
  try {
    return work();
  } finally {
    native.spentOnStack(begun);
  }
}

/** The C part of a hooked method. */
export interface Below {
  /**
   * Count repeats from now on. False when that is impossible: for a constructor, when stacks cannot be compared, or
   * when a value that matters is neither text nor a number.
   */
  count(repeats: Repeats, asks: boolean, teller: Teller): boolean;
  /** Have all calls go through JavaScript again. */
  countNoMore(): void;
  /** Let all calls of an object pass for good: they concern nobody. */
  leaveOut(env: Env, self: NativePointer): void;
  /** Examine calls of all objects again. */
  leaveNoneOut(): void;
  /** Pass on even calls that are part of another access, or made while watching is off. */
  neverLetThrough(): void;
}

let waiting: Diverted[] = [];

/**
 * Put the C part between a method that is about to be replaced and the JavaScript that replaces it; null when the
 * method has types that C does not know. `whose` returns the subjects of gaps.
 */
export function below(overload: Overload, cls: NativePointer, isApi: boolean, whose: () => string[]): Below | null {
  const result = kindOf(overload.returnType);
  const args = overload.argumentTypes.map(kindOf);
  if (result === null || args.includes(null)) {
    return null;
  }
  canCompare();
  const fixed = isStatic(overload);
  const hook = native.newHook(
    diverted.length, cls, fixed ? CALLS[result.letter][1] : CALLS[result.letter][0] + NONVIRTUAL, fixed ? 1 : 0, isApi ? 1 : 0,
    result.letter.charCodeAt(0));
  const one: Diverted = {
    hook, overload, whose, args: args as Kind[], result, teller: null, around: null, target: targetOf(overload), slots: [], next: 0,
  };
  one.slots = Array.from({ length: SLOTS }, (_, number) => new Slot(hook, number));
  diverted.push(one);
  waiting.push(one);
  if (waiting.length === 1) {
    // Requested before the bridge requests its own tick, in which, on a JVM, it installs what is there by then.
    Script.nextTick(compile);
  }
  return {
    count: (repeats, asks, teller) => countRepeats(one, repeats, asks, teller),
    countNoMore: () => { native.setFolds(hook, 0, 0, 0, 0, NULL); },
    leaveOut: (env, self) => {
      if (identity.readPointer().isNull()) {
        const system = inFrame(env, () => globalRef(env, findClass(env, "java.lang.System")));
        const method = methodId(env, system, "identityHashCode", "(Ljava/lang/Object;)I", true);
        identity.writePointer(system).add(Process.pointerSize).writePointer(method);
      }
      const weak = weakRef(env, self);
      const was = weak === null ? NULL : native.leaveOut(hook, native.hashOf(env.handle, self), weak);
      if (!was.isNull()) {
        deleteWeak(env, was);
      }
    },
    leaveNoneOut: () => { native.leaveNoneOut(hook); },
    neverLetThrough: () => { native.setApi(hook, 0); },
  };
}

function countRepeats(one: Diverted, repeats: Repeats, asks: boolean, teller: Teller): boolean {
  const { overload } = one;
  if (overload.methodName === "$init" || one.args.length >= MOST_ARGUMENTS || !canCompare()) {
    return false;
  }
  const compares = Memory.alloc(MOST_ARGUMENTS);
  compares.add(one.args.length).writeS8(-1);
  for (const index of repeats.depends) {
    const letter = letterOf(overload.argumentTypes[index]);
    if (letter === null) {
      return false;
    }
    compares.add(index).writeS8(letter.charCodeAt(0));
  }
  const reads = repeats.reads ? letterOf(overload.returnType) : "";
  if (reads === null) {
    return false;
  }
  one.teller = teller;
  one.around = repeats.around;
  const writes = repeats.around !== null && reads === "T";
  native.setFolds(one.hook, 1, asks ? 1 : 0, reads === "" ? 0 : reads.charCodeAt(0), writes ? 1 : 0, compares);
  return true;
}

/** The kind of a value that C can compare; null for others. */
function letterOf(type: { type: string; className: string } | undefined): string | null {
  if (type?.className === TEXT) {
    return "T";
  }
  return type === undefined || type.type === "pointer" || type.type === "void" ? null : (kindOf(type)?.letter ?? null);
}

const modules: CModule[] = [];

/** Compile the functions that JNI calls: one for each waiting method, all in one module. */
function compile(): void {
  const batch = waiting;
  waiting = [];
  const there = batch.map((one) => [one, scriptOf(one.overload)] as const);
  const code = methods(there.map(([{ hook, args, result }, script]) => ({
    hook: hook.toString(), script: (script ?? NULL).toString(), takes: args.map(({ letter }) => letter), gives: result.letter,
  })));
  const made = new CModule(code, { run: core["run"] as NativePointer, way_of: core["way_of"] as NativePointer });
  modules.push(made);
  there.forEach(([one, script], i) => {
    if (script !== null) {
      divert(one.overload, made[`method_${i}`] as NativePointer);
    }
  });
  // After the bridge's tick: C must know the app's own method before a call can come near the end of a stack.
  Script.nextTick(() => {
    for (const one of batch) {
      const target = one.target();
      if (target !== null) {
        native.setMethod(one.hook, target);
      }
    }
  });
  watchLosses();
}

/** The text of the gap for each way in which calls are lost. */
const WAYS: Record<number, (count: number) => string> = {
  [NEAR_END]: (count) =>
    `${count} calls near the end of a stack, with less than ${ROOM_FOR_SCRIPT / 1024} KB left, are not recorded: there is no room for the hook`,
  [NO_STACK]: (count) =>
    `${count} calls are recorded without the stack: too much of the thread's time went into stacks`,
  [ONLY_COUNTED]: (count) =>
    `${count} calls are not recorded: too much of the thread's time went into the agent`,
};
const LOOK_MS = 1000;
const QUIET_US = 1_500_000;
const LONGEST_US = 10_000_000;

let watching = false;
let seen = 0;
/** hook and way -> losses that are not reported yet */
const lost = new Map<string, Counted & { whose: () => string[]; way: number }>();

function watchLosses(): void {
  if (!watching) {
    watching = true;
    atEnd(() => { tellLosses(true); });
    const look = (): void => {
      tellLosses(false);
      after(LOOK_MS, look);
    };
    after(LOOK_MS, look);
  }
}

/** Write one gap for the calls that a method lost in one way, once that has stopped or gone on for long. */
function tellLosses(all: boolean): void {
  const now = losses.readS32();
  if (all || now !== seen) {
    seen = now;
    for (const { hook, whose } of [...diverted, { hook: others, whose: () => ["agent"] }]) {
      for (let way = 0; way !== LOSSES; way++) {
        native.takeLost(hook, way, counted);
        const [count, first, last] = [counted.readDouble(), counted.add(VALUE_BYTES).readDouble(), counted.add(2 * VALUE_BYTES).readDouble()];
        if (count > 0) {
          const key = `${hook.toString()} ${way}`;
          const before = lost.get(key);
          lost.set(key, { whose, way, count: (before?.count ?? 0) + count, first: before?.first ?? first, last });
        }
      }
    }
  }
  const at = micros();
  for (const [key, { whose, way, count, first, last }] of lost) {
    if (all || at - last > QUIET_US || at - first > LONGEST_US) {
      lost.delete(key);
      for (const subject of new Set(whose())) {
        gap(subject, "thinned", WAYS[way]?.(count) ?? null, first, last);
      }
    }
  }
}
