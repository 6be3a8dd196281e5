// Installs the plan's sources: one watcher for each API, whatever the API returns and in whatever way.

import type { ClassWrapper, Raw } from "../java/bridge.js";
import { className, loadClass, wrapperFor, wrapperOf } from "../java/classes.js";
import { namesAbsent, watch, type Call, type Kind, type Watch } from "../java/engine.js";
import type { Repeats } from "../java/folding.js";
import { eachClass, installForObject } from "../java/installing.js";
import { classOf, globalRef, inFrame, isInstance, isSame, type Env } from "../java/jni.js";
import { ownFrame } from "../java/stack.js";
import { appName, gap, wordsOf } from "../out/emit.js";
import type { SourceSpec, Status } from "../plan.js";
import { access, aroundValue, outcomeOf, rememberValues, wereGiven, type Origin, type Outcome } from "./access.js";
import { followAll } from "./follow.js";
import { NOTHING, argumentText, askedText, readValues, staticField, type Read } from "./readers.js";

/** The status of each source. */
export const statuses = new Map<SourceSpec, Status>();

let changed: () => void = () => undefined;

/** Have `tell` called when a status changes after the first installation. */
export function onChange(tell: () => void): void {
  changed = tell;
}

/** Each source has the status waiting until it is installed. */
export function expect(specs: SourceSpec[]): void {
  for (const spec of specs) {
    setStatus(spec, "waiting", null);
  }
}

function setStatus(spec: SourceSpec, state: Status["state"], detail: string | null): void {
  statuses.set(spec, { source: spec.source, cls: spec.cls, method: spec.method, state, detail });
}

export function install(env: Env, spec: SourceSpec): void {
  const watcher = watcherOf(spec);
  eachClass(env, spec.cls, (own, wrapper) => {
    hook(own, spec, watcher, wrapper);
    changed();
  });
}

/** Hook the API in one class of its name; it may already be hooked in another loader's. */
function hook(env: Env, spec: SourceSpec, watcher: Watch, wrapper: ClassWrapper): void {
  const before = statuses.get(spec)?.state;
  const set = (state: Status["state"], detail: string | null): void => {
    if (before !== "installed") {
      setStatus(spec, state, detail);
    } else if (state !== "installed") {
      gap(spec.source, "install_failed", `in the class of a further loader: ${detail ?? state}`);
    }
  };
  try {
    const done = watch(env, wrapper, spec.method, spec.overloads, kindOf(spec), watcher);
    const factories = spec.implementations.filter((factory) => watchFactory(env, spec, watcher, factory));
    if (done.count === 0 && done.abstract === 0 && done.unread.length > 0) {
      set("failed", namesAbsent(done.unread));
    } else if (done.count === 0 && done.abstract > 0) {
      set(
        factories.length > 0 ? "installed" : "failed",
        factories.length > 0 ? `its implementations, from ${factories.join(", ")}` : "abstract, and nothing gives its implementations",
      );
    } else if (done.count === 0 || done.missing.length > 0) {
      const missing = done.missing.length > 0 ? `(${done.missing.join("), (")})` : spec.method;
      set("overload_absent", `${missing} is not in ${spec.cls}`);
    } else {
      set("installed", done.abstract > 0 ? `${done.abstract} abstract overloads are left out` : null);
    }
  } catch (error) {
    set("failed", wordsOf(error));
  }
}

function kindOf(spec: SourceSpec): Kind {
  return spec.callback ? "app" : "api";
}

/** For an API that is an interface: hook the class of the object that a factory returns, or that a field holds. */
function watchFactory(env: Env, spec: SourceSpec, watcher: Watch, factory: string): boolean {
  const cut = factory.lastIndexOf(".");
  const [owner, name] = [factory.slice(0, cut), factory.slice(cut + 1)];
  const wrapper = wrapperOf(env, owner);
  if (wrapper === null) {
    return false;
  }
  const known: NativePointer[] = [];
  const made = (own: Env, object: Raw, install: (name: string, work: (env: Env) => void) => void): void => {
    const api = loadClass(own, spec.cls);
    if (!(object instanceof NativePointer) || object.isNull() || api === null || !isInstance(own, object, api)) {
      return;
    }
    if (!inFrame(own, () => known.some((cls) => isSame(own, cls, classOf(own, object))))) {
      const [cls, clsName] = inFrame(own, () => {
        const local = classOf(own, object);
        return [globalRef(own, local), className(own, local)];
      });
      known.push(cls);
      install(clsName, (ours) => {
        watch(ours, wrapperFor(ours, clsName, cls), spec.method, spec.overloads, kindOf(spec), watcher);
      });
    }
  };
  const done = watch(env, wrapper, name, null, "app", {
    subject: `${factory} for ${spec.source}`,
    after: (call) => {
      made(call.env, call.result, installForObject);
    },
  });
  return done.count > 0 || holds(env, owner, name, (object) => {
    made(env, object, (_name, work) => { work(env); });
  });
}

