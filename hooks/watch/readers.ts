// How a value is read from a call: where it is, which getters lead to it, and how it becomes text.

import type { Value } from "../event.js";
import { isStatic, overloadsOf, type Raw } from "../java/bridge.js";
import { Method, className, isA, loadClass, wrapperFor } from "../java/classes.js";
import type { Call } from "../java/engine.js";
import {
  JavaError, arrayElement, arrayLength, byteArray, classOf, eachOf, findClass, fromReflected, globalRef, inFrame, invoke,
  isInstance, isSame, newString, text, type Env, type Shorty,
} from "../java/jni.js";
import type { ValueSpec } from "../plan.js";

/** How many elements of a list go into one line; the rest are only counted. */
const MOST_ELEMENTS = 1000;

export const valueOf = new Method("java.lang.String", "valueOf", "(Ljava/lang/Object;)Ljava/lang/String;", true);
export const toArray = new Method("java.util.Collection", "toArray", "()[Ljava/lang/Object;");

/** What a call gave. */
export interface Read {
  values: Value[];
  /** the number of elements, if only that is recorded or if the values are cut; else null */
  elements: number | null;
  /** whether the values are only those of the first elements */
  cut: boolean;
}

export const NOTHING: Read = { values: [], elements: null, cut: false };

/** The values that a call gave, or null when `only` says that it did not concern personal data at all. */
export function readValues(call: Call, specs: ValueSpec[]): Read | null {
  const read: Read = { values: [], elements: null, cut: false };
  let concerned = false;
  for (const spec of specs) {
    concerned = readOne(call, spec, read) || concerned;
  }
  return concerned || specs.length === 0 ? read : null;
}

function readOne(call: Call, spec: ValueSpec, into: Read): boolean {
  const raw = spec.from === "return" ? call.result : spec.from === "this" ? (call.self ?? NULL) : call.args[spec.from];
  const type = spec.from === "return" ? call.overload.returnType : call.overload.argumentTypes[Number(spec.from)];
  if (!(raw instanceof NativePointer)) {
    if (raw === undefined || spec.only !== null) {
      return false;
    }
    into.values.push({ type: spec.type, text: plain(raw, type?.className) });
    return true;
  }
  const { env } = call;
  if (raw.isNull()) {
    return spec.only === null;
  }
  if (spec.only !== null) {
    const cls = loadClass(env, spec.only);
    if (cls === null || !isInstance(env, raw, cls)) {
      return false;
    }
  }
  if (type?.className === "java.lang.String" && spec.get.length === 0 && spec.as === "text") {
    // The most common case, and the cheapest.
    const value = text(env, raw);
    if (value !== null && value !== "") {
      into.values.push({ type: spec.type, text: value });
    }
    return true;
  }
  const found: string[] = [];
  inFrame(env, () => {
    collect(env, raw, spec.get, spec.as, found, into);
  });
  into.values.push(...found.map((value) => ({ type: spec.type, text: value })));
  return true;
}

/** Follow the getters; lists, arrays, maps and bundles are opened wherever they occur. */
function collect(
  env: Env, object: NativePointer, getters: string[], as: ValueSpec["as"], found: string[], into: Read,
): void {
  if (object.isNull()) {
    return;
  }
  const [next, ...rest] = getters;
  if (next === undefined && as === "count") {
    into.elements = (into.elements ?? 0) + sizeOf(env, object);
    return;
  }
  const elements = elementsOf(env, object);
  if (elements !== null) {
    for (let i = 0; i !== elements.length; i++) {
      if (found.length >= MOST_ELEMENTS) {
        into.elements ??= elements.length;
        into.cut = true;
        return;
      }
      inFrame(env, () => {
        collect(env, arrayElement(env, elements.array, i), getters, as, found, into);
      });
    }
    return;
  }
  if (next !== undefined) {
    const got = next.startsWith(".") ? { raw: field(env, object, next.slice(1)) } : called(env, object, next, true);
    if (got.raw instanceof NativePointer) {
      collect(env, got.raw, rest, as, found, into);
    } else {
      found.push(plain(got.raw, got.type));
    }
    return;
  }
  const value = FORMS[as](env, object);
  if (value !== null && value !== "") {
    found.push(value);
  }
}

const FORMS: Record<ValueSpec["as"], (env: Env, object: NativePointer) => string | null> = {
  text: (env, object) => (isA(env, object, "[B") ? utf8(byteArray(env, object)) : asText(env, object)),
  location,
  hex: (env, object) => octets(env, object).join(""),
  mac: (env, object) => octets(env, object).join(":"),
  count: () => null,
};

/** The bytes of a byte[], as two hex digits each. */
function octets(env: Env, array: NativePointer): string[] {
  if (!isA(env, array, "[B")) {
    throw new Error(`${className(env, classOf(env, array))} is no byte[]`);
  }
  return [...new Uint8Array(byteArray(env, array))].map((byte) => byte.toString(16).padStart(2, "0"));
}

