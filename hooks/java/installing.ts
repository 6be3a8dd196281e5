// Installs hooks outside of hooks: on the agent's own thread, now or when a class is loaded. Knows when they are live.

import Java from "frida-java-bridge";
import { waitUntil } from "../out/clock.js";
import { after, soon } from "../out/doorbell.js";
import { gap, report } from "../out/emit.js";
import { reach } from "../out/points.js";
import { isArt, restore, tryEnv, currentEnv, type ClassWrapper } from "./bridge.js";
import { Method, askLoader, className, isBoot, keep, lookAgain, mainLoader, wrapperFor, wrapperOf, wrappersOf } from "./classes.js";
import { leaveWhatWasCompiled } from "./compiled.js";
import { JVM } from "./daemon.js";
import { definedIn, dexFiles } from "./dex.js";
import { begin, close, closed, end } from "./ending.js";
import { namesAbsent, watch, type Call, type Kind, type Watch } from "./engine.js";
import { keepNoMore } from "./entry.js";
import {
  arrayElement, arrayLength, classOf, deleteGlobal, deleteWeak, findClass, globalRef, inFrame, isSame, objectField, strong, text, weakRef,
  type Env,
} from "./jni.js";
import { patch } from "./patches.js";

/** A hook that the JVM has put in place is safe only after our thread has made one more JNI call, a tick later. */
const SETTLE_MS = 30;
const SETTLE_SHORT_MS = 2;
/** Seconds that a thread of the app waits for the hooks on a class that it has just loaded. */
const PATIENCE_S = 0.3;
/** The same for a class of which the app has just shown an object, and for all classes of a loader. */
const PATIENCE_FOR_OBJECTS_S = 1;
const PATIENCE_FOR_LOADERS_S = 1;
const STEP_S = 0.001;

const ownThread = Process.getCurrentThreadId();

type Work = (env: Env) => void;

/** The present work of our thread. It may load classes itself, whose hooks must be live at its end, too. */
let atWork: Work[] | null = null;

/**
 * Run `work` on the agent's thread, then `then` when the hooks it made are live. `leaves` then says whether to leave
 * compiled code: false while nothing of the app runs yet and more work follows, after which it is left.
 */
export function defer(work: Work, then: () => void, settleMs = SETTLE_MS, leaves: () => boolean = () => true): void {
  if (!begin()) {
    return;
  }
  soon(() => {
    attached(() => {
      atWork = [work];
      for (const each of atWork) {
        reach("install");
        try {
          each(currentEnv());
        } catch (error) {
          report(error, "installing");
        }
      }
      atWork = null;
      setTimeout(() => {
        attached(() => {
          inFrame(currentEnv(), () => findClass(currentEnv(), "java.lang.Object"));
          const live = (): void => {
            try {
              then();
            } finally {
              end();
            }
          };
          if (leaves()) {
            leaveWhatWasCompiled(live);
          } else {
            live();
          }
        });
      }, isArt() ? 0 : settleMs);
    });
  });
}

/** Not `Java.perform`: on Android that waits for the app, and a process may have no app. */
function attached(work: () => void): void {
  Java.vm.perform(work);
}

/**
 * How long our thread works without a pause; the host's questions, and the app's threads in our hooks, wait that long.
 */
const SLICE_MS = 50;

/**
 * Run all works on the agent's thread, one after the other, even if one fails; then `done`, when their hooks are live.
 * On ART they run in slices; on a JVM in a single one, because a JVM pauses once for all methods that are replaced in
 * one slice. `isHeld`: whether nothing of the app runs yet: then compiled code is left once, not after each slice.
 */
export function inSlices(works: Work[], isHeld: () => boolean, done: () => void): void {
  const left = [...works];
  const next = (): void => {
    defer((env) => {
      const until = Date.now() + SLICE_MS;
      while (left.length > 0 && (!isArt() || Date.now() < until)) {
        try {
          left.shift()?.(env);
        } catch (error) {
          report(error, "installing");
        }
      }
    }, () => {
      if (left.length === 0) {
        done();
      } else {
        next();
      }
    }, SETTLE_MS, () => left.length === 0 || !isHeld());
  };
  next();
}

/** Restore all methods, and replace no more. */
export async function restoreMethods(): Promise<void> {
  await closed();
  try {
    keepNoMore();
    await restore();
  } finally {
    end();
  }
}

