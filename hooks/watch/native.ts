// Routes to personal data below the Java API: functions of native libraries, called by or for the app's own code.
//
// What counts is who calls. A hooked Java API that ends here has its own access; what the virtual machine, the C
// library and the framework do for themselves is not the app's. This leaves native code of the app, and Java code of
// the app that came here through the platform's classes.

import { JVM } from "../java/daemon.js";
import { isPlatform, ownerOfPath } from "../java/owners.js";
import { goLive } from "../java/patches.js";
import { here, type Where } from "../java/stack.js";
import { micros } from "../out/clock.js";
import { gap, wordsOf } from "../out/emit.js";
import { Failures } from "../out/failures.js";
import { eachModule } from "../out/leaving.js";
import type { AskSpec, RouteSpec } from "../plan.js";
import { ALL, watchCalls, type Call } from "./filters.js";
import { Nesting } from "./inside.js";
import { say, type Asked, type Reader } from "./native_call.js";
import { ROUTES } from "./routes.js";

const EPERM = 1;
const EACCES = 13;

/** Patterns of all asks, each compiled once. */
const patterns = new Map<AskSpec, RegExp>();
/** library -> what to do when it has been loaded */
const awaited = new Map<string, ((module: Module) => void)[]>();
const watched = new Set<string>();
/** Calls that a route makes itself are the same read. */
const within = new Nesting();

export function watchNative(routes: RouteSpec[]): void {
  for (const route of routes) {
    for (const ask of route.asks) {
      patterns.set(ask, new RegExp(ask.matches));
    }
    // The C library has other names on other systems; all other names are fixed.
    const libc = route.library === "libc.so";
    const there = Process.findModuleByName(route.library);
    for (const name of route.functions) {
      const address = there?.findExportByName(name) ?? (libc ? Module.findGlobalExportByName(name) : null);
      if (address !== null) {
        attach(route, name, address);
      }
    }
    const works = awaited.get(route.library) ?? [];
    works.push((module) => {
      for (const name of route.functions) {
        const address = module.findExportByName(name);
        if (address !== null) {
          attach(route, name, address);
        }
      }
    });
    awaited.set(route.library, works);
  }
  eachModule((module) => {
    const works = awaited.get(module.name) ?? [];
    for (const work of works) {
      work(module);
    }
    if (works.length > 0) {
      goLive();
    }
  });
}

function attach(route: RouteSpec, name: string, address: NativePointer): void {
  const key = address.toString();
  if (watched.has(key)) {
    return;
  }
  watched.add(key);
  const reader = ROUTES[route.reads];
  const failures = new Failures(route.source);
  try {
    const filter = reader.finds?.(name, route.asks.map(({ matches }) => matches)) ?? ALL;
    watchCalls(address, filter, {
      enter(call) {
        failures.safely(() => {
          const asked = question(route, reader, name, call);
          if (asked !== null && reader.atOnce === true) {
            say(asked, "returned", []);
          } else if (asked !== null) {
            within.enter(call);
            call["asked"] = asked;
          }
        });
        return call["asked"] !== undefined;
      },
      leave(call, result) {
        const asked = call["asked"] as Asked;
        failures.safely(() => {
          if (reader.fails?.(result) === true) {
            say(asked, call.errno === EACCES || call.errno === EPERM ? "denied" : "empty", []);
          } else {
            const values = reader.gives(asked, result, call.args, name);
            if (values !== null) {
              say(asked, values.length > 0 || reader.names === false ? "returned" : "empty", values);
            }
          }
        });
        within.leave(call);
      },
    }, { covers: true });
  } catch (error) {
    // Some functions are too short to be hooked.
    gap(route.source, "install_failed", `${name}: ${wordsOf(error)}`);
  }
}

