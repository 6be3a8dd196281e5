// How a value is read out of a call: where it is, which getters lead to it, and how it becomes text.

import type { Env, Raw } from "./bridge.js";
import { Method, className, loadClass } from "./classes.js";
import type { Call } from "./engine.js";
import type { Value } from "./event.js";
import {
  JavaError, arrayElement, arrayLength, classOf, fromReflected, globalRef, inFrame, invoke, isInstance, isSame,
  newString, text, type Shorty,
} from "./jni.js";
import type { ValueSpec } from "./plan.js";

const MOST_ELEMENTS = 1000;

const valueOf = new Method("java.lang.String", "valueOf", "(Ljava/lang/Object;)Ljava/lang/String;", true);
const toArray = new Method("java.util.Collection", "toArray", "()[Ljava/lang/Object;");

/** The values that a call gave, or null when `only` says that it was not about personal data at all. */
export function readValues(call: Call, specs: ValueSpec[]): Value[] | null {
  const values: Value[] = [];
  let concerned = false;
  for (const spec of specs) {
    const read = readOne(call, spec);
    concerned ||= read !== null;
    values.push(...(read ?? []));
  }
  return concerned || specs.length === 0 ? values : null;
}

function readOne(call: Call, spec: ValueSpec): Value[] | null {
  const raw = spec.from === "return" ? call.result : spec.from === "this" ? (call.self ?? NULL) : call.args[spec.from];
  const type = spec.from === "return" ? call.overload.returnType : call.overload.argumentTypes[Number(spec.from)];
  if (!(raw instanceof NativePointer)) {
    return raw === undefined || spec.only !== null ? null : [{ type: spec.type, text: plain(raw, type?.className) }];
  }
  const { env } = call;
  if (raw.isNull()) {
    return spec.only === null ? [] : null;
  }
  if (spec.only !== null) {
    const cls = loadClass(env, spec.only);
    if (cls === null || !isInstance(env, raw, cls)) {
      return null;
    }
  }
  if (type?.className === "java.lang.String" && spec.get.length === 0 && spec.as === "text") {
    // The most usual case, and the cheapest.
    const value = text(env, raw);
    return value === null || value === "" ? [] : [{ type: spec.type, text: value }];
  }
  const found: string[] = [];
  inFrame(env, () => {
    collect(env, raw, spec.get, spec.as, found);
  });
  return found.map((value) => ({ type: spec.type, text: value }));
}

/** Follow the getters; lists and arrays are opened wherever they come. */
function collect(env: Env, object: NativePointer, getters: string[], as: ValueSpec["as"], into: string[]): void {
  if (object.isNull() || into.length >= MOST_ELEMENTS) {
    return;
  }
  const elements = elementsOf(env, object);
  if (elements !== null) {
    const n = Math.min(arrayLength(env, elements), MOST_ELEMENTS);
    for (let i = 0; i !== n; i++) {
      inFrame(env, () => {
        collect(env, arrayElement(env, elements, i), getters, as, into);
      });
    }
    return;
  }
  const [next, ...rest] = getters;
  if (next !== undefined) {
    const got = next.startsWith(".") ? field(env, object, next.slice(1)) : getter(env, object, next);
    if (got instanceof NativePointer) {
      collect(env, got, rest, as, into);
    } else {
      into.push(plain(got, undefined));
    }
    return;
  }
  const value = as === "location" ? location(env, object) : asText(env, object);
  if (value !== null && value !== "") {
    into.push(value);
  }
}

function asText(env: Env, object: NativePointer): string | null {
  return text(env, valueOf.object(env, null, object));
}

/** `lat,lon` in decimal degrees with all the digits that the API gave. */
function location(env: Env, object: NativePointer): string {
  const latitude = Number(getter(env, object, "getLatitude"));
  const longitude = Number(getter(env, object, "getLongitude"));
  return `${decimal(latitude)},${decimal(longitude)}`;
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

/** An argument as text: strings as they are, lists joined, other objects by their toString. */
export function argumentText(call: Call, index: number): string | null {
  const raw = call.args[index];
  if (raw instanceof NativePointer) {
    return raw.isNull() ? null : inFrame(call.env, () => joined(call.env, raw));
  }
  return raw === undefined ? null : plain(raw, call.overload.argumentTypes[index]?.className);
}

function joined(env: Env, object: NativePointer): string | null {
  const elements = elementsOf(env, object);
  if (elements === null) {
    return asText(env, object);
  }
  const n = Math.min(arrayLength(env, elements), MOST_ELEMENTS);
  return Array.from({ length: n }, (_, i) => String(asText(env, arrayElement(env, elements, i)))).join(", ");
}

/** The object as an Object[] when it is an array of objects or a collection, else null. */
function elementsOf(env: Env, object: NativePointer): NativePointer | null {
  const array = loadClass(env, "[Ljava.lang.Object;");
  if (array !== null && isInstance(env, object, array)) {
    return object;
  }
  const collection = loadClass(env, "java.util.Collection");
  return collection !== null && isInstance(env, object, collection) ? toArray.object(env, object) : null;
}

interface Getter {
  cls: NativePointer;
  id: NativePointer;
  returns: Shorty;
}

const getters = new Map<string, Getter[]>();
const getMethod = new Method(
  "java.lang.Class", "getMethod", "(Ljava/lang/String;[Ljava/lang/Class;)Ljava/lang/reflect/Method;");
const getReturnType = new Method("java.lang.reflect.Method", "getReturnType", "()Ljava/lang/Class;");
const PRIMITIVES: Record<string, Shorty> = {
  boolean: "Z", byte: "B", char: "C", short: "S", int: "I", long: "J", float: "F", double: "D", void: "V",
};

/** Call a public method without arguments, whatever class the object is of. Throws JavaError when there is none. */
export function getter(env: Env, object: NativePointer, name: string): NativePointer | number | Int64 {
  const cls = classOf(env, object);
  const known = getters.get(name) ?? [];
  let entry = known.find((candidate) => isSame(env, candidate.cls, cls));
  if (entry === undefined) {
    const method = getMethod.object(env, cls, newString(env, name), NULL);
    const type = className(env, getReturnType.object(env, method));
    entry = { cls: globalRef(env, cls), id: fromReflected(env, method), returns: PRIMITIVES[type] ?? "L" };
    getters.set(name, [...known, entry]);
  }
  return invoke(env, object, entry.id, entry.returns, false, []);
}

const getField = new Method("java.lang.Class", "getField", "(Ljava/lang/String;)Ljava/lang/reflect/Field;");
const getOfField = new Method(
  "java.lang.reflect.Field", "get", "(Ljava/lang/Object;)Ljava/lang/Object;");

/** A public field of an object. Throws JavaError when there is none. */
function field(env: Env, object: NativePointer, name: string): NativePointer {
  return getOfField.object(env, getField.object(env, classOf(env, object), newString(env, name)), object);
}

/** The same as `getter`, null instead of an exception. */
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
