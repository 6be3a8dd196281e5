// Makes the app accept the proxy's certificate, if the run was asked to (--unpin): the only file that changes what an
// app does. The checks are listed in catalog/unpinning.yml.

import { currentEnv, isStatic, overloadsOf, type ClassWrapper, type Overload, type Raw } from "../java/bridge.js";
import { Method, className, loadClass, wrapperFor } from "../java/classes.js";
import { overtake, watch } from "../java/engine.js";
import { eachClass, installForObject } from "../java/installing.js";
import { arrayElement, arrayLength, classOf, globalRef, inFrame, isInstance, isSame, type Env } from "../java/jni.js";
import { goLive, patch } from "../java/patches.js";
import { gap, wordsOf } from "../out/emit.js";
import { eachModule } from "../out/leaving.js";
import type { NativeCheck, Unpinning } from "../plan.js";
import { tryGetter } from "./readers.js";
import { isAsking } from "./trusts.js";
import { send } from "../out/numbered.js";

const told = new Set<string>();

/** Tell the host, once each, that a check was replaced, and that the app called it. */
function tell(check: string, state: "installed" | "met"): void {
  if (!told.has(`${check} ${state}`)) {
    told.add(`${check} ${state}`);
    send({ type: "unpinned", check, state });
  }
}

function failed(check: string, error: unknown): void {
  gap(check, "install_failed", wordsOf(error));
}

/** Replace the checks in Java, now or when their classes are loaded. */
export function unpin(env: Env, checks: Unpinning[]): void {
  for (const spec of checks) {
    eachClass(env, spec.given_to?.cls ?? spec.cls, (own, wrapper) => { takeOver(own, spec, wrapper); });
  }
}

function takeOver(env: Env, spec: Unpinning, wrapper: ClassWrapper): void {
  const check = `${spec.cls}.${spec.method}`;
  try {
    if (spec.given_to === null) {
      replace(env, spec, wrapper, spec.cls, check);
    } else {
      watchGiven(env, spec, wrapper, check);
    }
  } catch (error) {
    failed(check, error);
  }
}

/** For a class of the app: found when the app passes an object of it, alone or in an array. */
function watchGiven(env: Env, spec: Unpinning, wrapper: ClassWrapper, check: string): void {
  const given = spec.given_to;
  const known: NativePointer[] = [];
  if (given === null) {
    return;
  }
  const look = (env: Env, args: Raw[]): void => {
    const argument = args[given.argument];
    if (!(argument instanceof NativePointer) || argument.isNull()) {
      return;
    }
    for (const [cls, name] of inFrame(env, () => classesOf(env, argument, spec.cls, known))) {
      known.push(cls);
      installForObject(name, (own) => {
        replace(own, spec, wrapperFor(own, name, cls), name, check);
      });
    }
  };
  watch(env, wrapper, given.method, null, "app", {
    subject: `${given.cls}.${given.method} for ${check}`,
    before: (call) => {
      look(call.env, call.args);
    },
  });
}

function classesOf(env: Env, argument: NativePointer, api: string, known: NativePointer[]): [NativePointer, string][] {
  const wanted = loadClass(env, api);
  const array = loadClass(env, "[Ljava.lang.Object;");
  const isArray = array !== null && isInstance(env, argument, array);
  const objects = isArray
    ? Array.from({ length: arrayLength(env, argument) }, (_, i) => arrayElement(env, argument, i))
    : [argument];
  return objects.flatMap((object): [NativePointer, string][] => {
    const usable = !object.isNull() && wanted !== null && isInstance(env, object, wanted);
    const cls = usable ? classOf(env, object) : NULL;
    // The platform's own classes stay: not only the app depends on them.
    if (!usable || known.some((other) => isSame(env, other, cls)) || /^(java|javax|sun|com\.android\.org)\./.test(className(env, cls))) {
      return [];
    }
    return [[globalRef(env, cls), className(env, cls)]];
  });
}

function replace(env: Env, spec: Unpinning, wrapper: ClassWrapper, name: string, check: string): void {
  for (const overload of overloadsOf(wrapper, spec.method)) {
    // Inherited overloads belong to another class, and to all others that inherit them.
    if (overload.holder.$n.replace(/#\d+$/, "") !== name) {
      continue;
    }
    const isNew = overtake(env, overload, check, (_env, self, args, call) => {
      if (isAsking()) {
        return call(args);
      }
      tell(check, "met");
      return answer(spec, overload, self, args, call);
    });
    if (isNew) {
      tell(check, "installed");
    }
  }
}

function answer(
  spec: Unpinning, overload: Overload, self: NativePointer | null, args: Raw[], call: (args: Raw[]) => Raw,
): Raw {
  const { does } = spec;
  if (does === "this") {
    return isStatic(overload) ? NULL : (self ?? NULL);
  }
  if (does === "accept") {
    return accepted(overload, args);
  }
  if ("with" in does) {
    return call(args.map((arg, i) => (i in does.with ? (does.with[i] === null ? NULL : 1) : arg)));
  }
  const handler = args[does.proceed];
  if (handler instanceof NativePointer && !handler.isNull()) {
    tryGetter(currentEnv(), handler, "proceed");
  }
  return undefined;
}

const asList = new Method("java.util.Arrays", "asList", "([Ljava/lang/Object;)Ljava/util/List;", true);
const noList = new Method("java.util.Collections", "emptyList", "()Ljava/util/List;", true);

/** The result of a check that found nothing wrong: nothing, true, or the certificates that it was given. */
function accepted(overload: Overload, args: Raw[]): Raw {
  const { type, className: returns } = overload.returnType;
  if (type === "void") {
    return undefined;
  }
  if (type !== "pointer") {
    return 1;
  }
  if (returns !== "java.util.List") {
    return NULL;
  }
  const env = currentEnv();
  const types = overload.argumentTypes.map((each) => each.className);
  const list = args[types.indexOf("java.util.List")];
  const array = args[types.findIndex((each) => each.startsWith("["))];
  if (list instanceof NativePointer && !list.isNull()) {
    return list;
  }
  return array instanceof NativePointer && !array.isNull() ? asList.object(env, null, array) : noList.object(env, null);
}

/** Replace the checks in libraries that export them, now and as they are loaded. */
export function unpinNative(checks: NativeCheck[]): void {
  const done = new Set<string>();
  if (checks.length === 0) {
    return;
  }
  eachModule((module) => {
    for (const spec of checks) {
      const address = module.findExportByName(spec.function);
      if (address === null || done.has(address.toString())) {
        continue;
      }
      done.add(address.toString());
      try {
        overtakeNative(spec, address);
        tell(spec.function, "installed");
      } catch (error) {
        failed(`${module.name}!${spec.function}`, error);
      }
    }
    goLive();
  });
}

const kept: NativeCallback<"int", []>[] = [];

function overtakeNative(spec: NativeCheck, address: NativePointer): void {
  const { argument, callback, gives } = spec;
  let instead = NULL;
  if (argument !== null && callback !== null) {
    const answer = new NativeCallback(() => callback, "int", []);
    kept.push(answer);
    instead = answer;
  }
  patch(address, {
    onEnter(args) {
      tell(spec.function, "met");
      if (argument !== null) {
        args[argument] = instead;
      }
    },
    onLeave(result) {
      if (gives !== null) {
        result.replace(ptr(gives));
      }
    },
  });
}
