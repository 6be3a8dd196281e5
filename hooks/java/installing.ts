// Installs hooks outside of hooks: on the agent's own thread, now or when a class comes, and knows when they are live.

import Java from "frida-java-bridge";
import { micros } from "../out/clock.js";
import { soon } from "../out/doorbell.js";
import { emit, report } from "../out/emit.js";
import { isArt, restore, tryEnv, currentEnv } from "./bridge.js";
import { Method, remember, wrapperOf } from "./classes.js";
import { JVM } from "./daemon.js";
import { watch, type Kind, type Watch } from "./engine.js";
import { findClass, globalRef, inFrame, newString, type Env } from "./jni.js";
import { patch } from "./patches.js";

/** A hook that the JVM has swapped in is only safe once our thread has made one more JNI call, a tick later. */
const SETTLE_MS = 30;
const SETTLE_SHORT_MS = 2;
/** How long a thread of the app waits for hooks on a class that it just loaded; on one of which it just showed an object. */
const PATIENCE_S = 0.3;
const PATIENCE_FOR_OBJECTS_S = 1;
const STEP_S = 0.001;
const CLOSE_S = 1;

const ownThread = Process.getCurrentThreadId();

type Work = (env: Env) => void;

let busy = 0;
let closing = false;

/** Run `work` on the agent's thread, then `done` when the hooks it made are live. */
export function defer(work: Work, done: () => void, settleMs = SETTLE_MS): void {
  if (closing) {
    return;
  }
  busy += 1;
  soon(() => {
    Java.perform(() => {
      try {
        work(currentEnv());
      } catch (error) {
        report(error, "installing");
      }
      setTimeout(() => {
        Java.perform(() => {
          inFrame(currentEnv(), () => findClass(currentEnv(), "java.lang.Object"));
          busy -= 1;
          done();
        });
      }, isArt() ? 0 : settleMs);
    });
  });
}

/**
 * The JVM is about to end: let what is being installed come to its end, and install nothing more. A thread that calls
 * into a JVM that has ended stays there for ever, and Frida would wait for ours before it lets the process go.
 */
export function close(): void {
  closing = true;
  for (let waited = 0; waited < CLOSE_S && busy > 0; waited += STEP_S) {
    Thread.sleep(STEP_S);
  }
}

/** Give all methods their own bodies back, and replace no more. */
export async function restoreMethods(): Promise<void> {
  closing = true;
  for (let waited = 0; waited < CLOSE_S && busy > 0; waited += STEP_S) {
    await new Promise((resolve) => { setTimeout(resolve, 1000 * STEP_S); });
  }
  busy += 1;
  try {
    await restore();
  } finally {
    busy -= 1;
  }
}

/** Notice the end of a JVM whose main method has returned, and every thread of the app with it. */
export function watchEnd(env: Env): void {
  const shutdown = isArt() ? null : wrapperOf(env, "java.lang.Shutdown");
  if (shutdown !== null) {
    watch(env, shutdown, "shutdown", null, "app", { subject: "java.lang.Shutdown.shutdown", after: close, always: true });
  }
}

/**
 * From a thread of the app, inside a hook: have `work` done on the agent's thread and wait, not for long, until its
 * hooks are live. Hooks made on the app's own thread here would freeze a JVM. False when they came too late.
 */
function installNow(work: Work, patience: number): boolean {
  let live = false;
  defer(work, () => {
    live = true;
  }, SETTLE_SHORT_MS);
  if (Process.getCurrentThreadId() === ownThread) {
    return true;
  }
  for (let waited = 0; waited < patience && !(live as boolean); waited += STEP_S) {
    Thread.sleep(STEP_S);
  }
  return live;
}

/** The same for a class, with a gap that says why when it was too late for its first calls. */
function installOrTell(name: string, why: string, work: Work, patience: number): void {
  if (!installNow(work, patience)) {
    emit(micros(), {
      kind: "gap", where: "hook", subject: name, why: "install_failed", detail: `${why}: the first calls may be missing`,
    });
  }
}

/** Hook a class of which the app has just shown an object. */
export function installForObject(name: string, work: Work): void {
  installOrTell(name, "the process was too busy to hook the class before it was used", work, PATIENCE_FOR_OBJECTS_S);
}

/** class name -> what to do when it comes */
const awaited = new Map<string, Work[]>();

/** Do `work` when the class `name` is there; it is not yet. */
export function whenDefined(name: string, work: Work): void {
  const works = awaited.get(name);
  if (works === undefined) {
    awaited.set(name, [work]);
  } else {
    works.push(work);
  }
}

/** Watch all overloads of a method, now or when its class comes; one in which the app's own code may run, unless told. */
export function on(
  env: Env, cls: string, method: string, parts: Pick<Watch, "before" | "after">, kind: Kind = "app",
): void {
  const wrapper = wrapperOf(env, cls);
  if (wrapper === null) {
    whenDefined(cls, (own) => { on(own, cls, method, parts, kind); });
  } else {
    watch(env, wrapper, method, null, kind, { subject: `${cls}.${method}`, ...parts });
  }
}

function arrived(name: string): Work {
  const works = awaited.get(name) ?? [];
  awaited.delete(name);
  return (env) => {
    for (const work of works) {
      work(env);
    }
  };
}

/** Begin to notice classes that come later. */
export function watchDefinitions(env: Env): void {
  if (isArt()) {
    watchDexLoaders(env);
  } else {
    watchJvm();
  }
}

/** Natively: every class of a JVM passes here, and a Java hook on class loading would be part of what it watches. */
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
        const defined = awaited.size === 0 || given.isNull() ? null : given.readCString();
        const wanted = defined?.replace(/\//g, ".") ?? "";
        this["wanted"] = awaited.has(wanted) ? wanted : null;
      },
      onLeave(result) {
        const wanted = this["wanted"] as string | null;
        const env = tryEnv();
        if (wanted === null || result.isNull() || env === null) {
          return;
        }
        const cls = globalRef(env, result);
        installOrTell(wanted, "its loader let no other thread in while it loaded the class", (own) => {
          remember(wanted, cls);
          arrived(wanted)(own);
        }, PATIENCE_S);
      },
    });
  }
}

const forName = new Method(
  "java.lang.Class", "forName", "(Ljava/lang/String;ZLjava/lang/ClassLoader;)Ljava/lang/Class;", true);

/** On ART classes come with a new loader (a plug-in, a dynamic feature): ask each new one for what is awaited. */
function watchDexLoaders(env: Env): void {
  const loaders = wrapperOf(env, "dalvik.system.BaseDexClassLoader");
  if (loaders === null) {
    return;
  }
  watch(env, loaders, "$init", null, "app", {
    subject: "dalvik.system.BaseDexClassLoader",
    after: (call) => {
      if (awaited.size === 0 || call.self === null) {
        return;
      }
      const loader = globalRef(call.env, call.self);
      defer((own) => {
        for (const name of [...awaited.keys()]) {
          try {
            const cls = inFrame(own, () => globalRef(own, forName.object(own, null, newString(own, name), 0, loader)));
            remember(name, cls);
          } catch {
            continue;
          }
          arrived(name)(own);
        }
      }, () => undefined);
    },
  });
}
