// Attaches the agent's own thread to a JVM as a daemon, and detaches it at the end.
//
// The bridge would attach it as an ordinary thread. A JVM waits for those when the app's main method returns, so it
// would never end. This module does not use the bridge, so that it can be loaded before it.
//
// A call into a JVM that has ended never returns, and Frida would wait for our thread before the process can end. So
// another thread of ours, an ordinary one, keeps the JVM from ending until its end is watched (installing.ts). ART, one of
// whose libraries has such a name, is not kept.

import DAEMON from "../native/daemon.txt";
import { HELD, LET_GO } from "../native/shared.js";
import { waitUntil } from "../out/clock.js";
import { isOnArt } from "../out/entered.js";
import { addressOf } from "./symbols.js";

export const JVM = /jvm\.(so|dll|dylib)$/;

const options = { exceptions: "propagate" } as const;
/** How long a JVM may take to attach a thread, for example because it collects garbage. */
const PATIENCE_S = 10;
/** A JVM that takes longer may have ended. */
const USUAL_S = 0.05;

/** Lives as long as the script. */
const script = {};
/** Kept as long as the agent lives: a thread of C runs in it. */
const alive: unknown[] = [];
const state = Memory.alloc(4);
let attached = false;

/**
 * `none`: there is no JVM in this process; `later`: it has not been created yet. Call it on the agent's own thread.
 * Throws if the JVM is about to end.
 */
export function attachAsDaemon(): "none" | "later" | "attached" {
  const jvm = Process.enumerateModules().find((module) => JVM.test(module.name));
  if (jvm === undefined) {
    return "none";
  }
  if (attached) {
    return "attached";
  }
  const vm = createdIn(jvm);
  if (vm === null) {
    return "later";
  }
  const symbol = (name: string): NativePointer => Module.getGlobalExportByName(name);
  const code = new CModule(DAEMON, {
    state, usleep: symbol("usleep"), pthread_create: symbol("pthread_create"), pthread_detach: symbol("pthread_detach"),
  });
  alive.push(code);
  const hold = new NativeFunction(code["hold"] as NativePointer, "int", ["pointer"], options);
  const attach = new NativeFunction(code["attach"] as NativePointer, "int", ["pointer", "int"], options);
  const detach = new NativeFunction(code["detach"] as NativePointer, "int", ["pointer"], options);
  if (!isOnArt()) {
    if (hold(vm) !== 0) {
      throw new Error("no thread for the JVM to wait for");
    }
    untilHeld(jvm);
  }
  const result = attach(vm, 1);
  if (result !== 0) {
    throw new Error(`the JVM refused the agent's thread (${result})`);
  }
  attached = true;
  // The bridge detaches only threads that it attached itself; it removes its hooks two ticks after the end.
  Script.bindWeak(script, () => {
    letEnd();
    Script.nextTick(() => {
      Script.nextTick(() => {
        Script.nextTick(() => {
          detach(vm);
        });
      });
    });
  });
  return "attached";
}

/** Throws if the JVM is about to end. */
function untilHeld(jvm: Module): void {
  const isSettled = (): boolean => state.readS32() !== 0;
  if (!waitUntil(isSettled, USUAL_S)) {
    const hasEnded = addressOf(jvm, "_ZN7VM_Exit10_vm_exitedE");
    waitUntil(() => isSettled() || createdIn(jvm) === null || hasEnded?.readU8() === 1, PATIENCE_S);
  }
  if (state.readS32() !== HELD) {
    throw new Error("the JVM is about to end");
  }
}

/** Let the JVM end, from now on. */
export function letEnd(): void {
  if (state.readS32() === HELD) {
    state.writeS32(LET_GO);
  }
}

function createdIn(jvm: Module): NativePointer | null {
  const created = new NativeFunction(
    jvm.getExportByName("JNI_GetCreatedJavaVMs"), "int", ["pointer", "int", "pointer"], options);
  const vms = Memory.alloc(Process.pointerSize);
  const count = Memory.alloc(4);
  return created(vms, 1, count) === 0 && count.readS32() > 0 ? vms.readPointer() : null;
}

attachAsDaemon();
