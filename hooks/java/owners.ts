// The owner of a frame's code: by the class loader that defined its class, or by the path of its library; never by name
// alone.

import Java from "frida-java-bridge";
import { isArt, tryEnv } from "./bridge.js";
import { Method, className, getClassLoader, systemLoader } from "./classes.js";
import { classOf, globalRef, inFrame, isSame, newString, takeException, text, throwAgain, type Env } from "./jni.js";

/** `app`, `platform`, the package that a class or library came from, or null when it is unknown. */
export type Owner = string | null;

const MOST_KNOWN = 20_000;
const MOST_LOADERS = 64;
/** Folders with files that came with the system. */
const SYSTEM = /^\/(system|system_ext|apex|vendor|product|odm|oem|my_\w+|lib|lib32|lib64|usr)\//;
/**
 * Paths of a package's files, and of an installed package's code, where a shared library's version follows its name.
 */
const PACKAGES = [
  /^(?:\/mnt\/expand\/[^/]+|\/data)\/(?:data|user\/\d+|user_de\/\d+)\/([A-Za-z]\w*(?:\.\w+)+)\//,
  /\/app\/(?:~~[^/]+\/)?([A-Za-z]\w*(?:\.\w+)*\.\w+?)(?:_\d+)?-[^/]+\//,
];
/**
 * A JVM is not Android: stand-ins for the framework's classes have the app's own loader, and are recognised by name.
 */
const STAND_INS = /^(java|javax|jdk|sun|com\.sun|android|com\.android|dalvik|libcore|kotlin|kotlinx)\./;
const PROXY = /^(?:com\.sun\.proxy\.|jdk\.proxy\d+\.)?\$Proxy\d+$/;

let app = "";
let byName = false;
/** Whether loaders can be asked here. */
let able = false;
/** class, or library followed by `!` -> its owner */
const known = new Map<string, Owner>();
/** frame -> its owner, when its class itself was known: two packages may have classes with the same name */
const met = new Map<string, Owner>();
/** stack -> the owners returned for it, until more is known */
let said = new WeakMap<readonly string[], Owner[]>();

interface Loader {
  ref: NativePointer;
  owner: Owner;
}

let own: Loader | null = null;
/** Loaders that were created since we came. */
const others: Loader[] = [];

const findLoaded = new Method(
  "java.lang.VMClassLoader", "findLoadedClass", "(Ljava/lang/ClassLoader;Ljava/lang/String;)Ljava/lang/Class;", true);
const toString = new Method("java.lang.Object", "toString", "()Ljava/lang/String;");

/**
 * Prepare to find owners; on the agent's own thread, which can look up a hidden method. `standIns`: the framework's
 * classes are stand-ins, which have the app's own loader.
 */
export function knowOwners(env: Env, package_: string, standIns: boolean): void {
  app = package_;
  byName = standIns || !isArt();
  able = byName || tells(env);
}

function tells(env: Env): boolean {
  try {
    return inFrame(env, () => !findLoaded.object(env, null, NULL, newString(env, "java.lang.Object")).isNull());
  } catch {
    return false;
  }
}

/** Note a loader that the app, or another package's code in its process, has just created. */
export function addLoader(env: Env, loader: NativePointer): void {
  if (able && !byName && others.length < MOST_LOADERS) {
    forgetUnknown();
    others.push({ ref: globalRef(env, loader), owner: null });
  }
}

/** Forget which classes no loader had: a new loader may have them. */
function forgetUnknown(): void {
  said = new WeakMap();
  for (const [name, owner] of known) {
    if (owner === null) {
      known.delete(name);
    }
  }
}

function put(into: Map<string, Owner>, name: string, owner: Owner): void {
  said = new WeakMap();
  if (into.size >= MOST_KNOWN) {
    into.clear();
  }
  into.set(name, owner);
}

/** Note the loader of a frame's class, when the class itself is known. */
export function meet(env: Env, frame: string, loader: NativePointer): void {
  if (!able || byName) {
    return;
  }
  const owner = ofLoader(env, loader, loaders(env));
  const before = met.get(frame);
  put(met, frame, before === undefined || before === owner ? owner : null);
}

/** The app's own loader, once there is one (in a process without an app, the system's), and the others. */
function loaders(env: Env): Loader[] {
  const { loader } = Java.classFactory as unknown as { loader: { $h: NativePointer } | null };
  if (own === null && loader !== null) {
    forgetUnknown();
    own = { ref: globalRef(env, loader.$h), owner: "app" };
  }
  return [own ?? { ref: systemLoader.object(env, null), owner: "app" }, ...others];
}

