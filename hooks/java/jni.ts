// Direct JNI calls: references, strings, methods by class, name and signature.

import { gap } from "../out/emit.js";

/** A thread's JNI environment. */
export interface Env {
  handle: NativePointer;
  newLocalRef(ref: NativePointer): NativePointer;
  newGlobalRef(ref: NativePointer): NativePointer;
  deleteGlobalRef(ref: NativePointer): void;
}

/** An exception that one of our calls raised, as a local reference; it has been cleared, so the app never sees it. */
export class JavaError extends Error {
  constructor(message: string, readonly thrown: NativePointer | null = null) {
    super(message);
  }
}

const functions = new Map<number, (...args: NativeFunctionArgumentValue[]) => unknown>();

/**
 * Call entry `index` of JNI's function table. Cooperative: a thread that waits for a safepoint must not hold the lock.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows what an entry returns
function jni<R>(
  env: Env,
  index: number,
  returns: NativeFunctionReturnType,
  takes: NativeFunctionArgumentType[],
  ...args: NativeFunctionArgumentValue[]
): R {
  let found = functions.get(index);
  if (found === undefined) {
    const address = env.handle.readPointer().add(index * Process.pointerSize).readPointer();
    const made = new NativeFunction(address, returns, ["pointer", ...takes], { exceptions: "propagate" });
    found = made as unknown as (...args: NativeFunctionArgumentValue[]) => unknown;
    functions.set(index, found);
  }
  return found(env.handle, ...args) as R;
}

export function throwAgain(env: Env, throwable: NativePointer): void {
  jni(env, 13, "int", ["pointer"], throwable);
}

/** Clear the pending exception and return it; NULL when there is none. */
export function takeException(env: Env): NativePointer {
  const pending = jni<NativePointer>(env, 15, "pointer", []);
  if (!pending.isNull()) {
    jni(env, 17, "void", []);
  }
  return pending;
}

/** Run `work`, then release the local references that it made. */
export function inFrame<T>(env: Env, work: () => T): T {
  if (jni<number>(env, 19, "int", ["int"], 32) !== 0) {
    takeException(env);
    throw new JavaError("no memory for local references");
  }
  try {
    return work();
  } finally {
    jni(env, 20, "pointer", ["pointer"], NULL);
  }
}

/** Most references of each kind that we hold; ART ends a process that has 51,200 of one kind. */
const MOST_REFERENCES = 30_000;
const references = { global: 0, weak: 0 };
let isFull = false;

/** Count a reference that is about to be made; false when there are too many. */
function countOne(kind: keyof typeof references): boolean {
  if (references[kind] >= MOST_REFERENCES) {
    if (!isFull) {
      isFull = true;
      gap(
        "agent", "overflow",
        `${MOST_REFERENCES} objects of the app are known at once; what comes with more of them is not seen`);
    }
    return false;
  }
  references[kind] += 1;
  return true;
}

/** A global reference. Throws JavaError when there are too many. */
export function globalRef(env: Env, ref: NativePointer): NativePointer {
  if (!countOne("global")) {
    throw new JavaError("too many references to objects of the app");
  }
  return jni(env, 21, "pointer", ["pointer"], ref);
}

export function deleteGlobal(env: Env, ref: NativePointer): void {
  references.global -= 1;
  jni(env, 22, "void", ["pointer"], ref);
}

export function isSame(env: Env, a: NativePointer, b: NativePointer): boolean {
  return jni<number>(env, 24, "uint8", ["pointer", "pointer"], a, b) !== 0;
}

/** A local reference to the superclass; NULL for an interface and for Object. */
export function superclassOf(env: Env, cls: NativePointer): NativePointer {
  return jni(env, 10, "pointer", ["pointer"], cls);
}

export function classOf(env: Env, object: NativePointer): NativePointer {
  return jni(env, 31, "pointer", ["pointer"], object);
}

export function isInstance(env: Env, object: NativePointer, cls: NativePointer): boolean {
  return jni<number>(env, 32, "uint8", ["pointer", "pointer"], object, cls) !== 0;
}

/** A local reference to the object of a weak one; NULL when the object is gone. */
export function strong(env: Env, ref: NativePointer): NativePointer {
  return jni(env, 25, "pointer", ["pointer"], ref);
}

/** A weak global reference; null when there are too many. */
export function weakRef(env: Env, ref: NativePointer): NativePointer | null {
  return countOne("weak") ? jni(env, 226, "pointer", ["pointer"], ref) : null;
}

export function deleteWeak(env: Env, ref: NativePointer): void {
  references.weak -= 1;
  jni(env, 227, "void", ["pointer"], ref);
}

export function arrayLength(env: Env, array: NativePointer): number {
  return jni(env, 171, "int", ["pointer"], array);
}

export function arrayElement(env: Env, array: NativePointer, index: number): NativePointer {
  return jni(env, 173, "pointer", ["pointer", "int"], array, index);
}

