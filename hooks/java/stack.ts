// Where a call came from, cheaply: one string of all frames, taken apart only when the line is really written.

import { micros } from "../out/clock.js";
import { tryEnv, type Overload } from "./bridge.js";
import { Method } from "./classes.js";
import type { Call } from "./engine.js";
import { inFrame, takeException, text, throwAgain, type Env } from "./jni.js";

export { isPlatform } from "./owners.js";

const newThrowable = new Method("java.lang.Throwable", "<init>", "()V");
const getStackTrace = new Method("java.lang.Throwable", "getStackTrace", "()[Ljava/lang/StackTraceElement;");
const allToString = new Method("java.util.Arrays", "toString", "([Ljava/lang/Object;)Ljava/lang/String;", true);
const currentThread = new Method("java.lang.Thread", "currentThread", "()Ljava/lang/Thread;", true);
const threadName = new Method("java.lang.Thread", "getName", "()Ljava/lang/String;");

const MOST_FRAMES = 128;

/** All frames of the calling thread in one string, innermost first. */
export function capture(env: Env): string {
  return inFrame(env, () => {
    const trace = getStackTrace.object(env, newThrowable.create(env));
    return text(env, allToString.object(env, null, trace)) ?? "";
  });
}

/** Where a native call came from: the Java frames and the name of the thread, as far as Java knows it. */
export interface Where {
  stack: string[];
  thread: string | null;
}

/** Where the calling thread is, asked below Java: what it was about to throw is left as it is. */
export function here(): Where {
  try {
    const env = tryEnv();
    if (env === null) {
      return { stack: [], thread: null };
    }
    const pending = takeException(env);
    try {
      return { stack: frames(capture(env), null), thread: threadNameOf(env) };
    } finally {
      if (!pending.isNull()) {
        throwAgain(env, pending);
      }
    }
  } catch {
    return { stack: [], thread: null };
  }
}

/** The same code asks again and again: what was taken apart once is kept for a while. */
const known = new Map<string, string[]>();
const MOST_KNOWN = 500;

/** Frames of a captured stack as the contract writes them. `own`: `Class.method` of the hook, which is no caller. */
export function frames(captured: string, own: string | null): string[] {
  const key = `${own ?? ""}\n${captured}`;
  let result = known.get(key);
  if (result === undefined) {
    if (known.size >= MOST_KNOWN) {
      known.clear();
    }
    result = takeApart(captured, own);
    known.set(key, result);
  }
  return result;
}

function takeApart(captured: string, own: string | null): string[] {
  const all = captured.slice(1, -1).split(", ").slice(0, MOST_FRAMES).map(normal).filter(isTheApps);
  let first = 0;
  while (own !== null && all[first]?.startsWith(`${own}(`) === true) {
    first++;
  }
  return all.slice(first);
}

const owns = new WeakMap<Overload, string>();

/** `Class.method` of a call as it stands in its own stack frame. */
export function ownFrame(call: Call): string {
  let own = owns.get(call.overload);
  if (own === undefined) {
    own = `${call.overload.holder.$n.replace(/#\d+$/, "")}.${call.method}`;
    owns.set(call.overload, own);
  }
  return own;
}

/**
 * A wrapped method stands on the stack twice: as itself and as the native method that we made of it, which is further in
 * on a JVM and further out on ART.
 */
function isTheApps(frame: string, index: number, all: string[]): boolean {
  const method = frame.slice(0, frame.indexOf("("));
  const again = (other: string | undefined): boolean => other?.startsWith(`${method}(`) === true && !isNative(other);
  return frame !== "" && !(isNative(frame) && (again(all[index + 1]) || again(all[index - 1])));
}

function isNative(frame: string): boolean {
  return frame.endsWith("(Native Method)");
}

/** Without loader and module (`app//`, `java.base@17.0.1/`), and without the address of a hidden class. */
function normal(frame: string): string {
  const plain = frame.trim().replace(/\/0x[0-9a-f]+(?=\.)/, "");
  const bracket = plain.indexOf("(");
  return plain.slice(plain.lastIndexOf("/", bracket) + 1);
}

const names = new Map<number, { name: string | null; until: number }>();
const NAME_US = 500_000;

/** Name of the calling thread; asked of Java twice a second at most. */
export function threadNameOf(env: Env): string | null {
  const id = Process.getCurrentThreadId();
  const now = micros();
  let named = names.get(id);
  if (named === undefined || named.until < now) {
    const name = inFrame(env, () => text(env, threadName.object(env, currentThread.object(env, null))));
    named = { name, until: now + NAME_US };
    names.set(id, named);
  }
  return named.name;
}
