// The internals of frida-java-bridge that we use; no other file knows them.
//
// The bridge converts every argument and result to JavaScript and back. That is slow and loses information: a string
// with an emoji or a NUL comes back changed, and an object of a class that the bridge cannot find makes the whole call
// return null. So hooks work on bare JNI references here: the types of a method are replaced by ones that convert
// nothing.

import Java from "frida-java-bridge";
import { findClass, inFrame, type Env } from "./jni.js";

/** A value as it comes over JNI: a reference, a number, a bool (0 or 1), or a long (Int64). */
export type Raw = NativePointer | number | Int64 | undefined;

export interface BridgeType {
  className: string;
  /** native type: `pointer`, `int32`, `void` ... */
  type: string;
}

interface Mangler {
  revert(vm: unknown): void;
  /** on a JVM, once the method is replaced: the app's own method */
  originalMethod: { oldMethod?: { accessFlags: number } } | null;
  /** and the method in its place */
  newMethod?: { accessFlags: number; accessFlagsPtr: NativePointer };
  /** on ART: the method that is called instead */
  replacementMethodId?: NativePointer;
  resolveTarget(wrapper: unknown, isInstance: boolean, env: Env, api: unknown): NativePointer;
  replace(by: NativePointer, isInstance: boolean, types: BridgeType[], vm: unknown, api: unknown): void;
}

/** What the bridge knows of a method that it replaced on ART. */
export interface ArtMethod {
  hookedMethodId: NativePointer;
  /** a native copy, which is called instead */
  replacementMethodId: NativePointer;
  /** the method before the replacement */
  originalMethod: { accessFlags: number; quickCode: NativePointer };
  /** null unless its compiled code was patched */
  interceptor: object | null;
  /** the function that the copy is bound to */
  made: NativePointer;
}

/** Entry points of ART; null when this ART does not have one. */
export interface ArtApi {
  /** libart */
  module: Module;
  artRuntime: NativePointer;
  artQuickToInterpreterBridge: NativePointer;
  artQuickGenericJniTrampoline: NativePointer;
  artQuickResolutionTrampoline: NativePointer;
  artNterpEntryPoint: NativePointer | null;
  artClassLinker: {
    address: NativePointer;
    quickToInterpreterBridgeTrampoline: NativePointer;
    quickGenericJniTrampoline: NativePointer;
    quickResolutionTrampoline: NativePointer;
  };
}

/** One overload of one method. */
export interface Overload {
  handle: NativePointer;
  methodName: string;
  holder: ClassWrapper;
  argumentTypes: readonly BridgeType[];
  returnType: BridgeType;
  implementation: ((this: { $h: NativePointer }, ...args: Raw[]) => Raw) | null;
  /** Java's modifiers, if we looked them up ourselves */
  modifiers?: number;
  /** [name, holder, kind, method id, return type, argument types, call virtually, call directly] */
  _p: [string, unknown, number, NativePointer, BridgeType, BridgeType[], NativeCaller, NativeCaller];
  /** the JNI function in its place */
  _r?: NativePointer & { _m: Mangler };
}

export type NativeCaller = (...args: Raw[]) => Raw;

interface Dispatcher {
  overloads: Overload[];
}

/** A class as the bridge represents it. */
export interface ClassWrapper {
  $n: string;
  $init: Dispatcher;
  /** the superclass */
  $s: ClassWrapper | null;
  $borrowClassHandle(env: Env): { value: NativePointer; unref(env: Env): void };
  $f: { _patchedMethods: Set<Overload> };
  /**
   * on ART: the class's own overloads of a method, and for each method the missing classes that unreadable overloads
   * name
   */
  $own?: (method: string) => Overload[];
  $unread?: ReadonlyMap<string, string[]>;
  [member: string]: unknown;
}

interface Factory {
  _make(name: string, getHandle: (env: Env) => NativePointer, env: Env): ClassWrapper;
}

const STATIC_METHOD = 2;

/** True on ART (phone, emulator), false on a JVM. Known once there is a VM. */
export function isArt(): boolean {
  return api().flavor === "art";
}

function api(): { flavor: string } {
  return (Java as unknown as { api: { flavor: string } }).api;
}

/** ART's entry points; only on ART. */
export function artApi(): ArtApi {
  return api() as unknown as ArtApi;
}

/** On ART: the state of an overload that `replace` replaced. */
export function artMethod(overload: Overload): ArtMethod {
  const made = overload._r;
  if (made === undefined) {
    throw new Error(`${overload.methodName} is not replaced`);
  }
  const mangler = made._m as unknown as Omit<ArtMethod, "made">;
  const { hookedMethodId, replacementMethodId, originalMethod, interceptor } = mangler;
  return { hookedMethodId, replacementMethodId, originalMethod, interceptor, made };
}

/**
 * Android's API level; 0 if there is none. Read while we load: once functions are hooked, the app would seem to read
 * it.
 */