/**
 * The results of `of` for the elements of an Object[], at most `most`; local references are released after each
 * element: before Android 8, a thread with 512 of them ends the process.
 */
export function eachOf<T>(env: Env, array: NativePointer, of: (element: NativePointer) => T, most = Infinity): T[] {
  return Array.from({ length: Math.min(arrayLength(env, array), most) }, (_, i) =>
    inFrame(env, () => of(arrayElement(env, array, i))));
}

/** A Java string as text; null for NULL. A lone surrogate becomes U+FFFD, as UTF-8 cannot encode it. */
export function text(env: Env, string: NativePointer): string | null {
  if (string.isNull()) {
    return null;
  }
  const length = jni<number>(env, 164, "int", ["pointer"], string);
  if (length === 0) {
    return "";
  }
  const chars = jni<NativePointer>(env, 165, "pointer", ["pointer", "pointer"], string, NULL);
  try {
    return utf16(chars, length);
  } finally {
    jni(env, 166, "void", ["pointer", "pointer"], string, chars);
  }
}

function utf16(chars: NativePointer, length: number): string {
  try {
    const whole = chars.readUtf16String(length);
    // Reading stops at a NUL; a text that is shorter than requested must contain one.
    if (whole?.length === length) {
      return whole;
    }
  } catch {
    // a lone surrogate
  }
  let result = "";
  for (let i = 0; i !== length; i++) {
    result += String.fromCharCode(chars.add(2 * i).readU16());
  }
  return result.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
}

/** The characters of a char[]. */
export function charArray(env: Env, array: NativePointer, length: number): string {
  if (length <= 0) {
    return "";
  }
  const buffer = Memory.alloc(2 * length);
  jni(env, 201, "void", ["pointer", "int", "int", "pointer"], array, 0, length, buffer);
  orThrow(env);
  return utf16(buffer, length);
}

/** The bytes of a byte[]. */
export function byteArray(env: Env, array: NativePointer): ArrayBuffer {
  return byteRegion(env, array, 0, arrayLength(env, array));
}

/** A part of a byte[]. Throws JavaError when the array is too short. */
export function byteRegion(env: Env, array: NativePointer, from: number, length: number): ArrayBuffer {
  if (length <= 0) {
    return new ArrayBuffer(0);
  }
  const buffer = Memory.alloc(length);
  jni(env, 200, "void", ["pointer", "int", "int", "pointer"], array, from, length, buffer);
  orThrow(env);
  return buffer.readByteArray(length) ?? new ArrayBuffer(0);
}

/** The addresses stored in a long[]. */
export function longArray(env: Env, array: NativePointer, length: number): NativePointer[] {
  const LONG = 8;
  const buffer = Memory.alloc(LONG * Math.max(length, 1));
  jni(env, 204, "void", ["pointer", "int", "int", "pointer"], array, 0, length, buffer);
  orThrow(env);
  return Array.from({ length }, (_, i) => ptr(buffer.add(LONG * i).readU64().toString()));
}

/** Create a byte[]; a local reference. */
export function newByteArray(env: Env, length: number): NativePointer {
  const array = jni<NativePointer>(env, 176, "pointer", ["int"], length);
  orThrow(env);
  return array;
}

/** Create an object. Throws JavaError when its constructor throws. */
export function construct(
  env: Env, cls: NativePointer, constructorId: NativePointer, args: (NativePointer | number)[],
): NativePointer {
  const object = jni<NativePointer>(
    env, 30, "pointer", ["pointer", "pointer", "pointer"], cls, constructorId, values(args));
  orThrow(env);
  return object;
}

/** Text that is the same in UTF-8 and in Java's modified UTF-8. */
const PLAIN = /^[\x01-\x7f]*$/;

/** Create a Java string; a local reference. */
export function newString(env: Env, value: string): NativePointer {
  if (PLAIN.test(value)) {
    return jni(env, 167, "pointer", ["pointer"], Memory.allocUtf8String(value));
  }
  const units = Memory.alloc(Math.max(2 * value.length, 2));
  for (let i = 0; i !== value.length; i++) {
    units.add(2 * i).writeU16(value.charCodeAt(i));
  }
  return jni(env, 163, "pointer", ["pointer", "int"], units, value.length);
}

function orThrow(env: Env): void {
  const thrown = takeException(env);
  if (!thrown.isNull()) {
    throw new JavaError(describe(env, thrown), thrown);
  }
}

function describe(env: Env, thrown: NativePointer): string {
  const id = methodId(env, findClass(env, "java.lang.Class"), "getName", "()Ljava/lang/String;");
  return text(env, invoke(env, classOf(env, thrown), id, "L", false, []) as NativePointer) ?? "exception";
}

/** Offset from Call<Type>MethodA to CallNonvirtual<Type>MethodA, which takes the class, too. */
export const NONVIRTUAL = 30;

