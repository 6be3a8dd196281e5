// On ART: looks up the methods of a class one by one.
//
// The bridge reads all fields and methods of a class at once, and the process dies if a field or a constructor names a
// missing class. Here a class is asked only for the names of its methods, and only wanted methods for their types; what
// cannot be read is left out and reported. Nothing initialises the class.

import Java from "frida-java-bridge";
import { IDS, IDS_BYTES, layouts } from "../native/layouts.js";
import LOOKUP from "../native/lookup.txt";
import { currentEnv, overloadsOf, wrap, type BridgeType, type ClassWrapper, type Overload } from "./bridge.js";
import { JavaError, findClass, globalRef, inFrame, invoke, methodId, takeException, text, type Env } from "./jni.js";

type Kind = "method" | "creator";

/** How the methods of a class are read. */
interface Reader {
  /** method of Class that lists them, without resolving their types if this release has such a method */
  lists: NativePointer;
  takes: number[];
  /** struct Ids of the C part */
  ids: NativePointer;
}

interface Tools {
  method: Reader;
  creator: Reader;
  list: NativeFunction<NativePointer, [NativePointerValue, NativePointerValue, NativePointerValue]>;
  shape: NativeFunction<
    NativePointer, [NativePointerValue, NativePointerValue, NativePointerValue, NativePointerValue, number]>;
  release: NativeFunction<void, [NativePointerValue]>;
  message: NativePointer;
  /** the prototype of all methods that the bridge makes */
  prototype: object;
  /** the C part: for a class with hundreds of methods, the JNI calls would take too long in JavaScript */
  core: CModule;
}

let tools: Tools | null = null;

function theTools(env: Env): Tools {
  if (tools === null) {
    const core = new CModule(LOOKUP + layouts("lookup"));
    // Cooperative: these functions run Java.
    const options: NativeFunctionOptions = { exceptions: "propagate" };
    tools = inFrame(env, () => ({
      method: readerOf(env, "Method", "getDeclaredMethodsUnchecked", "getDeclaredMethods"),
      creator: readerOf(env, "Constructor", "getDeclaredConstructorsInternal", "getDeclaredConstructors"),
      list: new NativeFunction(core["list"] as NativePointer, "pointer", ["pointer", "pointer", "pointer"], options),
      shape: new NativeFunction(
        core["shape"] as NativePointer, "pointer", ["pointer", "pointer", "pointer", "pointer", "int"], options),
      release: new NativeFunction(core["release_text"] as NativePointer, "void", ["pointer"], { scheduling: "exclusive" }),
      message: methodId(env, findClass(env, "java.lang.Throwable"), "getMessage", "()Ljava/lang/String;"),
      prototype: Object.getPrototypeOf(
        overloadsOf(wrap("java.lang.Object", globalRef(env, findClass(env, "java.lang.Object")), env), "hashCode")[0]) as object,
      core,
    }));
  }
  return tools;
}

function readerOf(env: Env, kind: "Method" | "Constructor", unchecked: string, checked: string): Reader {
  const owner = findClass(env, "java.lang.Class");
  const cls = findClass(env, `java.lang.reflect.${kind}`);
  const gives = `[Ljava/lang/reflect/${kind};`;
  const ids = Memory.alloc(IDS_BYTES);
  ids.add(IDS.get_name).writePointer(methodId(env, cls, "getName", "()Ljava/lang/String;"));
  ids.add(IDS.class_name).writePointer(methodId(env, owner, "getName", "()Ljava/lang/String;"));
  ids.add(IDS.modifiers).writePointer(methodId(env, cls, "getModifiers", "()I"));
  ids.add(IDS.returns).writePointer(kind === "Method" ? methodId(env, cls, "getReturnType", "()Ljava/lang/Class;") : NULL);
  ids.add(IDS.takes).writePointer(methodId(env, cls, "getParameterTypes", "()[Ljava/lang/Class;"));
  try {
    return { lists: methodId(env, owner, unchecked, `(Z)${gives}`), takes: [0], ids };
  } catch {
    return { lists: methodId(env, owner, checked, `()${gives}`), takes: [], ids };
  }
}

/** The wrapper of a class, with only what hooks need. */
class OwnWrapper {
  readonly $f = Java.classFactory;
  readonly $C = selfOf(() => this.cls);
  /** method -> missing classes that its overloads name */
  readonly $unread = new Map<string, string[]>();
  private readonly made = new Map<string, Overload[]>();
  private methods: Map<string, NativePointer[]> | null = null;
  /** On a release that lists either all methods of a class or none: the missing class, when none can be listed. */
  private readonly unlisted: Partial<Record<Kind, string>> = {};
  private parent: ClassWrapper | null | undefined;

  constructor(
    readonly $n: string,
    private readonly cls: NativePointer,
    private readonly above: (env: Env) => ClassWrapper | null,
  ) {}