/** Pass what a static field holds to `made`; false when there is no such field. */
function holds(env: Env, owner: string, name: string, made: (object: Raw) => void): boolean {
  const cls = loadClass(env, owner);
  try {
    return cls !== null && inFrame(env, () => {
      made(staticField(env, cls, name));
      return true;
    });
  } catch {
    return false;
  }
}

function watcherOf(spec: SourceSpec): Watch {
  const patterns = spec.when?.matches.map(patternOf) ?? [];
  const asked = (call: Call): string | null =>
    spec.when === null ? null : askedText(call, spec.when.argument, spec.when.get);
  const concerns = (call: Call): boolean => {
    if (spec.when === null) {
      return true;
    }
    const text = asked(call);
    return text !== null && patterns.some((pattern) => pattern.test(text));
  };
  const originOf = (call: Call): Origin => ({
    spec,
    target: spec.target === null ? null : spec.target === "when" ? asked(call) : argumentText(call, spec.target),
    args: argumentsOf(call, spec),
  });
  const followsArguments = spec.follow.some((follow) => follow.object === "argument");
  const tell = (call: Call): void => {
    record(call, spec, originOf(call));
  };
  if (spec.unseen) {
    for (const { type } of spec.values) {
      rememberValues(type);
    }
  }
  if (spec.callback) {
    // What the app's method calls in a superclass is the same delivery.
    const busy = new Map<number, Call>();
    return {
      subject: spec.source,
      wants: concerns,
      before: (call) => {
        const thread = Process.getCurrentThreadId();
        if (!busy.has(thread)) {
          busy.set(thread, call);
          tell(call);
        }
      },
      after: (call) => {
        const thread = Process.getCurrentThreadId();
        if (busy.get(thread) === call) {
          busy.delete(thread);
        }
      },
    };
  }
  const watcher: Watch = { subject: spec.source, after: tell, repeats: repeatsOf(spec) };
  if (spec.when !== null) {
    watcher.wants = concerns;
  }
  if (followsArguments) {
    watcher.before = (call) => {
      followAll(call, spec.follow, "argument", originOf(call));
    };
  }
  return watcher;
}

/**
 * The arguments and the result that decide what is recorded of a call: a call in which they are equal is only counted.
 */
function repeatsOf(spec: SourceSpec): Repeats | null {
  const plain = spec.values.every(({ from, get, as, only }) => from === "return" && get.length === 0 && as === "text" && only === null);
  if (!plain || spec.follow.length > 0 || spec.unseen || (spec.when !== null && spec.when.get.length > 0)) {
    return null;
  }
  const depends = [spec.when?.argument, spec.target === "when" ? null : spec.target];
  if (depends.includes("this")) {
    return null;
  }
  const numbers = depends.filter((index) => typeof index === "number");
  const onlyText = spec.values.length === 1 && numbers.length === 0 && Object.keys(spec.args).length === 0;
  return { depends: numbers, reads: spec.values.length > 0, around: onlyText ? aroundValue : null };
}

function patternOf(pattern: string): RegExp {
  return new RegExp(pattern.replaceAll("${app}", appName().replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
}

function record(call: Call, spec: SourceSpec, origin: Origin): void {
  const { env } = call;
  const say = (outcome: Outcome, read: Read = NOTHING): void => {
    call.fold = access(env, call.begun, origin, outcome, read, ownFrame(call));
  };
  if (!call.thrown.isNull()) {
    const security = loadClass(env, "java.lang.SecurityException");
    say(security !== null && isInstance(env, call.thrown, security) ? "denied" : "threw");
    return;
  }
  followAll(call, spec.follow, "return", origin);
  if (spec.values.length > 0) {
    const read = readValues(call, spec.values);
    if (read !== null && !(spec.unseen && wereGiven(read.values))) {
      say(outcomeOf(read), read);
    }
  } else if (spec.follow.some((follow) => follow.as === "cursor")) {
    if (call.result instanceof NativePointer && call.result.isNull()) {
      say("empty");
    }
  } else if (!spec.quiet) {
    say(spec.follow.length > 0 ? "requested" : "returned");
  }
}

/** The arguments that matter, as text; objects other than text, numbers and booleans as their toString prints them. */
function argumentsOf(call: Call, spec: SourceSpec): Record<string, unknown> | null {
  const args: Record<string, unknown> = {};
  let any = false;
  for (const [name, index] of Object.entries(spec.args)) {
    const value = argumentText(call, index);
    if (value !== null && value.length <= 200) {
      args[name] = value;
      any = true;
    }
  }
  return any ? args : null;
}
