// Follows objects that give values away after the call: listeners and callbacks of the app, tasks and cursors it got.

import type { Access, Value } from "../event.js";
import type { Overload } from "../java/bridge.js";
import { className, loadClass, wrapperFor } from "../java/classes.js";
import { watch, type Call, type Kind, type Watch } from "../java/engine.js";
import { installForObject } from "../java/installing.js";
import { classOf, globalRef, inFrame, isInstance, isSame, type Env } from "../java/jni.js";
import { capture, frames, threadNameOf } from "../java/stack.js";
import { Tracked } from "../java/tracked.js";
import { micros } from "../out/clock.js";
import { emit, emitAccess, type Fold } from "../out/emit.js";
import type { FollowSpec, SourceSpec, StepSpec } from "../plan.js";
import { openCursor } from "./cursor.js";
import { readValues, type Read } from "./readers.js";

/** The access that an object came from. */
export interface Origin {
  spec: SourceSpec;
  target: string | null;
  args: Record<string, unknown> | null;
}

let withStack = true;

export function configureStack(on: boolean): void {
  withStack = on;
}

export type Outcome = Access["outcome"];

/** Sources of which a list was too long for a line; one gap each says so. */
const cut = new Set<string>();

/** Types of which it matters whether a value has been given before; the texts given lately, oldest first. */
const remembered = new Map<string, Map<string, true>>();
const MOST_REMEMBERED = 1000;

/** Remember the values of a type, for sources that only tell of what no other has given. */
export function rememberValues(type: string): void {
  if (!remembered.has(type)) {
    remembered.set(type, new Map());
  }
}

/** Whether a source has given all of these values lately. */
export function wereGiven(values: Value[]): boolean {
  return values.length > 0 && values.every(({ type, text }) => remembered.get(type)?.has(text) === true);
}

function given(values: Value[]): void {
  for (const { type, text } of values) {
    const texts = remembered.get(type);
    if (texts !== undefined) {
      texts.delete(text);
      texts.set(text, true);
      if (texts.size > MOST_REMEMBERED) {
        texts.delete(texts.keys().next().value ?? "");
      }
    }
  }
}

/** All values in one text, the same only for the same values; by hand, as it is made at each call. */
function told(values: Value[]): string {
  let text = "";
  for (const value of values) {
    text += `${value.type}:${value.text.length}:${value.text};${value.row ?? ""}`;
  }
  return text;
}

/** Queue one access; gives what it was folded into. `own` is the hooked method's own frame, which is no caller. */
export function access(
  env: Env, at: number, origin: Origin, outcome: Outcome, read: Read, own: string | null,
): Fold {
  const { spec, target } = origin;
  const { values, elements } = read;
  if (remembered.size > 0) {
    given(values);
  }
  const args = elements === null ? origin.args : { ...origin.args, elements };
  const captured = withStack ? capture(env) : "";
  const key = `${spec.source}\n${spec.data}\n${target}\n${outcome}\n${elements}\n${told(values)}\n${captured}`;
  const fold = emitAccess(at, key, () => ({
    kind: "access",
    source: spec.source,
    target,
    data: spec.data,
    values,
    outcome,
    args,
    stack: captured === "" ? [] : frames(captured, own),
    thread: threadNameOf(env),
  }));
  if (read.cut && !cut.has(spec.source)) {
    cut.add(spec.source);
    emit(at, {
      kind: "gap", where: "hook", subject: spec.source, why: "overflow",
      detail: `it gave ${elements} elements; the lines of this source hold the values of ${values.length} at most`,
    });
  }
  return fold;
}

/** Whether a call that gave this gave something, as an outcome. */
export function outcomeOf(read: Read): Outcome {
  return read.values.length > 0 || (read.elements ?? 0) > 0 ? "returned" : "empty";
}

/** `Class.method` of a call as it stands in its own stack frame. */
export function ownFrame(call: Call): string {
  let own = owns.get(call.overload);
  if (own === undefined) {
    own = `${call.overload.holder.$n.replace(/#\d+$/, "")}.${call.method}`;
    owns.set(call.overload, own);
  }
  return own;
}

const owns = new WeakMap<Overload, string>();

interface Followed {
  origin: Origin;
  spec: FollowSpec;
  /** threads that are inside one of its methods: what it calls on itself is the same delivery */
  busy: Set<number>;
}

/** An object may be followed for several sources: one listener that hears of cells and of calls. */
const followed = new Tracked<Followed[]>();

