// Captures where a call came from, cheaply: one string of all frames, parsed only when the line is really written.

import { MOST_FRAMES } from "../native/shared.js";
import { micros } from "../out/clock.js";
import { frameTexts, generation } from "./art_stack.js";
import { isArt, tryEnv, type Overload } from "./bridge.js";
import { Method, allToString } from "./classes.js";
import type { Call } from "./engine.js";
import { onStacks, walk, walkedFrames } from "./folding.js";
import { JavaError, inFrame, takeException, text, throwAgain, type Env } from "./jni.js";

const newThrowable = new Method("java.lang.Throwable", "<init>", "()V");
const getStackTrace = new Method("java.lang.Throwable", "getStackTrace", "()[Ljava/lang/StackTraceElement;");
const currentThread = new Method("java.lang.Thread", "currentThread", "()Ljava/lang/Thread;", true);
const threadName = new Method("java.lang.Thread", "getName", "()Ljava/lang/String;");

/** number of a stack -> its frames in one string, for recently seen stacks */
const captured = new Map<string, string>();
const MOST_CAPTURED = 2000;
let capturedIn = 0;

/** The end of the string for a stack with more than MOST_FRAMES frames: the outermost are left out. */
const CUT = ", ...]";

/**
 * The frames of the calling thread in one string, innermost first; empty when the thread has spent too much time on
 * stacks.
 */
export function capture(env: Env): string {
  const walked = walk(env);
  if (walked === "thinned") {
    return "";
  }
  if (walked === "no way") {
    return onStacks(() => capped(allFrames(env)));
  }
  if (capturedIn !== generation() || captured.size > MOST_CAPTURED) {
    capturedIn = generation();
    captured.clear();
  }
  let found = captured.get(walked.id);
  if (found === undefined) {
    found = onStacks(() => (isArt() ? framesOnArt(env) : capped(allFrames(env))));
    captured.set(walked.id, found);
  }
  return found;
}

/** Whether frames are missing from a captured stack, and why. */
export function cutOf(stack: string): "long" | "thinned" | null {
  return stack === "" ? "thinned" : stack.endsWith(CUT) ? "long" : null;
}

function allFrames(env: Env): string {
  return inFrame(env, () => {
    const trace = getStackTrace.object(env, newThrowable.create(env));
    return text(env, allToString.object(env, null, trace)) ?? "[]";
  });
}

function framesOnArt(env: Env): string {
  const { keys, total } = walkedFrames();
  try {
    return `[${frameTexts(env, keys).join(", ")}${total > keys.length ? CUT : "]"}`;
  } catch (error) {
    if (error instanceof JavaError) {
      return capped(allFrames(env));
    }
    throw error;
  }
}

function capped(stack: string): string {
  let end = -1;
  for (let n = 0; n !== MOST_FRAMES; n++) {
    end = stack.indexOf(", ", end + 1);
    if (end < 0) {
      return stack;
    }
  }
  return stack.slice(0, end) + CUT;
}

/** Where a native call came from: the Java frames and the thread's name, as far as Java knows them. */
export interface Where {
  stack: string[];
  thread: string | null;
}

/** Where the calling thread is, called from native code: an exception pending on the thread is preserved. */
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

/** Parsed stacks, cached: the same code makes its calls again and again. */
const known = new Map<string, string[]>();
const MOST_KNOWN = 500;

/**
 * Frames of a captured stack in the format of the contract. `own`: `Class.method` of the hook, which is not a caller.
 */
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
  const all = captured.slice(1, captured.endsWith(CUT) ? -CUT.length : -1).split(", ").map(normal).filter(isTheApps);
  let first = 0;
  while (own !== null && all[first]?.startsWith(`${own}(`) === true) {
    first++;
  }
  return all.slice(first);
}

const owns = new WeakMap<Overload, string>();

/** `Class.method` of a call, as in its own stack frame. */
export function ownFrame(call: Call): string {
  let own = owns.get(call.overload);
  if (own === undefined) {
    own = `${call.overload.holder.$n.replace(/#\d+$/, "")}.${call.method}`;
    owns.set(call.overload, own);
  }
  return own;
}

/**
 * A wrapped method is on the stack twice: as itself and, further out, as the native method that we made of it. On a JVM
 * both are shown as native. One of the two is kept, the one with a line number if there is one.
 */
function isTheApps(frame: string, index: number, all: string[]): boolean {
  const method = `${frame.slice(0, frame.indexOf("("))}(`;
  const inner = all[index - 1];
  const again = all[index + 1]?.startsWith(method) === true || (inner?.startsWith(method) === true && !inner.endsWith(NATIVE));
  return frame !== "" && !(frame.endsWith(NATIVE) && again);
}

const NATIVE = "(Native Method)";

/** A frame without loader and module (`app//`, `java.base@17.0.1/`), and without the address of a hidden class. */
function normal(frame: string): string {
  const plain = frame.trim().replace(/\/0x[0-9a-f]+(?=\.)/, "");
  const bracket = plain.indexOf("(");
  return plain.slice(plain.lastIndexOf("/", bracket) + 1);
}

const names = new Map<number, { name: string | null; until: number }>();
const NAME_US = 500_000;

/** Name of the calling thread; Java is asked at most twice a second. */
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
