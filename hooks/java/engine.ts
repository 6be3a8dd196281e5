// Wraps methods: calls the app's own method first, then the watchers. Whatever they do, the app gets its own result.

import { micros } from "../out/clock.js";
import { gap, type Fold } from "../out/emit.js";
import { Failures } from "../out/failures.js";
import { reach } from "../out/points.js";
import { currentEnv, isArt, isStatic, original, overloadsOf, replace, type ClassWrapper, type Overload, type Raw } from "./bridge.js";
import { Method, className, wrapperFor } from "./classes.js";
import { keep } from "./entry.js";
import { below, isInside, setInside, setPaused, type Below, type Repeats } from "./folding.js";
import { arrayElement, arrayLength, globalRef, inFrame, reflected, takeException, throwAgain, type Env } from "./jni.js";

const ABSTRACT = 0x0400;

/** One call of a wrapped method, as its watchers see it. */
export interface Call {
  env: Env;
  /** the object; null for a static method */
  self: NativePointer | null;
  args: Raw[];
  /** what the method returned; undefined before it was called, and when it threw */
  result: Raw;
  /** what it threw, or NULL */
  thrown: NativePointer;
  overload: Overload;
  /** name of the method as in its stack frame */
  method: string;
  /** when the call began, in microseconds */
  begun: number;
  /** the access that the call became, if a watcher recorded it */
  fold: Fold | null;
}

/** A watcher of a method. */
export interface Watch {
  /** subject of the gap when the watcher keeps failing */
  subject: string;
  before?: (call: Call) => void;
  after?: (call: Call) => void;
  /** asked before the call: if none of a method's watchers wants it, it passes as if there were no hook */
  wants?: (call: Call) => boolean;
  /** asked once for each object: whether its calls concern the watcher; if not, they never enter JavaScript again */
  concerns?: (env: Env, self: NativePointer) => boolean;
  /** called even while watching is off */
  always?: true;
  /** if given: what it records in `after` is the same for calls that are equal in these respects */
  repeats?: Repeats | null;
}

interface Watching extends Watch {
  failures: Failures;
}

/**
 * `api`: calls inside it belong to the same access. `app`: the app's own code runs inside it, and its accesses count.
 */
export type Kind = "api" | "app";

interface Hook {
  kind: Kind;
  overload: Overload;
  method: string;
  /** the declaring class, a global reference */
  cls: NativePointer;
  call: (env: Env, self: NativePointer | null, args: Raw[]) => Raw;
  watches: Watching[];
  /** if overtaken: the subject of gaps about the method's replacement, which runs inside all watchers; else null */
  instead: string | null;
  below: Below | null;
}

/**
 * method id -> hook: a method is wrapped once, however many watchers it has and through whichever wrapper it was found.
 */
const hooks = new Map<string, Hook>();
let paused = false;

/**
 * Switch watching off or on: when it is off, calls pass as if there were no hooks. Methods stay wrapped, so this is
 * immediate.
 */
export function pause(on: boolean): void {
  paused = on;
  setPaused(on);
}

/**
 * Whether nothing is to be recorded: watching is off, or the thread is inside a wrapped API, whose access covers
 * everything.
 */
export function isCovered(): boolean {
  return paused || isInside();
}

export interface Wrapped {
  /** overloads wrapped, now or before */
  count: number;
  /** overloads without a body: of an interface or an abstract class */
  abstract: number;
  /** overloads that were asked for but do not exist */
  missing: string[];
  /** missing classes that other overloads name, which therefore cannot be wrapped */
  unread: string[];
}

/** Explains why overloads of a method are not watched. */
export function namesAbsent(unread: string[]): string {
  return `an overload names ${[...new Set(unread)].join(", ")}, which is not there: its calls are not seen`;
}

/** Watch a method of a class: all overloads, or those given by their argument types. */
export function watch(
  env: Env,
  wrapper: ClassWrapper,
  method: string,
  only: string[][] | null,
  kind: Kind,
  watcher: Watch,
): Wrapped {
  const classes = chain(wrapper, method);
  const wanted = only?.map((types) => types.join(", ")) ?? null;
  const missing = new Set(wanted ?? []);
  const result: Wrapped = { count: 0, abstract: 0, missing: [], unread: [] };
  const seen = new Set<string>();
  const declared = classes.flatMap((cls) => overloadsOf(cls, method));
  const isAll = wanted === null ? declared.length > 0 : wanted.every((types) => declared.some((one) => typesOf(one) === types));
  const inherited = isAll || method === "$init" ? [] : interfaces(env, classes).flatMap((cls) => overloadsOf(cls, method));
  for (const overload of [...declared, ...inherited]) {
    if (seen.has(overload.handle.toString())) {
      continue;
    }
    seen.add(overload.handle.toString());
    const types = typesOf(overload);
    if (wanted !== null && !missing.delete(types)) {
      continue;
    }
    if (method !== "$init" && isAbstract(env, overload)) {
      result.abstract += 1;
      continue;
    }
    const hook = hookOf(env, overload, kind);
    if (!hook.watches.some((other) => other.subject === watcher.subject && other.after === watcher.after && other.before === watcher.before)) {
      hook.watches.push({ ...watcher, failures: new Failures(watcher.subject) });
      countOrNot(hook);
    }
    result.count += 1;
  }
  result.missing = [...missing];
  result.unread = only === null || missing.size > 0 ? classes.flatMap((cls) => cls.$unread?.get(method) ?? []) : [];
  if (result.count > 0 && result.unread.length > 0) {
    gap(watcher.subject, "install_failed", namesAbsent(result.unread));
  }
  return result;
}