export const API_LEVEL = ((): number => {
  const get = Process.findModuleByName("libc.so")?.findExportByName("__system_property_get") ?? null;
  if (get === null) {
    return 0;
  }
  const value = Memory.alloc(128);
  new NativeFunction(get, "int", ["pointer", "pointer"])(Memory.allocUtf8String("ro.build.version.sdk"), value);
  return Number(value.readUtf8String());
})();

/** The calling thread's environment. The thread must be attached; in a hook it always is. */
export function currentEnv(): Env {
  return Java.vm.getEnv() as Env;
}

/** The same; null when the thread is not attached to the VM. */
export function tryEnv(): Env | null {
  return Java.vm.tryGetEnv() as Env | null;
}

let made = 0;

/** On a JVM: a wrapper for the class behind a global reference; works for classes of any loader, and hidden classes. */
export function wrap(name: string, cls: NativePointer, env: Env): ClassWrapper {
  made += 1;
  // The bridge caches class handles by name: two classes with the same name (two loaders) must not be mixed up.
  const unique = `${name}#${made}`;
  const factory = Java.classFactory as unknown as Factory;
  return factory._make(unique, (own) => own.newLocalRef(cls), env);
}

/**
 * The overloads of a method, `$init` for constructors; empty when there is no such method. On a JVM, inherited ones if
 * the class has none itself.
 */
export function overloadsOf(wrapper: ClassWrapper, method: string): Overload[] {
  if (wrapper.$own !== undefined) {
    return wrapper.$own(method);
  }
  if (method === "$init") {
    // The bridge calls constructors by the name of the class.
    return wrapper.$init.overloads.map((overload) => {
      overload._p[0] = method;
      return overload;
    });
  }
  const member = wrapper[method] as Partial<Dispatcher> | undefined;
  return member?.overloads ?? [];
}

export function isStatic(overload: Overload): boolean {
  return overload._p[2] === STATIC_METHOD;
}

const replaced: Overload[] = [];

/** Replace an overload; `body` gets and returns bare references. The app's own method is called through `original`. */
export function replace(
  overload: Overload,
  body: (self: NativePointer | null, args: Raw[]) => Raw,
): void {
  const params = overload._p;
  if (!Array.isArray(params) || typeof (params[6] as unknown) !== "function") {
    throw new Error("this version of the Java bridge is not one that the agent knows");
  }
  params[4] = bare(params[4]);
  params[5] = params[5].map(bare);
  replaced.push(overload);
  const isInstance = !isStatic(overload);
  overload.implementation = function (...args) {
    return body(isInstance ? this.$h : null, args);
  };
}

/** The JNI function that `replace` made for an overload; null when it is not replaced. */
export function scriptOf(overload: Overload): NativePointer | null {
  return overload._r ?? null;
}

const MOST_WORDS = 6;

/** Make a replaced method call another JNI function; false when it is unclear where to write its address. */
export function divert(overload: Overload, by: NativePointer): boolean {
  const made = overload._r;
  if (made === undefined) {
    throw new Error(`${overload.methodName} is not replaced`);
  }
  const clone = made._m.replacementMethodId;
  if (clone === undefined) {
    made._m.replace(by, !isStatic(overload), overload._p[5], Java.vm, api());
    return true;
  }
  // On ART, the replacement is a method itself; replacing again would make another one. The offset of its function
  // pointer differs by version: it is found by the address that the bridge has just written there.
  const words = Array.from({ length: MOST_WORDS }, (_, i) => clone.add(i * Process.pointerSize));
  const place = words.find((word) => word.readPointer().equals(made));
  place?.writePointer(by);
  return place !== undefined;
}

/**
 * Returns the id with which JNI calls a replaced method's original; null while the replacement is still in the bridge's
 * queue.
 */
export function targetOf(overload: Overload): () => NativePointer | null {
  const [, holder, , methodId] = overload._p;
  let target: NativePointer | null = null;
  return () => {
    if (target === null) {
      const found = overload._r?._m.resolveTarget(holder, !isStatic(overload), currentEnv(), api());
      target = found === undefined || (!isArt() && found.equals(methodId)) ? null : found;
    }
    return target;
  };
}

/** Restored replacements: threads may still be inside them, so they are kept as long as the app lives. */
const restored: Overload[] = [];

/**
 * Restore all methods for good; resolves when they are restored. Threads may still be inside a replacement: `_r` stays,
 * through which they find the app's own method. (Setting `implementation = null` removes it at once, but the method is
 * restored a tick later: calls in between called themselves until the stack overflowed.)
 */
