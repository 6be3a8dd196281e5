// What the user sees and touches: dialogs, pages and taps, which are judged later, from the recording; and permissions.

import type { Screen } from "../event.js";
import { Method, isA } from "../java/classes.js";
import type { Call } from "../java/engine.js";
import { on } from "../java/installing.js";
import { eachOf, inFrame, newString, text, type Env } from "../java/jni.js";
import { capture, frames } from "../java/stack.js";
import { Tracked } from "../java/tracked.js";
import { emit, gap, tell } from "../out/emit.js";
import type { SdkCallSpec } from "../plan.js";
import { argumentText, getter, tryGetter } from "./readers.js";

/** Maximum number of views of a window that are read. */
const MOST_VIEWS = 400;
const MOST_CHARACTERS = 4000;
/** A finger, a key or a screen reader; `dispatch` covers views that click themselves while they handle the touch. */
const INPUT =
  /^android\.view\.View(\$PerformClick\.run|\.dispatch(Touch|Pointer)Event|\.onTouchEvent|\.onKeyUp|\.performAccessibilityActionInternal)\(/;

/** What can be read on a window. */
interface Read {
  texts: string[];
  labels: string[];
  checks: { text: string; checked: boolean }[];
}

type Seen = Omit<Screen, "v" | "kind" | "at" | "app" | "pid" | "by" | "why">;

function saw(at: number, what: NonNullable<Screen["what"]>, seen: Seen): void {
  emit(at, { kind: "screen", what, by: "agent", why: "change", ...seen });
}

const getChildAt = new Method("android.view.ViewGroup", "getChildAt", "(I)Landroid/view/View;");
const getChildCount = new Method("android.view.ViewGroup", "getChildCount", "()I");

export function watchScreen(env: Env, sdkCalls: SdkCallSpec[]): void {
  on(env, "android.app.Dialog", "show", { after: (call) => { dialogShown(call); } });
  on(env, "android.app.Dialog", "dismiss", { before: (call) => { dialogClosed(call, "dismiss"); } });
  on(env, "android.app.Dialog", "cancel", { before: (call) => { dialogClosed(call, "cancel"); } });
  on(env, "android.view.View", "performClick", { before: tapped });
  on(env, "android.app.Activity", "requestPermissions", { before: permissionsAsked });
  on(env, "android.app.Activity", "dispatchRequestPermissionsResult", { before: permissionsAnswered });
  // Called after the activity's own onResume: its views exist by then. Every override has to call the base method.
  on(env, "android.app.Activity", "onPostResume", { before: (call) => { screenShown(call); } });
  for (const spec of sdkCalls) {
    on(env, spec.cls, spec.method, { before: (call) => { sdkCalled(call, spec); } });
  }
}

const shown = new Tracked<number>();
let dialogs = 0;

function dialogShown(call: Call): void {
  const { env, self } = call;
  if (self === null || !call.thrown.isNull()) {
    return;
  }
  dialogs += 1;
  const id = dialogs;
  shown.set(env, self, id);
  saw(call.begun, "dialog", { number: id, windows: [inWindowOf(env, self)], stack: frames(capture(env), null) });
}

/** A full screen of the app: many apps ask for consent there. */
function screenShown(call: Call): void {
  if (call.self !== null) {
    saw(call.begun, "page", { windows: [inWindowOf(call.env, call.self)] });
  }
}

function inWindowOf(env: Env, owner: NativePointer): Read {
  return inFrame(env, () => {
    const window = getter(env, owner, "getWindow") as NativePointer;
    return read(env, window.isNull() ? NULL : (getter(env, window, "getDecorView") as NativePointer));
  });
}

function dialogClosed(call: Call, how: "dismiss" | "cancel"): void {
  const id = shown.get(call.env, call.self);
  if (id !== undefined && call.self !== null) {
    shown.delete(call.env, call.self);
    saw(call.begun, how, { number: id });
  }
}

function tapped(call: Call): void {
  const { env, self } = call;
  if (self === null) {
    return;
  }
  inFrame(env, () => {
    const label = labelOf(env, self);
    const stack = frames(capture(env), "android.view.View.performClick");
    const root = tryGetter(env, self, "getRootView");
    // For a checkbox or switch: its state before this click.
    const ticked = isA(env, self, "android.widget.Checkable") ? tryGetter(env, self, "isChecked") === 1 : null;
    // The platform's own input paths; code that presses a button itself does not come through them.
    const by = stack.some((frame) => INPUT.test(frame)) ? "user" : "app";
    const windows = [read(env, root instanceof NativePointer ? root : NULL)];
    saw(call.begun, "touch", { windows, touched: { label, ticked, by }, stack });
  });
}

function labelOf(env: Env, view: NativePointer): string {
  for (const name of ["getText", "getContentDescription"]) {
    const label = tryGetter(env, view, name);
    if (label instanceof NativePointer && !label.isNull()) {
      const string = tryGetter(env, label, "toString");
      const value = string instanceof NativePointer ? text(env, string) : null;
      if (value !== null && value !== "") {
        return value;
      }
    }
  }
  return "";
}

let crowded = false;

/** The visible views, in the order of the tree; of too many, those on top, which are the last of the tree. */
function read(env: Env, root: NativePointer): Read {
  const screen: Read = { texts: [], labels: [], checks: [] };
  let left = MOST_VIEWS;
  const visit = (view: NativePointer): void => {
    left -= 1;
    if (view.isNull()) {
      return;
    }
    const visible = tryGetter(env, view, "getVisibility");
    if (typeof visible === "number" && visible !== 0) {
      return;
    }
    if (isA(env, view, "android.view.ViewGroup")) {
      for (let i = getChildCount.number(env, view) - 1; i >= 0; i--) {
        if (left === 0) {
          tooMany();
          break;
        }
        inFrame(env, () => {
          visit(getChildAt.object(env, view, i));
        });
      }
    }
    const label = labelOf(env, view).slice(0, MOST_CHARACTERS);
    if (isA(env, view, "android.widget.Checkable")) {
      screen.checks.push({ text: label, checked: tryGetter(env, view, "isChecked") === 1 });
    } else if (label !== "") {
      const touchable = isA(env, view, "android.widget.Button") || tryGetter(env, view, "isClickable") === 1;
      (touchable ? screen.labels : screen.texts).push(label);
    }
  };
  visit(root);
  for (const found of Object.values(screen) as unknown[][]) {
    found.reverse();
  }
  return screen;
}

function tooMany(): void {
  if (!crowded) {
    crowded = true;
    gap("android.view.View", "overflow", `a window has more than ${MOST_VIEWS} views; of such windows, those on top are read`);
  }
}

function strings(env: Env, array: NativePointer): string[] {
  return eachOf(env, array, (element) => text(env, element) ?? "");
}

function permissionsAsked(call: Call): void {
  const array = call.args[0];
  if (array instanceof NativePointer && !array.isNull()) {
    tell(call.begun, {
      fact: "permissions_asked",
      permissions: strings(call.env, array),
      stack: frames(capture(call.env), "android.app.Activity.requestPermissions"),
    });
  }
}

const PERMISSION_NAMES = "android.content.pm.extra.REQUEST_PERMISSIONS_NAMES";
const PERMISSION_RESULTS = "android.content.pm.extra.REQUEST_PERMISSIONS_RESULTS";
const getStringArrayExtra = new Method(
  "android.content.Intent", "getStringArrayExtra", "(Ljava/lang/String;)[Ljava/lang/String;");
const getIntArrayExtra = new Method("android.content.Intent", "getIntArrayExtra", "(Ljava/lang/String;)[I");
const intsToString = new Method("java.util.Arrays", "toString", "([I)Ljava/lang/String;", true);

/** (request code, intent with the answers): called before onRequestPermissionsResult, which apps override. */
function permissionsAnswered(call: Call): void {
  const { env } = call;
  const intent = call.args[1];
  if (!(intent instanceof NativePointer) || intent.isNull()) {
    return;
  }
  inFrame(env, () => {
    const names = getStringArrayExtra.object(env, intent, newString(env, PERMISSION_NAMES));
    const results = getIntArrayExtra.object(env, intent, newString(env, PERMISSION_RESULTS));
    if (names.isNull() || results.isNull()) {
      return;
    }
    const numbers = (text(env, intsToString.object(env, null, results)) ?? "[]").slice(1, -1).split(", ");
    tell(call.begun, {
      fact: "permissions_answered",
      permissions: strings(env, names),
      granted: numbers.map((result) => result === "0"),
    });
  });
}

function sdkCalled(call: Call, spec: SdkCallSpec): void {
  const index = spec.argument === null ? null : spec.argument < 0 ? call.args.length + spec.argument : spec.argument;
  const value = index === null ? "true" : argumentText(call, index);
  if (spec.key !== null && argumentText(call, 0) !== spec.key) {
    return;
  }
  tell(call.begun, {
    fact: "sdk_call",
    api: `${spec.cls}.${spec.method}`,
    value,
    stack: frames(capture(call.env), `${spec.cls}.${spec.method}`),
  });
}
