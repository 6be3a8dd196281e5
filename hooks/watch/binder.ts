// Transactions that the app's own code makes with system services, past the framework's managers.

import type { Access, Value } from "../event.js";
import type { Raw } from "../java/bridge.js";
import { Method, loadClass } from "../java/classes.js";
import type { Call } from "../java/engine.js";
import { on } from "../java/installing.js";
import { JavaError, arrayElement, arrayLength, byteArray, inFrame, isInstance, text, type Env } from "../java/jni.js";
import { isPlatform } from "../java/owners.js";
import { capture, frames, threadNameOf } from "../java/stack.js";
import { Tracked } from "../java/tracked.js";
import { emitAccess } from "../out/emit.js";
import type { BinderSpec } from "../plan.js";
import { tryGetter } from "./readers.js";
import { answerIn } from "./reply.js";

/**
 * Bytes of the longest answer that is read. Its text is a value only when the answer is nothing else: only the
 * interface's own code knows what else it holds.
 */
const MOST_ANSWER = 64 * 1024;

/** An interface's generated code, and what calls it by reflection: it only passes the call on. */
const CARRIES = /^(android\.os\.(BinderProxy|Binder|IBinder)\.|java\.lang\.reflect\.|jdk\.internal\.reflect\.|sun\.reflect\.|.*\$Stub(\$Proxy)?\.)/;

export function watchBinder(env: Env, spec: BinderSpec): void {
  const cut = spec.source.lastIndexOf(".");
  // Hooked as an API: what a hooked API transacts inside itself is part of its access.
  on(env, spec.source.slice(0, cut), spec.source.slice(cut + 1), {
    after: (call) => { transacted(call, spec); },
    concerns: (own, binder) => spec.interfaces[interfaceOf(own, binder)] !== undefined,
  }, "api");
  // While a thread waits for an answer, other processes may call the app on it: what the app's code does there is not
  // part of the access.
  on(env, "android.os.Binder", "execTransact", {});
}

function transacted(call: Call, spec: BinderSpec): void {
  const { env, self } = call;
  const name = self === null ? "" : interfaceOf(env, self);
  const general = spec.interfaces[name];
  if (general === undefined) {
    return;
  }
  const captured = capture(env);
  const stack = frames(captured, spec.source);
  if (isPlatform(stack.find((frame) => !CARRIES.test(frame)) ?? "java.lang.Object")) {
    return;
  }
  const code = Number(call.args[0]);
  const target = `${name}.${nameOf(env, name, code) ?? String(code)}`;
  const data = spec.methods.find((named) => new RegExp(named.matches).test(target))?.data ?? general;
  const { outcome, values } = call.thrown.isNull() ? answered(env, call.args[2], data) : { outcome: thrown(call), values: [] };
  const key = [spec.source, data, target, outcome, JSON.stringify(values), captured].join("\n");
  emitAccess(call.begun, key, () => ({
    kind: "access", source: spec.source, target, data, values, outcome, args: { code }, stack, thread: threadNameOf(env),
  }));
}

function thrown(call: Call): Access["outcome"] {
  const security = loadClass(call.env, "java.lang.SecurityException");
  return security !== null && isInstance(call.env, call.thrown, security) ? "denied" : "threw";
}

/** A binder is asked for its interface only once, because the question is a transaction, too. */
const interfaces = new Tracked<string>();

function interfaceOf(env: Env, binder: NativePointer): string {
  let name = interfaces.get(env, binder);
  if (name === undefined) {
    name = inFrame(env, () => {
      const got = tryGetter(env, binder, "getInterfaceDescriptor");
      return got instanceof NativePointer ? (text(env, got) ?? "") : "";
    });
    interfaces.set(env, binder, name);
  }
  return name;
}

function answered(env: Env, parcel: Raw, data: string): { outcome: Access["outcome"]; values: Value[] } {
  if (!(parcel instanceof NativePointer) || parcel.isNull()) {
    return { outcome: "returned", values: [] };
  }
  const bytes = inFrame(env, () => {
    // A reply with files or other binders in it cannot be marshalled: it is not one text.
    const array = tryGetter(env, parcel, "marshall");
    return array instanceof NativePointer && !array.isNull() && arrayLength(env, array) <= MOST_ANSWER
      ? new DataView(byteArray(env, array)) : null;
  });
  const { outcome, text: given } = bytes === null ? { outcome: "returned" as const, text: null } : answerIn(bytes);
  return { outcome, values: given === null ? [] : [{ type: data, text: given }] };
}

// Names of transactions: their codes change between releases, and are fields of the class that answers them.

const names = new Map<string, Map<number, string>>();
const getDeclaredFields = new Method("java.lang.Class", "getDeclaredFields", "()[Ljava/lang/reflect/Field;");
const getFieldName = new Method("java.lang.reflect.Field", "getName", "()Ljava/lang/String;");
const setAccessible = new Method("java.lang.reflect.AccessibleObject", "setAccessible", "(Z)V");
const getInt = new Method("java.lang.reflect.Field", "getInt", "(Ljava/lang/Object;)I");
const PREFIX = "TRANSACTION_";

function nameOf(env: Env, name: string, code: number): string | undefined {
  let known = names.get(name);
  if (known === undefined) {
    known = codesOf(env, `${name}$Stub`);
    names.set(name, known);
  }
  return known.get(code);
}

function codesOf(env: Env, stub: string): Map<number, string> {
  const codes = new Map<number, string>();
  const cls = loadClass(env, stub);
  if (cls === null) {
    return codes;
  }
  try {
    inFrame(env, () => {
      const fields = getDeclaredFields.object(env, cls);
      for (let i = 0; i < arrayLength(env, fields); i++) {
        inFrame(env, () => {
          const field = arrayElement(env, fields, i);
          const name = text(env, getFieldName.object(env, field)) ?? "";
          if (name.startsWith(PREFIX)) {
            setAccessible.call(env, field, 1);
            codes.set(getInt.number(env, field, NULL), name.slice(PREFIX.length));
          }
        });
      }
    });
  } catch (error) {
    // A release that hides them from us: then the code itself is reported.
    if (!(error instanceof JavaError)) {
      throw error;
    }
  }
  return codes;
}