function asText(env: Env, object: NativePointer): string | null {
  return text(env, valueOf.object(env, null, object));
}

/**
 * `lat,lon` in decimal degrees with all the digits that the API gave, from a Location or a LatLng, which has fields.
 */
function location(env: Env, object: NativePointer): string {
  const degrees = (name: string): string => {
    const got = tryGetter(env, object, `get${name}`);
    return decimal(Number(got ?? asText(env, field(env, object, name.toLowerCase()))));
  };
  return `${degrees("Latitude")},${degrees("Longitude")}`;
}

/** The text in bytes if they are text (a blob may hold anything), else null. */
export function utf8(bytes: ArrayBuffer): string | null {
  const view = new Uint8Array(bytes);
  const length = view[view.length - 1] === 0 ? view.length - 1 : view.length;
  if (length === 0 || length > 4096) {
    return null;
  }
  try {
    const copy = Memory.alloc(length + 1);
    copy.writeByteArray(bytes);
    return copy.readUtf8String(length);
  } catch {
    return null;
  }
}

/** A number as decimal digits, never with an exponent. */
export function decimal(value: number): string {
  const short = String(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(short);
  if (parts === null) {
    return short;
  }
  const [, sign = "", first = "", more = "", exponent = ""] = parts;
  return `${sign}0.${"0".repeat(Number(exponent) - 1)}${first}${more}`;
}

/** A primitive as Java would print it. */
function plain(raw: Raw, type: string | undefined): string {
  if (type === "boolean") {
    return raw === 0 ? "false" : "true";
  }
  if (type === "char") {
    return String.fromCharCode(Number(raw));
  }
  return typeof raw === "number" ? decimal(raw) : String(raw);
}

/** An argument as text: strings as they are, lists joined, other objects through their toString. */
export function argumentText(call: Call, index: number): string | null {
  const raw = call.args[index];
  if (raw instanceof NativePointer) {
    return raw.isNull() ? null : inFrame(call.env, () => joined(call.env, raw));
  }
  return raw === undefined ? null : plain(raw, call.overload.argumentTypes[index]?.className);
}

/** The same for an argument or the object, or for what its getters return; null when there is nothing. */
export function askedText(call: Call, argument: number | "this", getters: string[]): string | null {
  if (argument !== "this" && getters.length === 0) {
    return argumentText(call, argument);
  }
  const raw = argument === "this" ? call.self : call.args[argument];
  if (!(raw instanceof NativePointer)) {
    return null;
  }
  const found: string[] = [];
  inFrame(call.env, () => {
    collect(call.env, raw, getters, "text", found, { ...NOTHING });
  });
  return found.length === 0 ? null : found.join(", ");
}

function joined(env: Env, object: NativePointer): string | null {
  const elements = elementsOf(env, object);
  if (elements === null) {
    return asText(env, object);
  }
  return eachOf(env, elements.array, (element) => String(asText(env, element)), MOST_ELEMENTS).join(", ");
}

const mapValues = new Method("java.util.Map", "values", "()Ljava/util/Collection;");
export const keySet = new Method("android.os.BaseBundle", "keySet", "()Ljava/util/Set;");
export const ofBundle = new Method("android.os.BaseBundle", "get", "(Ljava/lang/String;)Ljava/lang/Object;");

/** Objects in an Object[]; for an array of numbers, only as many as are recorded. */
interface Elements {
  array: NativePointer;
  length: number;
}

/**
 * What is in an array (except of bytes: they are one value), a collection, a map or a bundle; null for anything else.
 */
function elementsOf(env: Env, object: NativePointer): Elements | null {
  if (PRIMITIVE_ARRAYS.some((name) => isA(env, object, name))) {
    return { array: boxed(env, object), length: arrayLength(env, object) };
  }
  const array = objectsOf(env, object);
  return array === null ? null : { array, length: arrayLength(env, array) };
}

function objectsOf(env: Env, object: NativePointer): NativePointer | null {
  if (isA(env, object, "[Ljava.lang.Object;")) {
    return object;
  }
  if (isA(env, object, "java.util.Collection")) {
    return toArray.object(env, object);
  }
  if (isA(env, object, "java.util.Map")) {
    return toArray.object(env, mapValues.object(env, object));
  }
  if (isA(env, object, "android.os.BaseBundle")) {
    const keys = toArray.object(env, keySet.object(env, object));
    const values = newArray.object(env, null, findClass(env, "java.lang.Object"), arrayLength(env, keys));
    let at = 0;
    eachOf(env, keys, (key) => arraySet.call(env, null, values, at++, ofBundle.object(env, object, key)));
    return values;
  }
  return null;
}

const PRIMITIVE_ARRAYS = ["[I", "[J", "[F", "[D", "[S", "[Z", "[C"];
export const newArray = new Method(
  "java.lang.reflect.Array", "newInstance", "(Ljava/lang/Class;I)Ljava/lang/Object;", true);
const arrayGet = new Method("java.lang.reflect.Array", "get", "(Ljava/lang/Object;I)Ljava/lang/Object;", true);
const arraySet = new Method(
  "java.lang.reflect.Array", "set", "(Ljava/lang/Object;ILjava/lang/Object;)V", true);

function boxed(env: Env, array: NativePointer): NativePointer {
  const shown = Math.min(arrayLength(env, array), MOST_ELEMENTS);
  const boxes = newArray.object(env, null, findClass(env, "java.lang.Object"), shown);
  for (let i = 0; i !== shown; i++) {
    inFrame(env, () => arraySet.call(env, null, boxes, i, arrayGet.object(env, null, array, i)));
  }
  return boxes;
}

/** The number of elements of an array, a collection, a map or whatever has a `size`; 1 for anything else. */
function sizeOf(env: Env, object: NativePointer): number {
  if (className(env, classOf(env, object)).startsWith("[")) {
    return arrayLength(env, object);
  }
  const size = tryGetter(env, object, "size");
  return typeof size === "number" ? size : 1;
}

interface Getter {
  cls: NativePointer;
  id: NativePointer;
  returns: Shorty;
  type: string;
}

const getters = new Map<string, Getter[]>();
const getMethod = new Method(
  "java.lang.Class", "getMethod", "(Ljava/lang/String;[Ljava/lang/Class;)Ljava/lang/reflect/Method;");
const getReturnType = new Method("java.lang.reflect.Method", "getReturnType", "()Ljava/lang/Class;");
const PRIMITIVES: Record<string, Shorty> = {
  boolean: "Z", byte: "B", char: "C", short: "S", int: "I", long: "J", float: "F", double: "D", void: "V",
};

/** Call a public method without arguments on an object of any class. Throws JavaError when there is none. */
export function getter(env: Env, object: NativePointer, name: string): NativePointer | number | Int64 {
  return called(env, object, name).raw;
}

interface Got {
  raw: NativePointer | number | Int64;
  /** name of a primitive type */
  type?: string;
}

/** A method's id, and the name of its return type. */
interface Found {
  id: NativePointer;
  type: string;
}

function publicly(env: Env, cls: NativePointer, name: string): Found {
  const method = getMethod.object(env, cls, newString(env, name), NULL);
  return { id: fromReflected(env, method), type: className(env, getReturnType.object(env, method)) };
}

/** If reflection refuses, use the bridge's model of the class, which ignores access rules. */
function publicOrNot(env: Env, cls: NativePointer, name: string): Found {
  try {
    return publicly(env, cls, name);
  } catch (error) {
    const wrapper = wrapperFor(env, className(env, cls), globalRef(env, cls));
    const found = overloadsOf(wrapper, name).find((each) => each.argumentTypes.length === 0 && !isStatic(each));
    if (found === undefined) {
      throw error;
    }
    return { id: found.handle, type: found.returnType.className };
  }
}

/** `hidden`: also a method that is not public, or that Android hides from the app, in whose frame we may be. */
function called(env: Env, object: NativePointer, name: string, hidden = false): Got {
  const cls = classOf(env, object);
  const known = getters.get(name) ?? [];
  let entry = known.find((candidate) => isSame(env, candidate.cls, cls));
  if (entry === undefined) {
    const { id, type } = hidden ? publicOrNot(env, cls, name) : publicly(env, cls, name);
    entry = { cls: globalRef(env, cls), id, returns: PRIMITIVES[type] ?? "L", type };
    getters.set(name, [...known, entry]);
  }
  return { raw: invoke(env, object, entry.id, entry.returns, false, []), type: entry.type };
}

const getField = new Method("java.lang.Class", "getField", "(Ljava/lang/String;)Ljava/lang/reflect/Field;");
const getOfField = new Method(
  "java.lang.reflect.Field", "get", "(Ljava/lang/Object;)Ljava/lang/Object;");

/** A public field of an object. Throws JavaError when there is none. */
function field(env: Env, object: NativePointer, name: string): NativePointer {
  return getOfField.object(env, getField.object(env, classOf(env, object), newString(env, name)), object);
}

/**
 * The value of a public static field of a class; runs the class's static initialiser. Throws JavaError when there is
 * none.
 */
export function staticField(env: Env, cls: NativePointer, name: string): NativePointer {
  return getOfField.object(env, getField.object(env, cls, newString(env, name)), NULL);
}

/** The same as `getter`, with null instead of an exception. */
export function tryGetter(env: Env, object: NativePointer, name: string): NativePointer | number | Int64 | null {
  try {
    return getter(env, object, name);
  } catch (error) {
    if (error instanceof JavaError) {
      return null;
    }
    throw error;
  }
}
