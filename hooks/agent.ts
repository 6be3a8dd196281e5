// The agent: takes a plan, installs the hooks before the app's first line runs, and says `ready` only when they are
// live.

import { enterOnce, isOnArt } from "./out/entered.js"; // first: it throws if an earlier run was in this process
import "./java/whole.js"; // before the bridge, which patches code through it
import { JVM, attachAsDaemon, letEnd } from "./java/daemon.js"; // before the bridge, which attaches the thread when it loads
import Java from "frida-java-bridge";
import { currentEnv, isArt } from "./java/bridge.js";
import { leaveWhatWasCompiled } from "./java/compiled.js";
import { pause } from "./java/engine.js";
import { configureFolding } from "./java/folding.js";
import { appCame, askThere, inSlices, on, restoreMethods, watchDefinitions, watchEnd } from "./java/installing.js";
import type { Env } from "./java/jni.js";
import { addLoader, knowOwners, ownersOf } from "./java/owners.js";
import { goLive, patch, unpatch } from "./java/patches.js";
import { micros, waitUntil } from "./out/clock.js";
import { soon } from "./out/doorbell.js";
import { configure, emit, flushAll, gap, leave, report, sayOwners } from "./out/emit.js";
import { eachModule, leaveAlone } from "./out/leaving.js";
import { send } from "./out/numbered.js";
import { reach } from "./out/points.js";
import type { Plan } from "./plan.js";
import { configureStack } from "./watch/access.js";
import { watchBinder } from "./watch/binder.js";
import { watchChildren } from "./watch/children.js";
import { watchScreen } from "./watch/consent.js";
import { watchEvp } from "./watch/evp.js";
import { watchExit } from "./watch/last_moment.js";
import { watchLoopback } from "./watch/loopback.js";
import { watchNative } from "./watch/native.js";
import { watchExits } from "./watch/other_ways_out.js";
import { watchPhases } from "./watch/phases.js";
import { callProbe, defineProbe, hookProbe } from "./watch/probe.js";
import { redirect } from "./watch/redirect.js";
import { expect, install, onChange, statuses } from "./watch/sources.js"; // before sockets.js: at exit, accesses are written first
import { watchSockets } from "./watch/sockets.js";
import { watchStores } from "./watch/stores.js";
import { watchTls } from "./watch/tls.js";
import { watchNativeTls } from "./watch/tls_native.js";
import { watchTransforms } from "./watch/transforms.js";
import { trusts } from "./watch/trusts.js";
import { unpin, unpinNative } from "./watch/unpin.js";

const HOLD_S = 20;

/** On ART: most seconds that a process is held before its first line while hooks are still missing. */
const PLACE_S = 3;

sayOwners(ownersOf);

let ready = false;
let placed = false;

/** Tell the host that the process may run. */
function tellPlaced(): void {
  placed = true;
  send({ type: "placed" });
}

/**
 * Hook all that the plan names. First what the user sees and is asked, since missed consent makes a lawful read look
 * unlawful; then the reads; last what only helps to find values: transforms, plaintext, other ways out.
 */
function bringUp(plan: Plan): void {
  const began = Date.now();
  const before = micros();
  expect(plan.sources);
  const late = plan.started && isArt() && Java.classFactory.loader !== null;
  const steps: ((env: Env) => void)[] = [
    (env) => { knowOwners(env, plan.app ?? "", plan.stand_ins); },
    defineProbe,
    (env) => { watchScreen(env, plan.sdk_calls); },
    (env) => { watchPhases(env, plan.started); },
    (env) => { watchStores(env, plan.stores, plan.keys); },
    (env) => { watchDefinitions(env, plan.started); },
    (env) => {
      on(env, "dalvik.system.BaseDexClassLoader", "$init", {
        after: (call) => { addLoader(call.env, call.self ?? NULL); },
      });
    },
    watchEnd,
    ...plan.sources.map((spec) => (env: Env) => { install(env, spec); }),
    (env) => { watchTransforms(env, plan.transforms); },
    (env) => { watchTls(env, plan.tls); },
    (env) => { unpin(env, plan.unpinning.java); },
    (env) => { watchExits(env, plan.exits); },
    (env) => { watchBinder(env, plan.native.binder); },
    watchExit,
    (env) => {
      if (!plan.started) {
        askThere(env);
      }
    },
    hookProbe,
  ];
  const timed = steps.map((step) => (env: Env) => {
    if (!placed && isArt() && Date.now() - began > 1000 * PLACE_S) {
      leaveWhatWasCompiled(() => undefined);
      tellPlaced();
    }
    step(env);
  });
  const isHeld = (): boolean => plan.started && !late && !placed;
  inSlices(timed, isHeld, () => {
    callProbe(currentEnv());
    ready = true;
    const inTime = !placed;
    if (inTime) {
      tellPlaced();
    }
    if (plan.started && (late || !inTime)) {
      gap(
        "agent", "install_failed",
        "the app had begun before its hooks were in: what it read and asked until then may be missing", before, micros());
    }
    onChange(tellStatuses);
    emit(micros(), { kind: "phase", state: "started", text: null });
    tellStatuses();
    send({ type: "ready", runtime: isArt() ? "art" : "jvm", install_ms: Date.now() - began });
    letEnd();
  });
}