function remember(env: Env, object: NativePointer, origin: Origin, spec: FollowSpec): void {
  const others = (followed.get(env, object) ?? []).filter((other) => other.spec !== spec);
  followed.set(env, object, [...others, { origin, spec, busy: new Set() }]);
}

/** Follow what the app gave (before the call, so that the first delivery is not missed) or what it got (after). */
export function followAll(call: Call, specs: FollowSpec[], which: FollowSpec["object"], origin: Origin): void {
  for (const spec of specs) {
    if (spec.object !== which) {
      continue;
    }
    for (const object of objectsOf(call, spec)) {
      if (spec.as === "cursor") {
        openCursor(call, object, spec, origin);
      } else {
        remember(call.env, object, origin, spec);
        hookClass(call.env, object, spec);
      }
    }
  }
}

function objectsOf(call: Call, spec: FollowSpec): NativePointer[] {
  const candidates = spec.object === "return" ? [call.result] : call.args;
  const cls = spec.type === null ? null : loadClass(call.env, spec.type);
  if (spec.type !== null && cls === null) {
    return [];
  }
  return candidates.filter(
    (raw): raw is NativePointer =>
      raw instanceof NativePointer && !raw.isNull() && (cls === null || isInstance(call.env, raw, cls)));
}

/** Classes whose methods are already hooked for a spec. */
const prepared = new Map<FollowSpec, NativePointer[]>();

function hookClass(env: Env, object: NativePointer, spec: FollowSpec): void {
  const known = prepared.get(spec) ?? [];
  const isNew = inFrame(env, () => !known.some((cls) => isSame(env, cls, classOf(env, object))));
  if (!isNew) {
    return;
  }
  const [cls, name] = inFrame(env, () => {
    const local = classOf(env, object);
    return [globalRef(env, local), className(env, local)];
  });
  prepared.set(spec, [...known, cls]);
  const kind: Kind = spec.object === "argument" ? "app" : "api";
  installForObject(name, (own) => {
    const wrapper = wrapperFor(own, name, cls);
    let hooked = 0;
    for (const method of Object.keys(spec.methods)) {
      hooked += watch(own, wrapper, method, null, kind, watcherOf(spec.type ?? name, method, kind)).count;
    }
    if (hooked === 0) {
      emit(micros(), {
        kind: "gap", where: "hook", subject: name, why: "method_absent",
        detail: `none of ${Object.keys(spec.methods).join(", ")} to see what is delivered`,
      });
    }
  });
}

const watchers = new Map<string, Watch>();

/** One watcher a method name, however many classes have it: a method that several inherit is then watched once. */
function watcherOf(name: string, method: string, kind: Kind): Watch {
  const key = `${kind} ${method}`;
  const watcher = watchers.get(key) ?? makeWatcher(name, method, kind);
  watchers.set(key, watcher);
  return watcher;
}

function makeWatcher(name: string, method: string, kind: Kind): Watch {
  const steps = (call: Call): [Followed, StepSpec][] =>
    (followed.get(call.env, call.self) ?? []).flatMap((what): [Followed, StepSpec][] => {
      const spec = what.spec.methods[method];
      return spec === undefined ? [] : [[what, spec]];
    });
  const wants = ({ env, self }: Call): boolean =>
    followed.get(env, self)?.some((what) => what.spec.methods[method] !== undefined) ?? false;
  const subject = `${name}.${method}`;
  if (kind === "app") {
    return {
      subject,
      wants,
      before: (call) => {
        const thread = Process.getCurrentThreadId();
        for (const [what, step] of steps(call)) {
          if (!what.busy.has(thread)) {
            what.busy.add(thread);
            give(call, step, what.origin, null);
          }
        }
      },
      after: (call) => {
        for (const what of followed.get(call.env, call.self) ?? []) {
          what.busy.delete(Process.getCurrentThreadId());
        }
      },
    };
  }
  return {
    subject,
    wants,
    before: (call) => {
      for (const [what, step] of steps(call)) {
        followAll(call, step.follow, "argument", what.origin);
      }
    },
    after: (call) => {
      if (!call.thrown.isNull()) {
        return;
      }
      for (const [what, step] of steps(call)) {
        followAll(call, step.follow, "return", what.origin);
        give(call, step, what.origin, ownFrame(call));
      }
    },
  };
}

function give(call: Call, step: StepSpec, origin: Origin, own: string | null): void {
  if (step.values.length === 0) {
    return;
  }
  const read = readValues(call, step.values);
  if (read !== null) {
    access(call.env, call.begun, origin, outcomeOf(read), read, own);
  }
}
