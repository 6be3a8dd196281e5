// The state of the app and the screen: what started the process, the app's screens, the device's screen.

import { Method } from "../java/classes.js";
import type { Call } from "../java/engine.js";
import { on } from "../java/installing.js";
import { inFrame, newString, text, type Env } from "../java/jni.js";
import { after } from "../out/doorbell.js";
import { emit } from "../out/emit.js";
import { getter, tryGetter } from "./readers.js";

/** A move from one screen of an app to the next pauses the old screen before it resumes the new one. */
const BACKGROUND_MS = 700;
const SCREEN_STATE_OFF = 0;

/** `started`: we started the process; one that was already running was not started by the first event that we see. */
export function watchPhases(env: Env, started: boolean): void {
  broughtUpSaid = !started;
  on(env, "android.app.Activity", "onResume", { before: resumed });
  on(env, "android.app.Activity", "onPause", { before: paused });
  on(env, "android.app.Instrumentation", "callApplicationOnCreate", { before: (call) => { lookAtScreen(call, call.args[0]); } });
  on(env, "android.app.ActivityThread", "handleReceiver", { before: (call) => { broughtUp(call, "broadcast"); } });
  on(env, "android.app.ActivityThread", "handleCreateService", { before: (call) => { broughtUp(call, "service"); } });
  // Each window is notified when the screen turns on or off, the outermost view first.
  on(env, "android.view.View", "dispatchScreenStateChanged", { before: screenChanged });
}

let stayInFront: (() => void) | null = null;
let foreground = false;
let broughtUpSaid = false;

function resumed(call: Call): void {
  stayInFront?.();
  stayInFront = null;
  broughtUpSaid = true;
  if (!foreground) {
    foreground = true;
    lookAtScreen(call, call.self);
    emit(call.begun, { kind: "phase", state: "foreground" });
  }
}

function paused(call: Call): void {
  stayInFront ??= after(BACKGROUND_MS, () => {
    stayInFront = null;
    foreground = false;
    emit(call.begun, { kind: "phase", state: "background" });
  });
}

/** The first work of a process that has not shown a screen yet: the user did not start it. */
function broughtUp(call: Call, how: "broadcast" | "service"): void {
  const application = tryGetter(call.env, call.self ?? NULL, "getApplication");
  lookAtScreen(call, application instanceof NativePointer ? application : undefined);
  if (!broughtUpSaid) {
    broughtUpSaid = true;
    emit(call.begun, { kind: "phase", state: "mark", text: `started by a ${how}${detail(call, how)}` });
  }
}

/** The name of the broadcast or service, if the text of the system's own object has it. */
function detail(call: Call, how: "broadcast" | "service"): string {
  const data = call.args[0];
  const said = data instanceof NativePointer && !data.isNull()
    ? inFrame(call.env, () => text(call.env, getter(call.env, data, "toString") as NativePointer)) : null;
  const name = (how === "broadcast" ? /act=([\w.]+)/ : /(?:className=|cmp=)(?:ComponentInfo\{)?([\w.$/]+)/).exec(said ?? "");
  return name?.[1] === undefined ? "" : `: ${name[1]}`;
}

let screenOn: boolean | null = null;

function screenIs(at: number, on_: boolean): void {
  if (screenOn !== on_) {
    screenOn = on_;
    emit(at, { kind: "phase", state: on_ ? "screen_on" : "screen_off" });
  }
}

function screenChanged(call: Call): void {
  screenIs(call.begun, call.args[0] !== SCREEN_STATE_OFF);
}

const getSystemService = new Method(
  "android.content.Context", "getSystemService", "(Ljava/lang/String;)Ljava/lang/Object;");

function lookAtScreen(call: Call, context: unknown): void {
  const { env } = call;
  if (!(context instanceof NativePointer) || context.isNull()) {
    return;
  }
  inFrame(env, () => {
    const power = getSystemService.object(env, context, newString(env, "power"));
    if (!power.isNull()) {
      screenIs(call.begun, getter(env, power, "isInteractive") === 1);
    }
  });
}