/**
 * A class and its superclasses: an overload may be declared in any of them. A constructor belongs to its class alone.
 */
function chain(wrapper: ClassWrapper, method: string): ClassWrapper[] {
  const classes = [wrapper];
  for (let above = wrapper.$s; above !== null && method !== "$init"; above = above.$s) {
    classes.push(above);
  }
  return classes;
}

const getInterfaces = new Method("java.lang.Class", "getInterfaces", "()[Ljava/lang/Class;");

/** The interfaces of classes, and their superinterfaces: a class has their default methods without declaring them. */
function interfaces(env: Env, classes: ClassWrapper[]): ClassWrapper[] {
  const found = new Map<string, ClassWrapper>();
  const look = (cls: NativePointer): void => {
    inFrame(env, () => {
      const array = getInterfaces.object(env, cls);
      for (let i = 0; i < arrayLength(env, array); i++) {
        const each = arrayElement(env, array, i);
        const name = className(env, each);
        if (!found.has(name)) {
          found.set(name, wrapperFor(env, name, globalRef(env, each)));
          look(each);
        }
      }
    });
  };
  for (const wrapper of classes) {
    const handle = wrapper.$borrowClassHandle(env);
    look(handle.value);
    handle.unref(env);
  }
  return [...found.values()];
}

function typesOf(overload: Overload): string {
  return overload.argumentTypes.map((type) => readable(type.className)).join(", ");
}

/** The source name of an array type: `[B` as `byte[]`, `[Ljava.lang.String;` as `java.lang.String[]`. */
function readable(type: string): string {
  if (!type.startsWith("[")) {
    return type;
  }
  const names: Record<string, string> = {
    Z: "boolean", B: "byte", C: "char", S: "short", I: "int", J: "long", F: "float", D: "double",
  };
  const inner = type.slice(1);
  const element = inner.startsWith("L") ? inner.slice(1, -1) : (names[inner] ?? readable(inner));
  return `${element}[]`;
}

const getModifiers = new Method("java.lang.reflect.Method", "getModifiers", "()I");

function holderClass(env: Env, overload: Overload): NativePointer {
  const handle = overload.holder.$borrowClassHandle(env);
  try {
    return globalRef(env, handle.value);
  } finally {
    handle.unref(env);
  }
}

function isAbstract(env: Env, overload: Overload): boolean {
  if (overload.modifiers !== undefined) {
    return (overload.modifiers & ABSTRACT) !== 0;
  }
  const handle = overload.holder.$borrowClassHandle(env);
  try {
    return inFrame(env, () => {
      const method = reflected(env, handle.value, overload.handle, isStatic(overload));
      return (getModifiers.number(env, method) & ABSTRACT) !== 0;
    });
  } finally {
    handle.unref(env);
  }
}

/**
 * Replace what a method does, even while watching is off; its watchers see what the app sees. False when this was done
 * already. `call` calls the method itself.
 */
export function overtake(
  env: Env,
  overload: Overload,
  subject: string,
  does: (env: Env, self: NativePointer | null, args: Raw[], call: (args: Raw[]) => Raw) => Raw,
): boolean {
  const hook = hookOf(env, overload, "app");
  if (hook.instead !== null) {
    return false;
  }
  const own = hook.call;
  hook.instead = subject;
  hook.call = (env, self, args) => does(env, self, args, (changed) => own(env, self, changed));
  countOrNot(hook);
  return true;
}

/** The hook of a method; the method is replaced only once. */
function hookOf(env: Env, overload: Overload, kind: Kind): Hook {
  const key = overload.handle.toString();
  let hook = hooks.get(key);
  if (hook === undefined) {
    hook = install(env, overload, kind);
    hooks.set(key, hook);
  }
  return hook;
}

const isInterface = new Method("java.lang.Class", "isInterface", "()Z");

/** Whether the method is a default method of an interface, which classes have without declaring it. */
function isDefault(env: Env, overload: Overload, cls: NativePointer): boolean {
  return isArt() && !isStatic(overload) && isInterface.number(env, cls) !== 0;
}

function install(env: Env, overload: Overload, kind: Kind): Hook {
  const cls = holderClass(env, overload);
  const method = overload.methodName === "$init" ? "<init>" : overload.methodName;
  const whose = (): string[] => [...hook.watches.map(({ subject }) => subject), ...(hook.instead === null ? [] : [hook.instead])];
  const hook: Hook = {
    kind, overload, method, cls, call: original(overload, cls), watches: [], instead: null, below: below(overload, cls, kind === "api", whose),
  };
  replace(overload, (self, args) => (kind === "api" ? throughApi(hook, self, args) : throughApp(hook, self, args)));
  reach("replaced");
  keep(overload, isDefault(env, overload, cls), whose);
  return hook;
}

