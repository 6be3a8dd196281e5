// Follows objects that deliver values after the call: the app's listeners and callbacks, and the tasks and cursors it
// got.

import { className, loadClass, wrapperFor } from "../java/classes.js";
import { watch, type Call, type Kind, type Watch } from "../java/engine.js";
import { installForObject } from "../java/installing.js";
import { classOf, globalRef, inFrame, isInstance, isSame, type Env } from "../java/jni.js";
import { ownFrame } from "../java/stack.js";
import { Tracked } from "../java/tracked.js";
import { gap } from "../out/emit.js";
import type { FollowSpec, StepSpec } from "../plan.js";
import { access, outcomeOf, type Origin } from "./access.js";
import { openCursor } from "./cursor.js";
import { readValues } from "./readers.js";

interface Followed {
  origin: Origin;
  spec: FollowSpec;
  /** threads inside one of its methods: what that method calls on the same object is the same delivery */
  busy: Set<number>;
}

/** An object may be followed for several sources, such as one listener for cells and for calls. */
const followed = new Tracked<Followed[]>();

function remember(env: Env, object: NativePointer, origin: Origin, spec: FollowSpec): void {
  const others = (followed.get(env, object) ?? []).filter((other) => other.spec !== spec);
  followed.set(env, object, [...others, { origin, spec, busy: new Set() }]);
}

/** Follow what the app passed (before the call, so that the first delivery is not missed) or what it got (after). */
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
      gap(name, "method_absent", `none of ${Object.keys(spec.methods).join(", ")} to see what is delivered`);
    }
  });
}

const watchers = new Map<string, Watch>();

/** One watcher for each method name, however many classes have it, so that an inherited method is watched once. */
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