/**
 * The owner of each frame's code; empty when loaders cannot be asked. An exception pending on the thread is preserved.
 */
export function ownersOf(stack: readonly string[]): Owner[] {
  if (!able) {
    return [];
  }
  const before = said.get(stack);
  if (before !== undefined) {
    return before;
  }
  // By names, without a call into the JVM: lines are also written after it has ended, and a call would never return.
  const env = byName ? null : tryEnv();
  const pending = env === null ? NULL : takeException(env);
  try {
    const owners = stack.map((frame) => ownerOf(env, frame));
    if (byName || env !== null) {
      said.set(stack, owners);
    }
    return owners;
  } finally {
    if (env !== null && !pending.isNull()) {
      throwAgain(env, pending);
    }
  }
}

/** Whether a frame is the platform's own code, not the app's or of a library in the app. */
export function isPlatform(frame: string): boolean {
  const [owner = null] = ownersOf([frame]);
  return owner === null ? STAND_INS.test(frame) : owner === "platform";
}

/** The owner of a native library, or of another code file, by its path. */
export function ownerOfPath(path: string): string {
  if (SYSTEM.test(path)) {
    return "platform";
  }
  const name = PACKAGES.map((pattern) => pattern.exec(path)?.[1]).find((found) => found !== undefined);
  return name === undefined || name === app ? "app" : name;
}

/** The class of a frame; for a native frame its library, followed by `!`. */
function classIn(frame: string): string {
  const method = frame.slice(0, frame.indexOf("("));
  const native = method.indexOf("!");
  return native >= 0 ? method.slice(0, native + 1) : method.slice(0, method.lastIndexOf("."));
}

function ownerOf(env: Env | null, frame: string): Owner {
  const exact = met.get(frame);
  if (exact !== undefined) {
    return exact;
  }
  const name = classIn(frame);
  const isNative = name.endsWith("!");
  let owner = known.get(name);
  if (owner === undefined) {
    if (!isNative && env === null && !byName) {
      return null;
    }
    owner = isNative ? ofLibrary(name.slice(0, -1)) : ofClass(env as Env, name);
    put(known, name, owner);
  }
  return owner;
}

/** Code without a library was generated at run time: by the app, as far as we know. */
function ofLibrary(name: string): Owner {
  const module = name === "?" ? null : Process.findModuleByName(name);
  return module === null ? "app" : ownerOfPath(module.path);
}

function ofClass(env: Env, name: string): Owner {
  if (PROXY.test(name)) {
    return "platform";
  }
  if (byName) {
    return STAND_INS.test(name) ? "platform" : "app";
  }
  const owner = inFrame(env, () => byLoader(env, name));
  // A class that was generated for a lambda or an inner call belongs to its outer class.
  const outer = name.indexOf("$$");
  return owner ?? (outer > 0 ? inFrame(env, () => byLoader(env, name.slice(0, outer))) : null);
}

/** A class on a stack is loaded already: its loader is only asked for loaded classes, and runs no code. */
function byLoader(env: Env, name: string): Owner {
  const asked = newString(env, name);
  const has = (loader: NativePointer): NativePointer | null => {
    try {
      const cls = findLoaded.object(env, null, loader, asked);
      return cls.isNull() ? null : cls;
    } catch {
      return null;
    }
  };
  if (has(NULL) !== null) {
    return "platform";
  }
  const all = loaders(env);
  for (const { ref } of all) {
    const cls = has(ref);
    if (cls !== null) {
      return ofLoader(env, getClassLoader.object(env, cls), all);
    }
  }
  return null;
}

function ofLoader(env: Env, loader: NativePointer, all: Loader[]): Owner {
  if (loader.isNull() || className(env, classOf(env, loader)) === "java.lang.BootClassLoader") {
    return "platform";
  }
  const which = all.find(({ ref }) => isSame(env, ref, loader));
  // DexPathList names its files: [zip file "/data/app/...apk", ...]; code without a file was generated in this process.
  const path = (): string => /"(\/[^"]+)"/.exec(text(env, toString.object(env, loader)) ?? "")?.[1] ?? "";
  if (which === undefined) {
    return ownerOfPath(path());
  }
  which.owner ??= ownerOfPath(path());
  return which.owner;
}
