// The internals of frida-java-bridge that we use; no other file knows them.
//
// The bridge turns every argument and result into JavaScript and back. That is slow, and not faithful: a string with an
// emoji or a NUL comes back changed, an object of a class that the bridge cannot find makes the whole call return null.
// So hooks here work on bare JNI references: the types of a method are replaced by ones that convert nothing.

import Java from "frida-java-bridge";
import { findClass, inFrame, type Env } from "./jni.js";

/** A JNI reference, a number, a bool (0 or 1), a long (Int64): as it comes over JNI. */
export type Raw = NativePointer | number | Int64 | undefined;

export interface BridgeType {
  className: string;
  /** native type: `pointer`, `int32`, `void` ... */
  type: string;
}

interface Mangler {
  revert(vm: unknown): void;
  /** on a JVM, once it is replaced: the app's own method */
  originalMethod: { oldMethod?: { accessFlags: number } } | null;
  /** and what stands there */
  newMethod?: { accessFlags: number; accessFlagsPtr: NativePointer };
  /** on ART: the method that is called instead */
  replacementMethodId?: NativePointer;
  resolveTarget(wrapper: unknown, isInstance: boolean, env: Env, api: unknown): NativePointer;
  replace(by: NativePointer, isInstance: boolean, types: BridgeType[], vm: unknown, api: unknown): void;
}

/** What the bridge knows of a method that it replaced on ART. */
export interface ArtMethod {
  hookedMethodId: NativePointer;
  /** a copy, native, which is called instead */
  replacementMethodId: NativePointer;
  /** as it was */
  originalMethod: { accessFlags: number; quickCode: NativePointer };
  /** not null: its compiled code was patched */
  interceptor: object | null;
  /** the function that the copy is bound to */
  made: NativePointer;
}

/** Entry points of ART; null: not in this one. */
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
  /** Java's modifiers, where we looked it up ourselves */
  modifiers?: number;
  /** [name, holder, kind, method id, return type, argument types, call virtually, call directly] */
  _p: [string, unknown, number, NativePointer, BridgeType, BridgeType[], NativeCaller, NativeCaller];
  /** what stands in its place, a function of JNI */
  _r?: NativePointer & { _m: Mangler };
}

export type NativeCaller = (...args: Raw[]) => Raw;

interface Dispatcher {
  overloads: Overload[];
}

/** A class as the bridge shows it. */
export interface ClassWrapper {
  $n: string;
  $init: Dispatcher;
  /** the class above */
  $s: ClassWrapper | null;
  $borrowClassHandle(env: Env): { value: NativePointer; unref(env: Env): void };
  $f: { _patchedMethods: Set<Overload> };
  /** on ART: the class's own overloads of a method, and what the unreadable ones of one name that is not there */
  $own?: (method: string) => Overload[];
  $unread?: ReadonlyMap<string, string[]>;
  [member: string]: unknown;
}

interface Factory {
  _make(name: string, getHandle: (env: Env) => NativePointer, env: Env): ClassWrapper;
}

const STATIC_METHOD = 2;

/** True on ART (a phone, an emulator), false on a JVM. Known once a VM is there. */
export function isArt(): boolean {
  return api().flavor === "art";
}

function api(): { flavor: string } {
  return (Java as unknown as { api: { flavor: string } }).api;
}

/** On ART. */
export function artApi(): ArtApi {
  return api() as unknown as ArtApi;
}

/** On ART: what became of an overload that `replace` replaced. */
export function artMethod(overload: Overload): ArtMethod {
  const made = overload._r;
  if (made === undefined) {
    throw new Error(`${overload.methodName} is not replaced`);
  }
  const mangler = made._m as unknown as Omit<ArtMethod, "made">;
  const { hookedMethodId, replacementMethodId, originalMethod, interceptor } = mangler;
  return { hookedMethodId, replacementMethodId, originalMethod, interceptor, made };
}

/** Android's API level, 0 where there is none. Asked while we load: once functions are hooked, the app would have asked. */
export const API_LEVEL = ((): number => {
  const get = Process.findModuleByName("libc.so")?.findExportByName("__system_property_get") ?? null;
  if (get === null) {
    return 0;
  }
  const value = Memory.alloc(128);
  new NativeFunction(get, "int", ["pointer", "pointer"])(Memory.allocUtf8String("ro.build.version.sdk"), value);
  return Number(value.readUtf8String());
})();

/** The calling thread's environment; the thread is attached (in a hook it always is). */
export function currentEnv(): Env {
  return Java.vm.getEnv() as Env;
}

/** The same, or null where the thread is not attached to the VM. */
export function tryEnv(): Env | null {
  return Java.vm.tryGetEnv() as Env | null;
}

let made = 0;