export async function restore(): Promise<void> {
  while (replaced.length > 0) {
    // A method that was replaced twice is restored in two rounds, the later replacement first.
    const round = new Map<string, Overload>();
    for (const overload of replaced.splice(0).reverse()) {
      const key = overload.handle.toString();
      if (round.has(key)) {
        replaced.unshift(overload);
      } else {
        round.set(key, overload);
      }
    }
    const unhurried = isArt() ? () => undefined : inOneWalk([...round.values()].filter((each) => each._r?._m.originalMethod).length);
    for (const overload of round.values()) {
      putBack(overload);
    }
    // The bridge restores in a tick that it has just requested.
    await new Promise<void>((resolve) => { Script.nextTick(resolve); });
    unhurried();
  }
}

function putBack(overload: Overload): void {
  const mangler = overload._r?._m;
  if (mangler === undefined) {
    return;
  }
  restored.push(overload);
  // Must come first: this look-up makes the bridge mark the app's own method as final, which it no longer is once
  // restored.
  targetOf(overload)();
  const { originalMethod, newMethod } = mangler;
  if (originalMethod?.oldMethod && newMethod) {
    // Restore the flags without the one that says that the method is in a compiler's queue: it no longer is, and with
    // this flag it would never be queued again.
    originalMethod.oldMethod.accessFlags = (originalMethod.oldMethod.accessFlags & ~JVM_ACC_QUEUED) >>> 0;
    // The bridge would write the app's own flags here. A frame of a native method that is not flagged as native is read
    // as bytecode by anything that walks the stack, including the garbage collector.
    newMethod.accessFlags = newMethod.accessFlagsPtr.readU32();
  }
  overload.holder.$f._patchedMethods.delete(overload);
  mangler.revert(Java.vm);
}

const JVM_ACC_QUEUED = 0x01000000;
/** The bridge's walks over all classes and all compiled code, for each method that it replaces or restores. */
const WALKS = [
  "VM_RedefineClasses::mark_dependent_code", "VM_RedefineClasses::flush_dependent_code",
  "ClassLoaderDataGraph::classes_do", "ResolvedMethodTable::adjust_method_entries", "ClassLoaderDataGraph::clean_deallocate_lists",
];
/**
 * The bridge's way to free compiled code; we made none. It leaves our thread in a state in which the JVM waits for it.
 */
const SWEEP = "NMethodSweeper::force_sweep";

/**
 * Restore the next `times` methods with one walk: the JVM stands still meanwhile, and separate walks for the catalog's
 * 1,300 methods took 0.7 s. Returns a function that undoes this.
 */
function inOneWalk(times: number): () => void {
  const inside = api() as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>;
  const was = [...WALKS, SWEEP].map((name) => [name, inside[name]] as const);
  // Before JDK 13, a walk covers only the one class that the bridge names.
  for (const [name, walk] of inside["redefineClass"] === undefined ? was : []) {
    let left = times;
    if (walk !== undefined) {
      inside[name] = (...args) => {
        left -= 1;
        return left <= 0 ? walk(...args) : undefined;
      };
    }
  }
  if (inside[SWEEP] !== undefined) {
    inside[SWEEP] = () => { settled(); };
  }
  return () => {
    for (const [name, walk] of was) {
      inside[name] = walk;
    }
  };
}

/**
 * Make any call into the JVM: after work that stopped the JVM, our thread counts as running inside it until the next
 * call.
 */
function settled(): void {
  const env = currentEnv();
  inFrame(env, () => findClass(env, "java.lang.Object"));
}

/**
 * Returns a function that calls the original of a replaced method; `cls` is a global reference to the declaring class.
 */
export function original(
  overload: Overload,
  cls: NativePointer,
): (env: Env, self: NativePointer | null, args: Raw[]) => Raw {
  const [, , , methodId, , , virtual, direct] = overload._p;
  // Not virtually: that would call the method of a subclass, which may have just called this one.
  const directly = !isStatic(overload);
  const target = targetOf(overload);
  return (env, self, args) => {
    const found = target();
    if (found === null) {
      return virtual(env.handle, self ?? cls, methodId, ...args);
    }
    return directly
      ? direct(env.handle, self ?? cls, cls, found, ...args)
      : virtual(env.handle, self ?? cls, found, ...args);
  };
}

interface Owned {
  $h: NativePointer;
  $dispose: () => void;
}

/** A type of the same shape that converts nothing. */
function bare(type: BridgeType): BridgeType {
  const converter = {
    isCompatible: () => true,
    // `owned`: the bridge itself called the method (on a thread of its own) and will drop local references before it
    // returns.
    fromJni: (value: Raw, env: Env, owned?: boolean): Raw | Owned => {
      if (type.type !== "pointer" || owned !== true || (value as NativePointer).isNull()) {
        return value;
      }
      const global = env.newGlobalRef(value as NativePointer);
      return { $h: global, $dispose: () => { env.deleteGlobalRef(global); } };
    },
    toJni: (value: Raw | Owned): Raw => {
      if (type.type === "void") {
        return NULL;
      }
      return (value as Partial<Owned> | undefined)?.$h ?? (value as Raw);
    },
  };
  return { ...type, ...converter };
}
