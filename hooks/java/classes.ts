// Finds classes without initialising them, and knows which ones are not loaded yet.

import Java from "frida-java-bridge";
import { isArt, wrap, type ClassWrapper } from "./bridge.js";
import {
  JavaError,
  construct,
  findClass,
  deleteGlobal,
  globalRef,
  inFrame,
  invoke,
  isInstance,
  isSame,
  methodId,
  newString,
  superclassOf,
  takeException,
  text,
  tryStatic,
  type Env,
  type Shorty,
} from "./jni.js";
import { lookUp } from "./lookup.js";

/** class name -> its classes: a global reference for each loader that has its own, the app's main loader's first. */
const found = new Map<string, NativePointer[]>();
/** On ART: names that the app's main loader did not know when it was last asked. */
const absent = new Set<string>();

/** A global reference to the class, or null when there is none (yet). Does not run its static initialiser. */
export function loadClass(env: Env, name: string): NativePointer | null {
  const known = found.get(name)?.[0];
  if (known !== undefined) {
    return known;
  }
  if (absent.has(name)) {
    return null;
  }
  const cls = name.startsWith("java.") ? inFrame(env, () => {
    const local = findClass(env, name);
    return !takeException(env).isNull() || local.isNull() ? null : globalRef(env, local);
  }) : askLoader(env, name, mainLoader(env));
  if (cls !== null) {
    found.set(name, [cls]);
  } else if (isArt()) {
    absent.add(name);
  }
  return cls;
}

/** Forget which classes were missing, so that they are looked for again: the app has more classes now. */
export function lookAgain(): void {
  absent.clear();
}

/**
 * Keep a class of any loader, as a global reference; false when it was known already, and the reference is then
 * released.
 */
export function keep(env: Env, name: string, cls: NativePointer): boolean {
  const known = found.get(name) ?? [];
  if (known.some((other) => isSame(env, other, cls))) {
    deleteGlobal(env, cls);
    return false;
  }
  found.set(name, [...known, cls]);
  absent.delete(name);
  return true;
}

const ofBoot = new Map<string, boolean>();

/** Whether the class comes from the boot loader, which all other loaders ask first. */
export function isBoot(env: Env, name: string): boolean {
  const cls = found.get(name)?.[0];
  let boot = ofBoot.get(name);
  if (boot === undefined && cls !== undefined) {
    boot = inFrame(env, () => getClassLoader.object(env, cls).isNull());
    ofBoot.set(name, boot);
  }
  return boot ?? false;
}

/** A method of a class that every device has; looked up when first called. */
export class Method {
  private id: NativePointer | null = null;
  private cls: NativePointer = NULL;
  private readonly returns: Shorty;

  constructor(
    private readonly owner: string,
    private readonly name: string,
    private readonly signature: string,
    private readonly isStatic = false,
  ) {
    const kind = signature.charAt(signature.indexOf(")") + 1);
    this.returns = (kind === "[" ? "L" : kind) as Shorty;
  }

  call(env: Env, self: NativePointer | null, ...args: (NativePointer | number)[]): NativePointer | number | Int64 {
    const id = this.find(env);
    return invoke(env, this.isStatic ? this.cls : (self ?? NULL), id, this.returns, this.isStatic, args);
  }

  object(env: Env, self: NativePointer | null, ...args: (NativePointer | number)[]): NativePointer {
    return this.call(env, self, ...args) as NativePointer;
  }

  /** For a static method: null when it throws. */
  tryObject(env: Env, ...args: (NativePointer | number)[]): NativePointer | null {
    const id = this.find(env);
    return tryStatic(env, this.cls, id, args);
  }

  number(env: Env, self: NativePointer | null, ...args: (NativePointer | number)[]): number {
    return Number(this.call(env, self, ...args));
  }

  /** Create an object; the method is a constructor. */
  create(env: Env, ...args: (NativePointer | number)[]): NativePointer {
    const id = this.find(env);
    return construct(env, this.cls, id, args);
  }