function question(route: RouteSpec, reader: Reader, name: string, call: Call): Asked | null {
  if (within.has(call)) {
    return null;
  }
  const target = reader.asks(call.args, name);
  const ask = target === null ? undefined : route.asks.find((each) => patterns.get(each)?.test(target) === true);
  if (target === null || ask === undefined) {
    return null;
  }
  const where = callerAt(call.returnAddress);
  return where === null ? null : { route, ask, target, at: micros(), where };
}

// The caller.

const modules = new ModuleMap();
/** Classes through which Java code reads files and runs commands; other platform classes read for themselves. */
const READS = /^(java\.(io|nio|lang|util)|sun\.nio|jdk\.internal|libcore\.io|android\.system|kotlin\.io)\./;
/**
 * A JVM's own libraries are also the platform; its launcher may have been copied to another folder. What another
 * package's libraries (WebView's, those of Google Play services) do for themselves is not the app's either.
 */
function isSystem(path: string): boolean {
  return ownerOfPath(path) !== "app" || ofJvm().some((folder) => path.startsWith(folder));
}

let folders: string[] = [];

function ofJvm(): string[] {
  if (folders.length < 2) {
    const own = Process.enumerateModules().filter(({ name }) => JVM.test(name) || /^lib(java|javacore|art)\.(so|dylib)$/.test(name));
    folders = own.map(({ name, path }) => path.replace(JVM.test(name) ? /[^/]+\/[^/]+$/ : /[^/]+$/, ""));
  }
  return folders;
}

function moduleAt(address: NativePointer): Module | null {
  const module = modules.find(address);
  if (module === null) {
    modules.update();
    return modules.find(address);
  }
  return module;
}

const VIRTUAL_MACHINE = /^(libc\.so|libc\.so\.6|libc-|ld-|linker|libart\.so|libjvm\.so|frida-(agent|gadget))/;
/** Libraries with the native methods of the classes through which Java code reads. */
const OF_READS = /^lib(java|javacore|nio|net|zip|openjdk\w*)\.(so|dylib)$/;

/**
 * The stack of a call from `address` if it is the app's, null if it is the platform's own; mostly the module tells
 * which.
 */
function callerAt(address: NativePointer): Where | null {
  const module = moduleAt(address);
  if (module === null || !(isSystem(module.path) || VIRTUAL_MACHINE.test(module.name))) {
    return fromNative(module, address);
  }
  if (!OF_READS.test(module.name)) {
    return null;
  }
  const where = here();
  const app = where.stack.findIndex((frame) => !isPlatform(frame));
  return app >= 0 && where.stack.slice(0, app).every((frame) => READS.test(frame)) ? where : null;
}

/** The stack of a call from native code of the app, null for any other: a TLS library's calls are not the app's. */
export function appCaller(address: NativePointer): Where | null {
  const module = moduleAt(address);
  const isOther = module !== null
    && (isSystem(module.path) || VIRTUAL_MACHINE.test(module.name) || /ssl|crypto/i.test(module.name));
  return isOther ? null : fromNative(module, address);
}

/** Code outside any module was made at run time, by a JIT or an unpacker. It is not known to be the platform's. */
function fromNative(module: Module | null, address: NativePointer): Where {
  const frame = module === null ? `?!${address.toString()}` : `${module.name}!${functionAt(module, address)}`;
  const where = here();
  return { ...where, stack: [`${frame}()`, ...where.stack] };
}

const exported = new Map<string, { name: string; from: NativePointer }[]>();

/** The last exported function before an address, or its offset in the library when there is none. */
function functionAt(module: Module, address: NativePointer): string {
  let functions = exported.get(module.path);
  if (functions === undefined) {
    functions = module.enumerateExports().filter(({ type }) => type === "function")
      .map(({ name, address: from }) => ({ name, from })).sort((a, b) => b.from.compare(a.from));
    exported.set(module.path, functions);
  }
  return functions.find(({ from }) => from.compare(address) < 0)?.name ?? `0x${address.sub(module.base).toString(16)}`;
}