/**
 * Notice the end of a virtual machine whose main method, and all threads of the app, have ended: each calls a method of
 * its own last. A process that Android started as an app is not ended so, but a program that an app starts is.
 */
export function watchEnd(env: Env): void {
  const [name, method] = isArt() ? ["java.lang.Daemons", "stop"] : ["java.lang.Shutdown", "shutdown"];
  const last = wrapperOf(env, name);
  if (last !== null) {
    const after = (): void => {
      close();
      keepNoMore(); // ART gives its methods' memory back
    };
    watch(env, last, method, null, "app", { subject: `${name}.${method}`, after, always: true });
  }
}

/**
 * Called on a thread of the app, inside a hook: have `work` done on the agent's thread, and wait briefly until its
 * hooks are live. Installing them on the app's thread here would freeze a JVM. False when they came too late.
 */
function installNow(work: Work, patience: number): boolean {
  if (atWork !== null && Process.getCurrentThreadId() === ownThread) {
    atWork.push(work);
    return true;
  }
  let live = false;
  defer(work, () => {
    live = true;
  }, SETTLE_SHORT_MS);
  if (Process.getCurrentThreadId() === ownThread) {
    return true;
  }
  return waitUntil(() => live, patience, STEP_S);
}

/** The same for a class; when it was too late for its first calls, a gap says why. */
function installOrTell(name: string, why: string, work: Work, patience: number): void {
  if (!installNow(work, patience)) {
    gap(name, "install_failed", `${why}: the first calls may be missing`);
  }
}

/** Hook a class of which the app has just shown an object. */
export function installForObject(name: string, work: Work): void {
  installOrTell(name, "the process was too busy to hook the class before it was used", work, PATIENCE_FOR_OBJECTS_S);
}

type OnClass = (env: Env, wrapper: ClassWrapper) => void;

/** class name -> what to do with each class with that name: every loader may have one */
const wanted = new Map<string, OnClass[]>();

/**
 * Do `work` for each class with a name: now for existing ones, later for those that come. False when none exists yet.
 */
export function eachClass(env: Env, name: string, work: OnClass): boolean {
  const works = wanted.get(name);
  if (works === undefined) {
    wanted.set(name, [work]);
  } else {
    works.push(work);
  }
  const there = wrappersOf(env, name);
  for (const wrapper of there) {
    work(env, wrapper);
  }
  return there.length > 0;
}

/**
 * Watch all overloads of a method, now or when its class is loaded. By default, the app's own code may run inside it.
 */
export function on(
  env: Env, cls: string, method: string, parts: Pick<Watch, "before" | "after" | "concerns">, kind: Kind = "app",
): void {
  const subject = `${cls}.${method}`;
  eachClass(env, cls, (own, wrapper) => {
    const done = watch(own, wrapper, method, null, kind, { subject, ...parts });
    if (done.count === 0 && done.unread.length > 0) {
      gap(subject, "install_failed", namesAbsent(done.unread));
    }
  });
}

/** Handle a new class, given as a global reference. */
function arrived(env: Env, name: string, cls: NativePointer): void {
  if (!keep(env, name, cls)) {
    return;
  }
  const wrapper = wrapperFor(env, name, cls);
  for (const work of wanted.get(name) ?? []) {
    try {
      work(env, wrapper);
    } catch (error) {
      report(error, name);
    }
  }
}

/**
 * Begin to notice classes that are loaded later. `started`: we started the process, and it is held before its first
 * line.
 */
export function watchDefinitions(env: Env, started: boolean): void {
  if (isArt()) {
    watchLoaders(env, started);
  } else {
    watchJvm();
  }
}

/**
 * With native hooks: every class of a JVM passes here, and a Java hook on class loading would affect what it watches.
 */