  get $s(): ClassWrapper | null {
    this.parent = this.parent === undefined ? this.above(currentEnv()) : this.parent;
    return this.parent;
  }

  $borrowClassHandle(): { value: NativePointer; unref: () => void } {
    return { value: this.cls, unref: () => undefined };
  }

  /** The overloads that the class itself declares; `$init` for constructors. */
  $own(name: string): Overload[] {
    let made = this.made.get(name);
    if (made === undefined) {
      const env = currentEnv();
      made = inFrame(env, () => (name === "$init" ? this.constructors(env) : this.named(env, name)));
      this.made.set(name, made);
    }
    return made;
  }

  private named(env: Env, name: string): Overload[] {
    this.methods ??= this.list(env, "method");
    if (this.unlisted.method !== undefined) {
      this.missing(name, this.unlisted.method);
    }
    return (this.methods.get(name) ?? []).flatMap((id) => this.overload(env, name, id, "method"));
  }

  private constructors(env: Env): Overload[] {
    const ids = [...this.list(env, "creator").values()].flat();
    if (this.unlisted.creator !== undefined) {
      this.missing("$init", this.unlisted.creator);
    }
    return ids.flatMap((id) => this.overload(env, "$init", id, "creator"));
  }

  private list(env: Env, kind: Kind): Map<string, NativePointer[]> {
    const { list, release, ...readers } = theTools(env);
    const reader = readers[kind];
    const found = new Map<string, NativePointer[]>();
    let array: NativePointer;
    try {
      array = invoke(env, this.cls, reader.lists, "L", false, reader.takes) as NativePointer;
    } catch (error) {
      this.unlisted[kind] = reason(env, error instanceof JavaError ? (error.thrown ?? NULL) : NULL);
      return found;
    }
    const told = list(env.handle, array, reader.ids);
    for (const line of (told.readUtf8String() ?? "").split("\n").slice(0, -1)) {
      const cut = line.indexOf(" ");
      const name = line.slice(cut + 1);
      const ids = found.get(name);
      const id = ptr(line.slice(0, cut));
      if (ids === undefined) {
        found.set(name, [id]);
      } else {
        ids.push(id);
      }
    }
    release(told);
    return found;
  }

  private overload(env: Env, name: string, id: NativePointer, kind: Kind): Overload[] {
    const { shape, release, prototype, ...readers } = theTools(env);
    const reader = readers[kind];
    const told = shape(env.handle, this.cls, id, reader.ids, kind === "creator" ? 1 : 0);
    if (told.isNull()) {
      this.missing(name, reason(env, takeException(env)));
      return [];
    }
    const [modifiers, returns, ...takes] = (told.readUtf8String() ?? "").split("\n").slice(0, -1) as [string, string, ...string[]];
    release(told);
    const factory = Java.classFactory as unknown as { _getType(name: string): BridgeType };
    // The bridge makes methods from such data, but offers this only as `clone` of an existing method.
    const shell = Object.create(prototype) as Overload & { clone(): Overload };
    const isStatic = (Number(modifiers) & STATIC) !== 0;
    const types = takes.map((type) => factory._getType(type));
    shell._p = [name, this, isStatic ? STATIC_METHOD : INSTANCE_METHOD, id, factory._getType(returns), types, never, never];
    const overload = shell.clone();
    overload.modifiers = Number(modifiers);
    return [overload];
  }

  private missing(name: string, what: string): void {
    this.$unread.set(name, [...(this.$unread.get(name) ?? []), what]);
  }
}

const STATIC = 0x0008;
const STATIC_METHOD = 2;
const INSTANCE_METHOD = 3;
const VIRTUAL = 1;

function never(): undefined {
  return undefined;
}

/** Makes the object whose method was called, in the form in which the bridge passes it to a replacement. */
function selfOf(cls: () => NativePointer): new (handle: NativePointer) => object {
  return class {
    readonly $t = VIRTUAL;

    constructor(readonly $h: NativePointer) {}

    $getHandle(): NativePointer {
      return this.$h;
    }

    $copyClassHandle(env: Env): NativePointer {
      return env.newLocalRef(cls());
    }
  };
}

/** The missing class that an exception names: `Failed resolution of: Lcom/example/Absent;`. */
function reason(env: Env, thrown: NativePointer): string {
  if (thrown.isNull()) {
    return "a class";
  }
  try {
    const said = text(env, invoke(env, thrown, theTools(env).message, "L", false, []) as NativePointer) ?? "";
    return (/L([\w/$]+);/.exec(said)?.[1] ?? said).replace(/\//g, ".");
  } catch {
    return "a class";
  }
}

/** A wrapper for the class behind a global reference; `above` returns the wrapper of its superclass. */
export function lookUp(name: string, cls: NativePointer, above: (env: Env) => ClassWrapper | null): ClassWrapper {
  return new OwnWrapper(name, cls, above) as unknown as ClassWrapper;
}