/** If a method's only watcher records the same for equal calls, have repeats only counted. */
function countOrNot(hook: Hook): void {
  const [only] = hook.watches;
  hook.below?.countNoMore();
  hook.below?.leaveNoneOut();
  if (hook.instead !== null) {
    hook.below?.neverLetThrough();
  } else if (hook.watches.length === 1 && only !== undefined && hook.kind === "api" && only.repeats && only.before === undefined) {
    hook.below?.count(only.repeats, only.wants !== undefined, {
      wants: (env, self, args, begun) => wanting(hook, callOf(hook, env, self, args, begun)).length > 0,
      told: (env, self, args, result, begun) => {
        const call = callOf(hook, env, self, args, begun);
        call.result = result;
        call.thrown = takeException(env);
        tellWatcher(only, only.after, call);
        if (!call.thrown.isNull()) {
          throwAgain(env, call.thrown);
        }
        return call.fold;
      },
    });
  }
}

/** Whether no watcher is concerned; only for a method with one watcher: with several, every call is examined. */
function concernsNobody(hook: Hook, env: Env, self: NativePointer | null): boolean {
  const [only] = hook.watches;
  if (self === null || hook.watches.length !== 1 || hook.instead !== null || only?.concerns === undefined) {
    return false;
  }
  try {
    if (only.concerns(env, self)) {
      return false;
    }
    hook.below?.leaveOut(env, self);
    return true;
  } catch {
    takeException(env);
    return false;
  }
}

function throughApi(hook: Hook, self: NativePointer | null, args: Raw[]): Raw {
  const env = currentEnv();
  if (isCovered()) {
    return hook.call(env, self, args);
  }
  setInside(true);
  if (concernsNobody(hook, env, self)) {
    setInside(false);
    return hook.call(env, self, args);
  }
  const call = callOf(hook, env, self, args);
  const watches = wanting(hook, call);
  if (watches.length === 0) {
    setInside(false);
    return hook.call(env, self, args);
  }
  for (const watcher of watches) {
    tellWatcher(watcher, watcher.before, call);
  }
  const result = hook.call(env, self, args);
  const thrown = takeException(env);
  call.result = result;
  call.thrown = thrown;
  for (const watcher of watches) {
    tellWatcher(watcher, watcher.after, call);
  }
  setInside(false);
  if (!thrown.isNull()) {
    throwAgain(env, thrown);
  }
  return result;
}

function throughApp(hook: Hook, self: NativePointer | null, args: Raw[]): Raw {
  const env = currentEnv();
  if (paused && !hook.watches.some(({ always }) => always)) {
    return hook.call(env, self, args);
  }
  const nested = isInside();
  setInside(true);
  const call = callOf(hook, env, self, args);
  const watches = wanting(hook, call);
  for (const watcher of watches) {
    tellWatcher(watcher, watcher.before, call);
  }
  if (watches.length > 0 || !nested) {
    setInside(false);
  }
  const result = hook.call(env, self, args);
  if (watches.length === 0) {
    return result;
  }
  const thrown = takeException(env);
  setInside(true);
  call.result = result;
  call.thrown = thrown;
  for (const watcher of watches) {
    tellWatcher(watcher, watcher.after, call);
  }
  if (!nested) {
    setInside(false);
  }
  if (!thrown.isNull()) {
    throwAgain(env, thrown);
  }
  return result;
}

function callOf(hook: Hook, env: Env, self: NativePointer | null, args: Raw[], begun = micros()): Call {
  const { overload, method } = hook;
  return { env, self, args, result: undefined, thrown: NULL, overload, method, begun, fold: null };
}

function alwaysWants(watcher: Watching): boolean {
  return watcher.wants === undefined && !watcher.failures.tooMany;
}

/** The watchers that want the call. A watcher that fails to decide is called, and fails there. */
function wanting(hook: Hook, call: Call): Watching[] {
  if (hook.watches.every(alwaysWants)) {
    return hook.watches;
  }
  return hook.watches.filter((watcher) => {
    try {
      return !watcher.failures.tooMany && (watcher.wants?.(call) ?? true);
    } catch {
      takeException(call.env);
      return true;
    }
  });
}

/** Threads in our own code -> the watcher that runs there. */
const telling = new Map<number, string>();

/** The watcher that the thread is in; null when it is in none. */
export function watcherOn(thread: number): string | null {
  return telling.get(thread) ?? null;
}

function tellWatcher(watcher: Watching, part: ((call: Call) => void) | undefined, call: Call): void {
  if (part === undefined) {
    return;
  }
  const thread = Process.getCurrentThreadId();
  telling.set(thread, watcher.subject);
  watcher.failures.safely(() => {
    try {
      part(call);
    } catch (error) {
      takeException(call.env);
      throw error;
    }
  });
  telling.delete(thread);
}
