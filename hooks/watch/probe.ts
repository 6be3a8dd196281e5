// The agent's check of itself: in every process it hooks a class of its own in the way it hooks the app's, has it
// called as the app's classes are called, and reports how many of the calls it saw.

import { isArt } from "../java/bridge.js";
import { Method, askLoader, systemLoader, wrapperFor } from "../java/classes.js";
import { learnFrom } from "../java/copies.js";
import { watch } from "../java/engine.js";
import {
  JavaError, arrayOf, byteBuffer, construct, defineClass, findClass, globalRef, inFrame, invoke, methodId, newString, type Env,
} from "../java/jni.js";
import { micros } from "../out/clock.js";
import { wordsOf } from "../out/emit.js";
import { CLASSES, DEX } from "./probe_code.js";

const NAME = "appwitness.Probe";
/** The kind of each of its methods. */
const KINDS: Record<string, string> = {
  $init: "constructor", fixed: "static method", own: "instance method", given: "default method",
};
/** The class is called on first use, when ART may take hooks away, and once more. */
const ROUNDS = 2;

const ownLoader = new Method("dalvik.system.PathClassLoader", "<init>", "(Ljava/lang/String;Ljava/lang/ClassLoader;)V");
const loadClass = new Method(
  "dalvik.system.DexFile", "loadClass", "(Ljava/lang/String;Ljava/lang/ClassLoader;)Ljava/lang/Class;");

/** The result, as it is sent to the host. */
interface Told {
  hooked: number;
  called: number;
  seen: number;
  /** kinds of methods of which a call was missed */
  missed: string[];
  detail: string | null;
}

const seen = new Map<string, number>();
let cls: NativePointer | null = null;
let hooked = 0;
let failure: string | null = null;
let tookUs = 0;

/** Define the class, before class loaders are watched: its loader would be asked for the app's classes. */
export function defineProbe(env: Env): void {
  timed(() => {
    cls = inFrame(env, () => globalRef(env, isArt() ? onArt(env) : onJvm(env)));
    if (isArt()) {
      learnFrom({ id: methodId(env, cls, "run", "()I", true), declared: 4, direct: 3 });
    }
  });
}

/** Hook the class after others are hooked, so that the cost of a process's first hook is not counted as its own. */
export function hookProbe(env: Env): void {
  timed(() => {
    if (cls === null) {
      return;
    }
    const wrapper = wrapperFor(env, NAME, cls);
    for (const [method, kind] of Object.entries(KINDS)) {
      seen.set(method, 0);
      const done = watch(env, wrapper, method, null, "app", {
        subject: `the agent's own ${kind}`,
        after: () => { seen.set(method, (seen.get(method) ?? 0) + 1); },
      });
      hooked += Math.min(done.count, 1);
    }
  });
}

/** Call the class once its hooks are live, and tell the host. */
export function callProbe(env: Env): void {
  const kinds = Object.keys(KINDS).length;
  let called = 0;
  timed(() => {
    const own = cls;
    if (own === null) {
      return;
    }
    const run = methodId(env, own, "run", "()I", true);
    for (let round = 0; round < ROUNDS; round++) {
      const right = Number(invoke(env, own, run, "I", true, []));
      called += kinds;
      if (right !== kinds) {
        failure = `${kinds - right} of the calls did not get their own result`;
      }
    }
  });
  const told: Told = {
    hooked, called, seen: [...seen.values()].reduce((sum, count) => sum + count, 0),
    missed: [...seen].flatMap(([method, count]) => (count < ROUNDS ? [KINDS[method] ?? method] : [])), detail: failure,
  };
  send({ type: "probe", ...told, ms: Math.round(tookUs / 100) / 10 });
}

function timed(work: () => void): void {
  const begun = micros();
  try {
    work();
  } catch (error) {
    failure = wordsOf(error);
  }
  tookUs += micros() - begun;
}

const kept: NativePointer[] = [];

function memory(hex: string): NativePointer {
  const block = Memory.alloc(hex.length / 2);
  block.writeByteArray((hex.match(/../g) ?? []).map((byte) => parseInt(byte, 16)));
  kept.push(block);
  return block;
}

function onJvm(env: Env): NativePointer {
  const loader = systemLoader.object(env, null);
  return CLASSES.map(([name, code]) => {
    try {
      return defineClass(env, name, loader, memory(code), code.length / 2);
    } catch (error) {
      // An agent of an earlier run in this process defined it.
      const known = askLoader(env, name.replace(/\//g, "."), loader);
      if (known === null) {
        throw error;
      }
      return known;
    }
  }).at(-1) ?? NULL;
}

/**
 * From memory, but not through a class loader that reads memory: for such loaders, ART writes files of its own among
 * the app's files.
 */
function onArt(env: Env): NativePointer {
  const buffer = byteBuffer(env, memory(DEX), DEX.length / 2);
  const owner = findClass(env, "dalvik.system.DexFile");
  const loader = ownLoader.create(env, newString(env, ""), NULL);
  const file = dexFile(env, owner, buffer);
  const load = (name: string): NativePointer => loadClass.object(env, file, newString(env, name), loader);
  load("appwitness.Given");
  return load(NAME);
}

/** Android 10 and later take several buffers, 8 and 9 take one, and earlier releases none. */
function dexFile(env: Env, owner: NativePointer, buffer: NativePointer): NativePointer {
  const several = "([Ljava/nio/ByteBuffer;Ljava/lang/ClassLoader;[Ldalvik/system/DexPathList$Element;)V";
  try {
    const id = methodId(env, owner, "<init>", several);
    return construct(env, owner, id, [arrayOf(env, findClass(env, "java.nio.ByteBuffer"), buffer), NULL, NULL]);
  } catch (error) {
    if (error instanceof JavaError && error.thrown !== null) {
      throw error;
    }
  }
  try {
    return construct(env, owner, methodId(env, owner, "<init>", "(Ljava/nio/ByteBuffer;)V"), [buffer]);
  } catch {
    throw new JavaError("this Android takes no class from memory");
  }
}
