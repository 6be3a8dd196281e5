// Ways out of the app other than a connection: messages, intents to other apps, Bluetooth, NFC. Each is an upload.

import type { Raw } from "../java/bridge.js";
import { Method, isA, loadClass } from "../java/classes.js";
import type { Call } from "../java/engine.js";
import { on } from "../java/installing.js";
import { arrayElement, arrayLength, byteArray, eachOf, inFrame, text, type Env } from "../java/jni.js";
import { capture, frames } from "../java/stack.js";
import { appName, emit, gap, sendBody, settle } from "../out/emit.js";
import type { ExitSpec } from "../plan.js";
import { askedText, getter, keySet, newArray, ofBundle, toArray, tryGetter } from "./readers.js";
import { joined } from "./transforms.js";

/** Most bytes of one message that are kept; a gap reports a longer one. */
const MOST_BYTES = 1024 * 1024;

export function watchExits(env: Env, exits: ExitSpec[]): void {
  for (const spec of exits) {
    for (const method of spec.methods) {
      // Hooked as an API: what it calls inside itself is the same exit.
      on(env, spec.cls, method, { before: (call) => { leaves(call, spec, `${spec.cls}.${method}`); } }, "api");
    }
  }
}

function leaves(call: Call, spec: ExitSpec, own: string): void {
  const gone = inFrame(call.env, () => (spec.intent === null ? message(call, spec) : intent(call, spec.intent)));
  if (gone === null) {
    return;
  }
  settle();
  const size = gone.bytes.byteLength;
  const kept = gone.bytes.slice(0, MOST_BYTES);
  emit(call.begun, {
    kind: "upload",
    via: spec.via,
    url: gone.url,
    host: gone.host,
    headers: [],
    body: size === 0 ? null : sendBody(kept),
    size,
    type: gone.type,
    truncated: size > MOST_BYTES,
    stack: frames(capture(call.env), own),
  });
  if (size > MOST_BYTES) {
    gap(own, "body_truncated", `${size} bytes; ${MOST_BYTES} are kept`, call.begun);
  }
}

interface Gone {
  url: string;
  host: string | null;
  type: string | null;
  bytes: ArrayBuffer;
}

function message(call: Call, spec: ExitSpec): Gone | null {
  const parts = spec.holds.map((index) => bytesOf(call.env, call.args[index], spec.getters)).filter((bytes) => bytes !== null);
  const bytes = joined(parts.slice(0, 1));
  const to = spec.to === null ? null : askedText(call, spec.to, spec.get);
  return parts.length === 0 ? null : { url: `${spec.via}:${to ?? ""}`, host: null, type: null, bytes };
}

/**
 * A text as UTF-8, bytes as they are, the elements of a list joined, an object through its getters; null for any other.
 */
function bytesOf(env: Env, raw: Raw, getters: string[]): ArrayBuffer | null {
  if (!(raw instanceof NativePointer) || raw.isNull()) {
    return null;
  }
  if (isA(env, raw, "[B")) {
    return byteArray(env, raw);
  }
  if (isA(env, raw, "java.lang.CharSequence")) {
    return utf8(text(env, getter(env, raw, "toString") as NativePointer) ?? "");
  }
  if (isA(env, raw, "java.util.Collection")) {
    const all = getter(env, raw, "toArray") as NativePointer;
    const parts = eachOf(env, all, (element) => bytesOf(env, element, getters));
    return joined(parts.filter((part) => part !== null));
  }
  for (const name of getters) {
    const got = tryGetter(env, raw, name);
    const bytes = got instanceof NativePointer ? bytesOf(env, got, []) : null;
    if (bytes !== null) {
      return bytes;
    }
  }
  return null;
}

/** UTF-8 bytes of a text; lone surrogates have already been replaced in it. */
function utf8(value: string): ArrayBuffer {
  if (value === "") {
    return new ArrayBuffer(0);
  }
  const memory = Memory.allocUtf8String(value);
  let size = 0;
  for (const letter of value) {
    const code = letter.codePointAt(0) ?? 0;
    size += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return memory.readByteArray(size) ?? new ArrayBuffer(0);
}

const deepToString = new Method(
  "java.util.Arrays", "deepToString", "([Ljava/lang/Object;)Ljava/lang/String;", true);
const setElement = new Method("java.lang.reflect.Array", "set", "(Ljava/lang/Object;ILjava/lang/Object;)V", true);

/** An intent to another app, or to any app that wants it, as JSON; null for one that stays here or carries nothing. */
function intent(call: Call, index: number): Gone | null {
  const { env } = call;
  const sent = call.args[index];
  if (!(sent instanceof NativePointer) || sent.isNull() || !isA(env, sent, "android.content.Intent")) {
    return null;
  }
  const component = tryGetter(env, sent, "getComponent");
  const target = (component instanceof NativePointer && !component.isNull() ? said(env, component, "getPackageName") : null)
    ?? said(env, sent, "getPackage");
  if (target !== null && target === appName()) {
    return null;
  }
  const action = said(env, sent, "getAction");
  const data = said(env, sent, "getDataString");
  const extras = extrasOf(env, sent);
  if (data === null && Object.keys(extras).length === 0) {
    return null;
  }
  const content = JSON.stringify({ action, data, extras });
  return { url: `intent:${target ?? action ?? ""}`, host: null, type: "application/json", bytes: utf8(content) };
}

function said(env: Env, object: NativePointer, name: string): string | null {
  const got = tryGetter(env, object, name);
  return got instanceof NativePointer && !got.isNull() ? text(env, got) : null;
}

function extrasOf(env: Env, sent: NativePointer): Record<string, string> {
  const extras: Record<string, string> = {};
  const bundle = tryGetter(env, sent, "getExtras");
  if (!(bundle instanceof NativePointer) || bundle.isNull()) {
    return extras;
  }
  const keys = toArray.object(env, keySet.object(env, bundle));
  const object = loadClass(env, "java.lang.Object");
  for (let i = 0; object !== null && i < arrayLength(env, keys); i++) {
    inFrame(env, () => {
      const key = arrayElement(env, keys, i);
      // Through an array of one element, so that arrays are written out, too.
      const box = newArray.object(env, null, object, 1);
      setElement.call(env, null, box, 0, ofBundle.object(env, bundle, key));
      extras[text(env, key) ?? ""] = (text(env, deepToString.object(env, null, box)) ?? "").slice(1, -1);
    });
  }
  return extras;
}
