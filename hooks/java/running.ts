// Names the methods that are running: one whose compiled code was abandoned stays in that code until it returns.

import { overloadsOf } from "./bridge.js";
import { Method, allToString, isBoot, wrappersOf } from "./classes.js";
import { eachOf, inFrame, text, type Env } from "./jni.js";

const allStacks = new Method("java.lang.Thread", "getAllStackTraces", "()Ljava/util/Map;", true);
const valuesOf = new Method("java.util.Map", "values", "()Ljava/util/Collection;");
const toArray = new Method("java.util.Collection", "toArray", "()[Ljava/lang/Object;");

/** `Class.method` of each method that is on the stack of a thread. */
export function running(env: Env): string[] {
  const stacks = inFrame(env, () =>
    eachOf(env, toArray.object(env, valuesOf.object(env, allStacks.object(env, null))), (stack) =>
      text(env, allToString.object(env, null, stack)) ?? "[]"));
  const methods = new Set(stacks.flatMap((stack) => stack.slice(1, -1).split(", ").map((frame) => frame.slice(0, frame.indexOf("(")))));
  methods.delete("");
  return [...methods];
}

/**
 * Whether `Class.method` is one of the methods `ids`; overloads are not told apart. If the app's main loader does not
 * know the class, or `ids` is null, every method of the app counts as one of them.
 */
export function isOneOf(env: Env, method: string, ids: Set<string> | null): boolean {
  const dot = method.lastIndexOf(".");
  const cls = method.slice(0, dot);
  const name = method.slice(dot + 1);
  const wrappers = wrappersOf(env, cls);
  if (ids === null || wrappers.length === 0) {
    return !isBoot(env, cls);
  }
  return wrappers.some((wrapper) => overloadsOf(wrapper, name === "<init>" ? "$init" : name).some(({ handle }) => ids.has(handle.toString())));
}
