// Reads the stack that ART stores in a Throwable: methods and their positions, as numbers, without converting all
// frames to text each time. The layout is checked once, on a stack of our own; if it is unknown, nothing is read.

import { Method } from "./classes.js";
import { JavaError, arrayElement, arrayLength, classOf, findClass, globalRef, deleteGlobal, inFrame, isSame, methodId, takeException, text, type Env } from "./jni.js";
import { meet } from "./owners.js";

const THROWABLE = "java.lang.Throwable";
const fill = new Method(THROWABLE, "nativeFillInStackTrace", "()Ljava/lang/Object;", true);
const elementsOf = new Method(THROWABLE, "nativeGetStackTrace", "(Ljava/lang/Object;)[Ljava/lang/StackTraceElement;", true);
const toText = new Method("java.lang.StackTraceElement", "toString", "()Ljava/lang/String;");
const className = new Method("java.lang.Class", "getName", "()Ljava/lang/String;");
const loaderOf = new Method("java.lang.Class", "getClassLoader", "()Ljava/lang/ClassLoader;");

/**
 * The class, as a global reference, and its static method with which C walks the stack; null when they cannot be used.
 */
export function artStacks(env: Env): { cls: NativePointer; method: NativePointer } | null {
  try {
    return inFrame(env, () => {
      const trace = fill.object(env, null);
      const numbers = arrayElement(env, trace, 0);
      const kind = text(env, className.object(env, classOf(env, numbers)));
      const elements = elementsOf.object(env, null, trace);
      if (kind !== (Process.pointerSize === 8 ? "[J" : "[I") || arrayLength(env, numbers) !== 2 * arrayLength(env, elements)) {
        return null;
      }
      const local = findClass(env, THROWABLE);
      return { cls: globalRef(env, local), method: methodId(env, local, "nativeFillInStackTrace", "()Ljava/lang/Object;", true) };
    });
  } catch (error) {
    if (error instanceof JavaError) {
      takeException(env);
      return null;
    }
    throw error;
  }
}

/** `method:place` -> text of the frame */
const known = new Map<string, string>();
const MOST_KNOWN = 10_000;

/**
 * Loaders of the classes whose methods are known by address: as long as a loader lives, its methods' addresses are not
 * reused. Global references; when there are too many, everything is forgotten.
 */
let kept: NativePointer[] = [];
const MOST_KEPT = 64;

/** How often everything was forgotten. */
let forgotten = 0;

/** A number that changes whenever an address may have come to mean something else. */
export function generation(): number {
  return forgotten;
}

/** The frames of the calling thread as text, innermost first; `keys`: what `walkedFrames` gave for the same stack. */
export function frameTexts(env: Env, keys: string[]): string[] {
  // Copied before learning: other threads may clear `known` meanwhile.
  const texts = new Map(keys.map((key) => [key, known.get(key)]));
  if (keys.some((key) => texts.get(key) === undefined)) {
    inFrame(env, () => { learn(env, keys, texts); });
  }
  return keys.map((key) => texts.get(key) ?? "");
}

function learn(env: Env, keys: string[], texts: Map<string, string | undefined>): void {
  if (known.size > MOST_KNOWN || kept.length > MOST_KEPT) {
    known.clear();
    kept.forEach((loader) => { deleteGlobal(env, loader); });
    kept = [];
    forgotten += 1;
  }
  const trace = fill.object(env, null);
  const elements = elementsOf.object(env, null, trace);
  if (arrayLength(env, elements) < keys.length) {
    throw new JavaError("the stack has changed while it was read");
  }
  keys.forEach((key, i) => {
    if (texts.get(key) === undefined) {
      inFrame(env, () => {
        // Element 0 holds the numbers, the others the class of each frame.
        const loader = loaderOf.object(env, arrayElement(env, trace, i + 1));
        const frame = text(env, toText.object(env, arrayElement(env, elements, i))) ?? "";
        keep(env, loader);
        meet(env, frame, loader);
        known.set(key, frame);
        texts.set(key, frame);
      });
    }
  });
}

function keep(env: Env, loader: NativePointer): void {
  if (!loader.isNull() && !kept.some((other) => isSame(env, other, loader))) {
    kept.push(globalRef(env, loader));
  }
}