function tellStatuses(): void {
  send({ type: "statuses", statuses: [...statuses.values()] });
}

/** Tell the host that it need not wait for hooks. */
function tellNoRuntime(detail: string): void {
  send({ type: "no_runtime", detail: detail.slice(0, 1000) });
}

/** To be called on the agent's own thread. */
function vmIsThere(): boolean {
  if (attachAsDaemon() === "later") {
    return false;
  }
  if (!Java.available) {
    letEnd();
  }
  return Java.available;
}

/** The class that a JVM's launcher looks for when the JVM has been created, before it knows the app's first class. */
const FIRST_CLASS = "sun/launcher/LauncherHelper";

/** For a JVM that is still to be created: hold the thread that creates it until the hooks are live. */
function holdAtCreation(plan: Plan): void {
  let attached = false;
  eachModule((module) => {
    if (attached || !JVM.test(module.name)) {
      return;
    }
    attached = true;
    patch(module.getExportByName("JNI_CreateJavaVM"), {
      onLeave(result) {
        if (result.toInt32() === 0) {
          hold(plan);
        }
      },
    });
    // Sometimes Frida reports the module only while the JVM is being created: too late for the hook above.
    const findClass = module.findExportByName("JVM_FindClassFromBootLoader");
    if (findClass !== null) {
      patch(findClass, {
        onEnter(args) {
          if (!held && args[1]?.readCString() === FIRST_CLASS) {
            hold(plan);
          }
        },
      });
    }
    goLive();
  });
}

let held = false;

/** Called on the app's first thread. */
function hold(plan: Plan): void {
  held = true;
  soon(() => {
    try {
      if (!vmIsThere()) {
        throw new Error("the bridge does not find it");
      }
      bringUp(plan);
    } catch (error) {
      tellNoRuntime(String(error));
      ready = true;
    }
  });
  waitUntil(() => ready, HOLD_S);
}

/** Answer the host's queries for the time, with which it compares the clocks. */
function answerTime(): void {
  recv("clock", (question: { number: number }) => {
    send({ type: "clock", number: question.number, at: micros() });
    answerTime();
  });
}

answerTime();

// Done while the script loads: an app that is being started then resumes, and its class loader must not be missed.
if (vmIsThere() && isArt()) {
  try {
    Java.perform(appCame);
  } catch (error) {
    report(error, "waiting for the app");
  }
}

rpc.exports = {
  /** Begin to watch. Returns at once; `ready` follows as a message. */
  install(plan: Plan): void {
    enterOnce();
    configure(plan.app, plan.flush_ms, plan.fold_ms);
    configureStack(plan.stack);
    configureFolding(plan.stack);
    watchChildren();
    watchExit();
    redirect(plan.redirect);
    watchSockets();
    watchLoopback();
    watchNative(plan.native.routes);
    watchEvp();
    watchNativeTls(plan.tls);
    unpinNative(plan.unpinning.native);
    if (vmIsThere()) {
      setImmediate(() => {
        bringUp(plan);
      });
    } else if (isOnArt()) {
      tellNoRuntime("Android's runtime is in the process, and no Java VM");
    } else {
      holdAtCreation(plan);
      send({ type: "placed" });
    }
  },
  /** Send everything that is still held. */
  flush(): void {
    flushAll();
  },
  /** Whether the app accepts a certificate for a host (PEM, followed by its issuers). */
  trusts,
  /** Switch watching on or off; when it is off, all calls pass as if there were no hooks. */
  watch(on: boolean): void {
    pause(!on);
  },
  /**
   * Stop watching, and send everything that is still held. With `restoring`, restore functions, and methods except on
   * ART (what was overwritten there may have changed since), and end all background work of ours. The script itself has
   * to stay: a thread may be inside a hook, waiting for the network, and will return through our code.
   */
  async finish(restoring: boolean): Promise<void> {
    pause(true);
    reach("detach");
    letEnd();
    leave();
    if (restoring) {
      if (!isOnArt()) {
        await restoreMethods();
      }
      leaveAlone();
      unpatch();
    }
  },
};
