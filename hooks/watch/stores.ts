// What the app stores about consent, in and before this run: the keys in its stores that the plan names.

import { Method } from "../java/classes.js";
import type { Call } from "../java/engine.js";
import { on } from "../java/installing.js";
import { arrayElement, arrayLength, inFrame, newString, text, type Env } from "../java/jni.js";
import { capture, frames } from "../java/stack.js";
import { Tracked } from "../java/tracked.js";
import { gap, tell } from "../out/emit.js";
import type { StoreSpec } from "../plan.js";
import { argumentText, getter, toArray, valueOf } from "./readers.js";

const MOST_KEYS = 2000;
/** A list of all of Google's providers has 4,000, a TCF string with many restrictions more. */
const MOST_CHARACTERS = 65_536;

let wanted: RegExp[] = [];

export function watchStores(env: Env, stores: StoreSpec[], keys: string[]): void {
  wanted = keys.map((key) => new RegExp(key, "i"));
  for (const { cls, methods } of stores) {
    for (const method of methods) {
      on(env, cls, method, { before: (call) => { written(call, `${cls}.${method}`); } });
    }
  }
  on(env, "android.app.ContextImpl", "getSharedPreferences", { after: opened });
}

/** key -> value reported last: an app that writes the same value again reports nothing new. */
const told = new Map<string, string>();

function say(call: Call, key: string, value: string, present: boolean, source: string | null): void {
  if (told.get(key) !== value) {
    told.set(key, value);
    if (value.length > MOST_CHARACTERS) {
      gap(key, "overflow", "the value is too long; only its beginning is kept", call.begun);
    }
    const stack = source === null ? [] : frames(capture(call.env), source);
    tell(call.begun, { fact: "preference", key, value: value.slice(0, MOST_CHARACTERS), present, stack });
  }
}

/** (key, value), in any editor. */
function written(call: Call, source: string): void {
  const key = argumentText(call, 0);
  const value = argumentText(call, 1);
  if (key !== null && value !== null && wanted.some((pattern) => pattern.test(key))) {
    say(call, key, value, false, source);
  }
}

const seen = new Tracked<true>();
const get = new Method("java.util.Map", "get", "(Ljava/lang/Object;)Ljava/lang/Object;");

/** When a store is first opened: report what it holds from an earlier run. */
function opened(call: Call): void {
  const { env, result } = call;
  if (!(result instanceof NativePointer) || result.isNull() || seen.get(env, result) === true) {
    return;
  }
  seen.set(env, result, true);
  inFrame(env, () => {
    const all = getter(env, result, "getAll") as NativePointer;
    const keys = toArray.object(env, getter(env, all, "keySet") as NativePointer);
    const size = arrayLength(env, keys);
    if (size > MOST_KEYS) {
      gap("android.app.ContextImpl.getSharedPreferences", "overflow", `a store of ${size} keys; ${MOST_KEYS} are read`, call.begun);
    }
    for (let i = 0; i < Math.min(size, MOST_KEYS); i++) {
      inFrame(env, () => {
        const key = text(env, arrayElement(env, keys, i));
        if (key !== null && wanted.some((pattern) => pattern.test(key))) {
          const value = text(env, valueOf.object(env, null, get.object(env, all, newString(env, key))));
          say(call, key, value ?? "", true, null);
        }
      });
    }
  });
}