/** On a JVM: a wrapper for the class behind a global reference, whichever loader it came from, hidden classes too. */
export function wrap(name: string, cls: NativePointer, env: Env): ClassWrapper {
  made += 1;
  // The bridge caches class handles by name: two classes of one name (two loaders) must not meet there.
  const unique = `${name}#${made}`;
  const factory = Java.classFactory as unknown as Factory;
  return factory._make(unique, (own) => own.newLocalRef(cls), env);
}

/**
 * The overloads of a method, `$init` for constructors; none when there is no such method. On a JVM the inherited ones of
 * a class that has none itself.
 */
export function overloadsOf(wrapper: ClassWrapper, method: string): Overload[] {
  if (wrapper.$own !== undefined) {
    return wrapper.$own(method);
  }
  if (method === "$init") {
    // The bridge calls them by the class's name.
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

/** Replace an overload; `body` gets bare references and gives one back. Call `original` for the app's own method. */
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

/** The function of JNI that `replace` made for an overload; null when it is not replaced. */
export function scriptOf(overload: Overload): NativePointer | null {
  return overload._r ?? null;
}

const MOST_WORDS = 6;

/** Make a replaced method call another function of JNI; false when it is not clear where to write that. */
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
  // ART has a method of its own for what replaces one; to replace again would make another. Where its function is in
  // it differs by version: it is where the bridge has just written it.
  const words = Array.from({ length: MOST_WORDS }, (_, i) => clone.add(i * Process.pointerSize));
  const place = words.find((word) => word.readPointer().equals(made));
  place?.writePointer(by);
  return place !== undefined;
}

/** The method id by which JNI calls what `replace` replaced; it gives null while only the bridge's own queue lies between. */
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

/** Replacements that were restored: threads may still be inside them, so they are kept as long as the app lives. */
const restored: Overload[] = [];

/**
 * Give all methods their own bodies back, for good; resolves when they have them. Threads may be inside what stood in their
 * place: `_r` stays, by which they find the app's own method. (`implementation = null` takes it away at once, but the method
 * goes back a tick later: calls in between called themselves until the stack was full.)
 */
export async function restore(): Promise<void> {
  while (replaced.length > 0) {
    // What was replaced twice goes back in two rounds, the later one first.
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
    // The bridge does it in a tick that it has just asked for.
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
  // Before it goes back: looking for it the bridge marks the app's own method as final, which it is no more after that.
  targetOf(overload)();
  const { originalMethod, newMethod } = mangler;
  if (originalMethod?.oldMethod && newMethod) {
    // Flags as they were when it was replaced: in a compiler's queue it is not any more, and would never be again.
    originalMethod.oldMethod.accessFlags = (originalMethod.oldMethod.accessFlags & ~JVM_ACC_QUEUED) >>> 0;
    // The bridge would write the app's own flags here. A frame of a native method that does not say that it is one is read
    // as bytecode by whoever walks the stack, the garbage collector too.
    newMethod.accessFlags = newMethod.accessFlagsPtr.readU32();
  }
  overload.holder.$f._patchedMethods.delete(overload);
  mangler.revert(Java.vm);
}

const JVM_ACC_QUEUED = 0x01000000;
/** What the bridge does for each method that it puts somewhere, with all classes and all compiled code; last for the last. */
const WALKS = [
  "VM_RedefineClasses::mark_dependent_code", "VM_RedefineClasses::flush_dependent_code",
  "ClassLoaderDataGraph::classes_do", "ResolvedMethodTable::adjust_method_entries", "ClassLoaderDataGraph::clean_deallocate_lists",
];
/** Its way to have compiled code freed; nothing that we made is. It leaves our thread where the JVM waits for it. */
const SWEEP = "NMethodSweeper::force_sweep";

/**
 * Let the next `times` methods go back with one walk: the JVM stands still meanwhile, and a walk for each of the catalog's
 * 1,300 took it 0.7 s. Gives a way to undo this.
 */
function inOneWalk(times: number): () => void {
  const inside = api() as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>;
  const was = [...WALKS, SWEEP].map((name) => [name, inside[name]] as const);
  // Before JDK 13 a walk is for the one class that the bridge names.
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

/** Any call into the JVM: after work that stopped the JVM, our thread counts as one of its own until it has made one. */
function settled(): void {
  const env = currentEnv();
  inFrame(env, () => findClass(env, "java.lang.Object"));
}

/** A way to call what `replace` replaced; `cls` is a global reference to the declaring class. */
export function original(
  overload: Overload,
  cls: NativePointer,
): (env: Env, self: NativePointer | null, args: Raw[]) => Raw {
  const [, , , methodId, , , virtual, direct] = overload._p;
  // Not virtually: a subclass's own method would be called, which has perhaps just called this one.
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
    // `owned`: the bridge itself called the method (a thread of its own) and drops local references before it returns.
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
