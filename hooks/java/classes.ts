// Finds classes without initialising them, and knows which ones have not come yet.

import Java from "frida-java-bridge";
import { isArt, wrap, type ClassWrapper } from "./bridge.js";
import {
  JavaError,
  construct,
  findClass,
  globalRef,
  inFrame,
  invoke,
  methodId,
  newString,
  takeException,
  text,
  type Env,
  type Shorty,
} from "./jni.js";

/** class name -> global reference. Absent ones are asked for again: they may have come meanwhile. */
const found = new Map<string, NativePointer>();

/** A global reference to the class, or null when there is none (yet). Does not run its static initialiser on a JVM. */
export function loadClass(env: Env, name: string): NativePointer | null {
  const known = found.get(name);
  if (known !== undefined) {
    return known;
  }
  const cls = inFrame(env, () => {
    const local = name.startsWith("java.") ? findClass(env, name) : byLoader(env, name);
    if (!takeException(env).isNull() || local.isNull()) {
      return null;
    }
    return globalRef(env, local);
  });
  if (cls !== null) {
    found.set(name, cls);
  }
  return cls;
}

/** A method of a class that every device has, found when first called. */
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

  number(env: Env, self: NativePointer | null, ...args: (NativePointer | number)[]): number {
    return Number(this.call(env, self, ...args));
  }

  /** A new object; the method is a constructor. */
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
const systemLoader = new Method("java.lang.ClassLoader", "getSystemClassLoader", "()Ljava/lang/ClassLoader;", true);

function byLoader(env: Env, name: string): NativePointer {
  const loader = isArt()
    ? ((Java.classFactory.loader as unknown as { $h: NativePointer } | null)?.$h ?? NULL)
    : systemLoader.object(env, null);
  try {
    return forName.object(env, null, newString(env, name), 0, loader);
  } catch {
    return NULL;
  }
}

const wrappers = new Map<string, ClassWrapper>();

/** The wrapper of a class found by name, or null. */
export function wrapperOf(env: Env, name: string): ClassWrapper | null {
  let wrapper = wrappers.get(name);
  if (wrapper === undefined) {
    const cls = loadClass(env, name);
    if (cls === null) {
      return null;
    }
    wrapper = wrapperFor(env, name, cls);
    wrappers.set(name, wrapper);
  }
  return wrapper;
}

/** The wrapper of the class behind a global reference. */
export function wrapperFor(env: Env, name: string, cls: NativePointer): ClassWrapper {
  link(env, cls);
  return wrap(name, cls, env);
}

/** A class that another loader than the app's main one defined: from now on this one is meant by the name. */
export function remember(name: string, cls: NativePointer): void {
  found.set(name, cls);
}

/** A class must be linked before its methods can be listed; asking for them links it and initialises nothing. */
function link(env: Env, cls: NativePointer): void {
  inFrame(env, () => {
    const owner = findClass(env, "java.lang.Class");
    const id = methodId(env, owner, "getDeclaredMethods", "()[Ljava/lang/reflect/Method;");
    try {
      invoke(env, cls, id, "L", false, []);
    } catch {
      // A signature names a class that is not there; the others are still listed.
    }
  });
}

const getName = new Method("java.lang.Class", "getName", "()Ljava/lang/String;");

export function className(env: Env, cls: NativePointer): string {
  return text(env, getName.object(env, cls)) ?? "";
}