/** The indexes of Call<Type>MethodA and CallStatic<Type>MethodA, and the native type. */
export const CALLS = {
  L: [36, 116, "pointer"],
  Z: [39, 119, "uint8"],
  B: [42, 122, "int8"],
  C: [45, 125, "uint16"],
  S: [48, 128, "int16"],
  I: [51, 131, "int"],
  J: [54, 134, "int64"],
  F: [57, 137, "float"],
  D: [60, 140, "double"],
  V: [63, 143, "void"],
} as const;

export type Shorty = keyof typeof CALLS;

/** Call a method by its id. Arguments are references and ints. Throws JavaError when the method throws. */
export function invoke(
  env: Env,
  target: NativePointer,
  methodId: NativePointer,
  returns: Shorty,
  isStatic: boolean,
  args: (NativePointer | number)[],
): NativePointer | number | Int64 {
  const [virtual, fixed, type] = CALLS[returns];
  const result = jni<NativePointer | number | Int64>(
    env, isStatic ? fixed : virtual, type, ["pointer", "pointer", "pointer"], target, methodId, values(args));
  orThrow(env);
  return result;
}

/** The same for a static method that returns an object; null when it throws, which costs less than a JavaError. */
export function tryStatic(
  env: Env, cls: NativePointer, methodId: NativePointer, args: (NativePointer | number)[],
): NativePointer | null {
  const [, fixed, type] = CALLS.L;
  const result = jni<NativePointer>(env, fixed, type, ["pointer", "pointer", "pointer"], cls, methodId, values(args));
  return takeException(env).isNull() ? result : null;
}

const JVALUE = 8;

function values(args: (NativePointer | number)[]): NativePointer {
  if (args.length === 0) {
    return NULL;
  }
  const block = Memory.alloc(JVALUE * args.length);
  args.forEach((arg, i) => {
    const at = block.add(JVALUE * i);
    if (typeof arg === "number") {
      at.writeS32(arg);
    } else {
      at.writePointer(arg);
    }
  });
  return block;
}

/** The id of a method. Throws JavaError when there is none. */
export function methodId(
  env: Env, cls: NativePointer, name: string, signature: string, isStatic = false,
): NativePointer {
  const id = jni<NativePointer>(
    env, isStatic ? 113 : 33, "pointer", ["pointer", "pointer", "pointer"],
    cls, Memory.allocUtf8String(name), Memory.allocUtf8String(signature));
  if (id.isNull()) {
    takeException(env);
    throw new JavaError(`no method ${name}${signature}`);
  }
  return id;
}

/** The value of an object's int field. */
export function intField(env: Env, object: NativePointer, name: string): number {
  return jni(env, 100, "int", ["pointer", "pointer"], object, fieldId(env, object, name, "I"));
}

/** The value of an object's object field, as a local reference. */
export function objectField(env: Env, object: NativePointer, name: string, signature: string): NativePointer {
  return jni(env, 95, "pointer", ["pointer", "pointer"], object, fieldId(env, object, name, signature));
}

function fieldId(env: Env, object: NativePointer, name: string, signature: string): NativePointer {
  const id = jni<NativePointer>(
    env, 94, "pointer", ["pointer", "pointer", "pointer"],
    classOf(env, object), Memory.allocUtf8String(name), Memory.allocUtf8String(signature));
  if (id.isNull()) {
    takeException(env);
    throw new JavaError(`no field ${name}`);
  }
  return id;
}

/** The reflected java.lang.reflect.Method or Constructor behind a method id. */
export function reflected(env: Env, cls: NativePointer, id: NativePointer, isStatic: boolean): NativePointer {
  return jni(env, 9, "pointer", ["pointer", "pointer", "uint8"], cls, id, isStatic ? 1 : 0);
}

/** The method id behind a java.lang.reflect.Method. */
export function fromReflected(env: Env, method: NativePointer): NativePointer {
  return jni(env, 7, "pointer", ["pointer"], method);
}

/** Define a class in a JVM from its class file, with a loader. Throws JavaError when it is refused; ART refuses all. */
export function defineClass(env: Env, name: string, loader: NativePointer, code: NativePointer, size: number): NativePointer {
  const cls = jni<NativePointer>(
    env, 5, "pointer", ["pointer", "pointer", "pointer", "int"], Memory.allocUtf8String(name), loader, code, size);
  orThrow(env);
  return cls;
}

/** A java.nio.ByteBuffer over memory, which must stay allocated. */
export function byteBuffer(env: Env, code: NativePointer, size: number): NativePointer {
  return jni(env, 229, "pointer", ["pointer", "int64"], code, size);
}

/** An array with one object. */
export function arrayOf(env: Env, cls: NativePointer, object: NativePointer): NativePointer {
  return jni(env, 172, "pointer", ["int", "pointer", "pointer"], 1, cls, object);
}

export function findClass(env: Env, name: string): NativePointer {
  return jni(env, 6, "pointer", ["pointer"], Memory.allocUtf8String(name.replace(/\./g, "/")));
}