  private find(env: Env): NativePointer {
    if (this.id === null) {
      const cls = loadClass(env, this.owner);
      if (cls === null) {
        throw new JavaError(`no class ${this.owner}`);
      }
      this.cls = cls;
      this.id = methodId(env, cls, this.name, this.signature, this.isStatic);
    }
    return this.id;
  }
}

const forName = new Method(
  "java.lang.Class", "forName", "(Ljava/lang/String;ZLjava/lang/ClassLoader;)Ljava/lang/Class;", true);
export const systemLoader = new Method("java.lang.ClassLoader", "getSystemClassLoader", "()Ljava/lang/ClassLoader;", true);

/** A global reference to the class that a loader has for a name; null when it has none. */
export function askLoader(env: Env, name: string, loader: NativePointer): NativePointer | null {
  try {
    return inFrame(env, () => {
      const local = forName.tryObject(env, newString(env, name), 0, loader);
      return local === null ? null : globalRef(env, local);
    });
  } catch (error) {
    if (!(error instanceof JavaError)) {
      throw error;
    }
    return null; // there are too many references
  }
}

let system: NativePointer | null = null;

/** On ART, the app's loader once there is one; before that, and in a process without an app, the system's. */
export function mainLoader(env: Env): NativePointer {
  const apps = isArt() ? (Java.classFactory.loader as unknown as { $h: NativePointer } | null) : null;
  if (apps !== null) {
    return apps.$h;
  }
  system ??= inFrame(env, () => globalRef(env, systemLoader.object(env, null)));
  return system;
}

const wrappers = new Map<string, { cls: NativePointer; wrapper: ClassWrapper }[]>();

/** The wrapper of the class with a name; null when there is none. */
export function wrapperOf(env: Env, name: string): ClassWrapper | null {
  const cls = loadClass(env, name);
  return cls === null ? null : wrapperFor(env, name, cls);
}

/** The wrappers of all classes with a name, one for each loader. */
export function wrappersOf(env: Env, name: string): ClassWrapper[] {
  loadClass(env, name);
  return (found.get(name) ?? []).map((cls) => wrapperFor(env, name, cls));
}

/** The wrapper of the class behind a global reference. */
export function wrapperFor(env: Env, name: string, cls: NativePointer): ClassWrapper {
  const known = wrappers.get(name) ?? [];
  const made = known.find((other) => isSame(env, other.cls, cls))?.wrapper ?? (isArt() ? lookUp(name, cls, above) : linked(env, name, cls));
  if (!known.some(({ wrapper }) => wrapper === made)) {
    wrappers.set(name, [...known, { cls, wrapper: made }]);
  }
  return made;

  function above(own: Env): ClassWrapper | null {
    const found = inFrame(own, () => {
      const local = superclassOf(own, cls);
      return local.isNull() ? null : { name: className(own, local), cls: globalRef(own, local) };
    });
    return found === null ? null : wrapperFor(own, found.name, found.cls);
  }
}

/**
 * On a JVM, a class must be linked before its methods can be listed; asking for them links it without initialising it.
 */
function linked(env: Env, name: string, cls: NativePointer): ClassWrapper {
  inFrame(env, () => {
    const owner = findClass(env, "java.lang.Class");
    const id = methodId(env, owner, "getDeclaredMethods", "()[Ljava/lang/reflect/Method;");
    try {
      invoke(env, cls, id, "L", false, []);
    } catch {
      // A signature names a missing class; the other methods are still listed.
    }
  });
  return wrap(name, cls, env);
}

/** Whether an object is an instance of the named class; false when there is no such class. */
export function isA(env: Env, object: NativePointer, name: string): boolean {
  const cls = loadClass(env, name);
  return cls !== null && isInstance(env, object, cls);
}

/** The elements of an Object[] in one string, in brackets, with commas between them. */
export const allToString = new Method("java.util.Arrays", "toString", "([Ljava/lang/Object;)Ljava/lang/String;", true);
export const getClassLoader = new Method("java.lang.Class", "getClassLoader", "()Ljava/lang/ClassLoader;");
const getName = new Method("java.lang.Class", "getName", "()Ljava/lang/String;");

export function className(env: Env, cls: NativePointer): string {
  return text(env, getName.object(env, cls)) ?? "";
}