function watchJvm(): void {
  const jvm = Process.enumerateModules().find((module) => JVM.test(module.name));
  for (const [name, nameAt] of [["JVM_DefineClassWithSource", 1], ["JVM_DefineClass", 1], ["JVM_LookupDefineClass", 2]] as const) {
    const address = jvm?.findExportByName(name) ?? null;
    if (address === null) {
      continue;
    }
    patch(address, {
      onEnter(args) {
        const given = args[nameAt] ?? NULL;
        const name = (given.isNull() ? null : given.readCString())?.replace(/\//g, ".") ?? "";
        this["wanted"] = wanted.has(name) ? name : null;
      },
      onLeave(result) {
        const name = this["wanted"] as string | null;
        const env = tryEnv();
        if (name === null || result.isNull() || env === null) {
          return;
        }
        const cls = globalRef(env, result);
        installOrTell(name, "its loader let no other thread in while it loaded the class", (own) => {
          arrived(own, name, cls);
        }, PATIENCE_S);
      },
    });
  }
}

// On ART, classes come with a new loader (a plug-in, a dynamic feature), or with dex files that a packer adds, by
// whatever means, to an existing one.

/** A loader that was asked, as a weak reference, and the dex files that it was asked about. */
interface Asked {
  loader: NativePointer;
  files: string | null;
}

const asked: Asked[] = [];

/**
 * Ask a loader for each wanted class that may be its own; not again if its dex files are known and have not changed.
 */
function ask(env: Env, loader: NativePointer): void {
  if (loader.isNull() || inFrame(env, () => className(env, classOf(env, loader)) === BOOT)) {
    return;
  }
  // First the loaders that this one delegates to: an app has separate loaders for libraries of the device.
  for (const other of asksBefore(env, loader)) {
    ask(env, other);
    deleteGlobal(env, other);
  }
  const dexes = dexFiles(env, loader);
  const files = dexes === null ? null : dexes.map(({ begin }) => begin.toString()).join();
  let known = inFrame(env, () => asked.find((other) => isSame(env, strong(env, other.loader), loader)));
  if (known === undefined) {
    const weak = weakRef(env, loader);
    if (weak === null) {
      return;
    }
    known = { loader: weak, files: null };
    asked.push(known);
  } else if (files !== null && known.files === files) {
    return;
  }
  known.files = files;
  lookAgain();
  const names = dexes === null ? [...wanted.keys()].filter((name) => !isBoot(env, name)) : definedIn(dexes, wanted.keys());
  for (const name of names) {
    const cls = askLoader(env, name, loader);
    if (cls !== null) {
      arrived(env, name, cls);
    }
  }
}

/** The loader whose classes are known; asking it for a class that it lacks would cost an exception. */
const BOOT = "java.lang.BootClassLoader";
const getParent = new Method("java.lang.ClassLoader", "getParent", "()Ljava/lang/ClassLoader;");

/** Global references to a loader's parent, and to the loaders of its shared libraries (Android 10 and later). */
function asksBefore(env: Env, loader: NativePointer): NativePointer[] {
  return inFrame(env, () => {
    const found = [getParent.object(env, loader)];
    try {
      const shared = objectField(env, loader, "sharedLibraryLoaders", "[Ljava/lang/ClassLoader;");
      found.push(...(shared.isNull() ? [] : Array.from({ length: arrayLength(env, shared) }, (_, i) => arrayElement(env, shared, i))));
    } catch {
      // an older release, or a loader of another kind
    }
    return found.filter((other) => !other.isNull()).map((other) => globalRef(env, other));
  });
}

const PATIENCE_FOR_THE_APP_S = 3;

/**
 * Called when the app has its class loader but has not run any code yet: hooks the wanted classes of the app before it
 * does.
 */
export function appCame(): void {
  installOrTell("the app's class loader", "the process was too busy to hook the app's own classes in time", (env) => {
    ask(env, mainLoader(env));
  }, PATIENCE_FOR_THE_APP_S);
}

/** Ask the loaders that existed before we came. */
export function askThere(env: Env): void {
  if (isArt()) {
    Java.enumerateClassLoaders({
      onMatch: (loader) => { ask(env, (loader as unknown as { $h: NativePointer }).$h); },
      onComplete: () => undefined,
    });
  }
}

const contextLoader = new Method("java.lang.Thread", "getContextClassLoader", "()Ljava/lang/ClassLoader;");
const currentThread = new Method("java.lang.Thread", "currentThread", "()Ljava/lang/Thread;", true);

/** On a thread of the app: ask its present loaders before it continues. `context`: an object that may know one. */
function askNow(env: Env, context: NativePointer | null): void {
  const loaders = inFrame(env, () => {
    const found = [contextLoader.object(env, currentThread.object(env, null))];
    try {
      found.push(context === null ? NULL : loaderOf.object(env, context));
    } catch {
      // an application whose methods differ from a Context's
    }
    return found.filter((loader) => !loader.isNull()).map((loader) => globalRef(env, loader));
  });
  installOrTell("class loaders", "the process was too busy to ask the app's class loaders in time", (own) => {
    for (const loader of loaders) {
      ask(own, loader);
      deleteGlobal(own, loader);
    }
    askAll(own);
  }, PATIENCE_FOR_LOADERS_S);
}

/** Ask again all loaders that were asked before; they may have other dex files now. */
function askAll(env: Env): void {
  for (const one of [...asked]) {
    const loader = inFrame(env, () => {
      const local = strong(env, one.loader);
      return local.isNull() ? NULL : globalRef(env, local);
    });
    if (loader.isNull()) {
      deleteWeak(env, one.loader);
      asked.splice(asked.indexOf(one), 1);
    } else {
      ask(env, loader);
      deleteGlobal(env, loader);
    }
  }
}

const loaderOf = new Method("android.content.Context", "getClassLoader", "()Ljava/lang/ClassLoader;");

/** Milliseconds after a dex file was opened at which loaders are asked: its classes appear a little later. */
const AFTER_OPENING_MS = [5, 50, 500];
let opened = false;

function dexOpened(): void {
  if (opened) {
    return;
  }
  opened = true;
  for (const wait of AFTER_OPENING_MS) {
    after(wait, () => {
      opened = false;
      defer(askAll, () => undefined);
    });
  }
}

/** Methods that open dex files, and methods that add them to a loader; each release has only some of them. */
const OPENERS = ["openDexFile", "openInMemoryDexFile", "openInMemoryDexFiles"];
const ELEMENTS = ["makeDexElements", "makePathElements", "makeInMemoryDexElements"];
const ADDERS = ["addDexPath", "initByteBufferDexPath"];

function watchLoaders(env: Env, started: boolean): void {
  const askOf = (call: Call, loader: NativePointer): void => {
    const global = globalRef(call.env, loader);
    installOrTell("class loaders", "the process was too busy to ask a new class loader in time", (own) => {
      ask(own, global);
      deleteGlobal(own, global);
    }, PATIENCE_FOR_LOADERS_S);
  };
  on(env, "dalvik.system.BaseDexClassLoader", "$init", {
    after: (call) => {
      if (call.self !== null && call.thrown.isNull()) {
        askOf(call, call.self);
      }
    },
  });
  for (const method of ADDERS) {
    on(env, "dalvik.system.DexPathList", method, {
      after: (call) => {
        const { env: own, self } = call;
        if (self !== null) {
          inFrame(own, () => { askOf(call, objectField(own, self, "definingContext", "Ljava/lang/ClassLoader;")); });
        }
      },
    });
  }
  for (const method of ELEMENTS) {
    on(env, "dalvik.system.DexPathList", method, { after: dexOpened });
  }
  for (const method of OPENERS) {
    on(env, "dalvik.system.DexFile", method, { after: dexOpened });
  }
  // A loader class of the app's own gets its classes here, one at a time.
  on(env, "dalvik.system.DexFile", "loadClass", {
    after: (call) => {
      const { env: own, args: [given], result } = call;
      const name = given instanceof NativePointer ? text(own, given)?.replace(/\//g, ".") : undefined;
      if (name !== undefined && wanted.has(name) && result instanceof NativePointer && !result.isNull()) {
        const cls = globalRef(own, result);
        installOrTell(name, "the process was too busy to hook the class in time", (ours) => {
          arrived(ours, name, cls);
        }, PATIENCE_S);
      }
    },
  });
  let attachSeen = false;
  on(env, "android.app.Application", "attach", {
    after: (call) => {
      attachSeen = true;
      askNow(call.env, call.self);
    },
  });
  on(env, "android.app.Instrumentation", "callApplicationOnCreate", {
    before: (call) => { askNow(call.env, contextOf(call)); },
    after: (call) => { askNow(call.env, contextOf(call)); },
  });
  let shown = false;
  on(env, "android.app.Activity", "onResume", {
    before: (call) => {
      if (!shown) {
        shown = true;
        if (started && !attachSeen) {
          gap(
            "agent", "install_failed",
            "the app's start was not seen, though it was held until its hooks were in: what it read before its first screen "
              + "may be missing", call.begun);
        }
        askNow(call.env, call.self);
      }
    },
  });
}

function contextOf(call: Call): NativePointer | null {
  const [context] = call.args;
  return context instanceof NativePointer && !context.isNull() ? context : null;
}
