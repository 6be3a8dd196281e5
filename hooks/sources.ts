// Installs the sources of the plan: one watcher an API, whatever the API gives and however it gives it.

import type { Env } from "./bridge.js";
import { className, loadClass, wrapperFor, wrapperOf } from "./classes.js";
import { watch, type Call, type Kind, type Watch } from "./engine.js";
import { access, followAll, outcomeOf, ownFrame, type Origin, type Outcome } from "./follow.js";
import { classOf, globalRef, inFrame, isInstance, isSame } from "./jni.js";
import { installNow, whenDefined } from "./late.js";
import type { SourceSpec, Status } from "./plan.js";
import { NOTHING, argumentText, askedText, readValues, type Read } from "./readers.js";

/** How far each source is. */
export const statuses = new Map<SourceSpec, Status>();

let changed: () => void = () => undefined;

/** Called when a status changes after the first installation. */
export function onChange(tell: () => void): void {
  changed = tell;
}

export function installAll(env: Env, specs: SourceSpec[]): void {
  for (const spec of specs) {
    install(env, spec);
  }
}

function install(env: Env, spec: SourceSpec): void {
  const set = (state: Status["state"], detail: string | null): void => {
    statuses.set(spec, { source: spec.source, cls: spec.cls, method: spec.method, state, detail });
  };
  try {
    const wrapper = wrapperOf(env, spec.cls);
    if (wrapper === null) {
      set("waiting", null);
      whenDefined(spec.cls, (own) => {
        install(own, spec);
        changed();
      });
      return;
    }
    const watcher = watcherOf(spec);
    const done = watch(env, wrapper, spec.method, spec.overloads, kindOf(spec), watcher);
    const factories = spec.implementations.filter((factory) => watchFactory(env, spec, watcher, factory));
    if (done.count === 0 && done.abstract > 0) {
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
    set("failed", error instanceof Error ? error.message : String(error));
  }
}

function kindOf(spec: SourceSpec): Kind {
  return spec.callback ? "app" : "api";
}

/** An API that is an interface: hook the class of what the factory returns, when it returns it. */
function watchFactory(env: Env, spec: SourceSpec, watcher: Watch, factory: string): boolean {
  const cut = factory.lastIndexOf(".");
  const wrapper = wrapperOf(env, factory.slice(0, cut));
  if (wrapper === null) {
    return false;
  }
  const known: NativePointer[] = [];
  const done = watch(env, wrapper, factory.slice(cut + 1), null, "app", {
    subject: `${factory} for ${spec.source}`,
    after: (call) => {
      const { env: own, result } = call;
      const api = loadClass(own, spec.cls);
      if (!(result instanceof NativePointer) || result.isNull() || api === null || !isInstance(own, result, api)) {
        return;
      }
      const isNew = inFrame(own, () => !known.some((cls) => isSame(own, cls, classOf(own, result))));
      if (!isNew) {
        return;
      }
      const [cls, name] = inFrame(own, () => {
        const local = classOf(own, result);
        return [globalRef(own, local), className(own, local)];
      });
      known.push(cls);
      installNow((ours) => {
        watch(ours, wrapperFor(ours, name, cls), spec.method, spec.overloads, kindOf(spec), watcher);
      });
    },
  });
  return done.count > 0;
}

function watcherOf(spec: SourceSpec): Watch {
  const patterns = spec.when?.matches.map((pattern) => new RegExp(pattern)) ?? [];
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
    if (concerns(call)) {
      record(call, spec, originOf(call));
    }
  };
  if (spec.callback) {
    // What the app's method calls on the class above is the same delivery.
    const busy = new Map<number, Call>();
    return {
      subject: spec.source,
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
  const watcher: Watch = { subject: spec.source, after: tell };
  if (followsArguments) {
    watcher.before = (call) => {
      if (concerns(call)) {
        followAll(call, spec.follow, "argument", originOf(call));
      }
    };
  }
  return watcher;
}

function record(call: Call, spec: SourceSpec, origin: Origin): void {
  const { env } = call;
  const say = (outcome: Outcome, read: Read = NOTHING): void => {
    access(env, call.begun, origin, outcome, read, ownFrame(call));
  };
  if (!call.thrown.isNull()) {
    const security = loadClass(env, "java.lang.SecurityException");
    say(security !== null && isInstance(env, call.thrown, security) ? "denied" : "threw");
    return;
  }
  followAll(call, spec.follow, "return", origin);
  if (spec.values.length > 0) {
    const read = readValues(call, spec.values);
    if (read !== null) {
      say(outcomeOf(read), read);
    }
  } else if (spec.follow.some((follow) => follow.as === "cursor")) {
    if (call.result instanceof NativePointer && call.result.isNull()) {
      say("empty");
    }
  } else {
    say(spec.follow.length > 0 ? "requested" : "returned");
  }
}

/** The arguments that matter: text, numbers and bools; other objects only say what they are when asked as text. */
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
