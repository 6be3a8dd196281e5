// Makes ART abandon its compiled code, which may contain inlined copies of hooked methods.
//
// A compiler inlines short methods into their callers, where a hook on the method is not called. So when methods were
// replaced, every method with compiled code is interpreted again, and compiled anew when it is hot: compilers do not
// inline a replaced method, since the bridge marks it as not to be compiled. A method for which ART generates code
// without a call (an intrinsic) loses its intrinsic flags. A call that is running stays in compiled code until it
// returns: if the method is the app's, a gap names it. Tried on ART 10 only, with both of its compilers.

import Java from "frida-java-bridge";
import { NATIVE } from "../native/shared.js";
import { after } from "../out/doorbell.js";
import { gap, wordsOf } from "../out/emit.js";
import { API_LEVEL, artApi, currentEnv, type ArtApi } from "./bridge.js";
import { leaveCompiled, onInitialize } from "./copies.js";
import { inVm } from "./ending.js";
import { goLive, patch } from "./patches.js";
import { isOneOf, running } from "./running.js";
import { addressOf } from "./symbols.js";

const POINTER = Process.pointerSize;
const ABSTRACT = 0x0400;
const INTRINSIC = 0x80000000;
/** Android 10 and later: flags that identify an intrinsic; in other methods these bits mean something else. */
const INTRINSIC_BITS = 0xff800000;
const INTRINSIC_FIRST_API = 29;
const PUBLIC_API = 0x10000000;
const DONT_COMPILE = 0x02000000;
const FLAGS_OFFSET = 4;
/** Bytes of ART's Runtime that are searched for its code cache. */
const RUNTIME_BYTES = 4096;
/** The name of the lock at the beginning of a code cache, in Android 10. */
const CACHE_LOCK = "Jit code cache";
/** Up to Android 11, nothing is compiled at run time without this library. */
const COMPILER = "libart-compiler.so";
const COMPILER_LAST_API = 30;
/** By then, everything that was being compiled when the methods were replaced is finished. */
const AGAIN_MS = 1000;

/**
 * Called when a class is about to be initialised: (linker, thread, handle of the class ...). Its methods already have
 * their code compiled ahead of time, except static ones, which get it later (handled by entry.ts).
 */
const INITIALIZE = "_ZN3art11ClassLinker15InitializeClassEPNS_6ThreadENS_6HandleINS_6mirror5ClassEEEbb";

let entry: number | null = null;
let alive = NULL;
let aliveCount = 0;
let isDirty = false;
/** What is to happen once compiled code has been abandoned. */
const waiting: (() => void)[] = [];
let tookMs = 0;
let endedAt = 0;
let turn = 0;
let isStrange = false;
let isWatched = false;
let updatesAreSeen = false;

/**
 * Called when a method was replaced: the offset of a method's entry point, the entry points that are no method's code,
 * and whether entry points given by ART are seen.
 */
export function replacedOne(at: number, entries: NativePointer, count: number, isSeen: boolean): void {
  [entry, alive, aliveCount, updatesAreSeen] = [at, entries, count, isSeen];
  isDirty = true;
}

/** Have a replaced intrinsic called like other methods from now on. */
export function callIntrinsic(id: NativePointer, was: number): void {
  if ((was & INTRINSIC) !== 0 && API_LEVEL >= INTRINSIC_FIRST_API) {
    const flags = id.add(FLAGS_OFFSET);
    flags.writeU32(((flags.readU32() & ~INTRINSIC_BITS) | PUBLIC_API | DONT_COMPILE) >>> 0);
  }
}

/**
 * If methods were replaced since the last time, abandon existing compiled code, now and again a little later; then call
 * `then`.
 */
export function leaveWhatWasCompiled(then: () => void): void {
  if (!isDirty) {
    then();
    return;
  }
  waiting.push(then);
  if (waiting.length > 1) {
    return;
  }
  // Each time, all classes are walked: wait, so that at least half of our thread's time is left for other work.
  const rest = tookMs - (Date.now() - endedAt);
  if (rest <= 0) {
    leaveNow();
  } else {
    after(rest, () => { Java.vm.perform(leaveNow); });
  }
}

function leaveNow(): void {
  isDirty = false;
  const began = Date.now();
  const methods = leave(null);
  watchClasses();
  endedAt = Date.now();
  tookMs = endedAt - began;
  turn += 1;
  const mine = turn;
  after(AGAIN_MS, () => {
    if (mine === turn) {
      inVm(() => { leave(methods); });
    }
  });
  waiting.splice(0).forEach((then) => { then(); });
}

/** Have classes that are initialised later start without code compiled ahead of time. */
function watchClasses(): void {
  if (isWatched) {
    return;
  }
  isWatched = true;
  const { module } = artApi();
  const initialize = addressOf(module, INITIALIZE);
  if (initialize === null || found?.tells.isNull() !== false || !updatesAreSeen) {
    tell("classes that the app uses for the first time bring code that was compiled ahead");
    return;
  }
  patch(initialize, { onEnter: onInitialize });
  goLive();
}

function tell(why: string): void {
  gap(
    "agent", "not_observed",
    `compiled code may hold copies of hooked methods, whose calls are not seen there: ${why}`);
}

/**
 * Abandon compiled code, and name the app's running methods that stay in it; returns all running methods. `before`:
 * those that were running the first time; no others are named, since a method that began later runs code that was
 * compiled without inlining a hooked method.
 */
function leave(before: string[] | null): string[] {
  if (entry === null || isStrange) {
    return [];
  }
  let left: Set<string> | null;
  try {
    const api = artApi();
    left = leaveCompiled(entry, {
      bridge: api.artQuickToInterpreterBridge,
      own: api.module.base,
      own_end: api.module.base.add(api.module.size),
      alive,
      alive_count: ptr(aliveCount),
      skip: ptr(NATIVE | ABSTRACT | DONT_COMPILE),
      ...cacheOf(api),
    });
  } catch (error) {
    isStrange = true;
    tell(wordsOf(error));
    return [];
  }
  return left?.size === 0 ? [] : nameRunning(left, before);
}

function nameRunning(left: Set<string> | null, before: string[] | null): string[] {
  try {
    const env = currentEnv();
    const methods = running(env);
    tellOfRunning(methods.filter((method) => before?.includes(method) !== false && isOneOf(env, method, left)));
    return methods;
  } catch (error) {
    tell(`which methods stay in it until they return is not known: ${wordsOf(error)}`);
    return [];
  }
}

const told = new Set<string>();
const MOST_NAMED = 5;

function tellOfRunning(methods: string[]): void {
  const others = methods.filter((method) => !told.has(method));
  others.forEach((method) => told.add(method));
  if (others.length > 0) {
    const more = others.length > MOST_NAMED ? ` and ${others.length - MOST_NAMED} more` : "";
    tell(`methods that were running when the hooks came stay in it until they return: ${others.slice(0, MOST_NAMED).join(", ")}${more}`);
  }
}

interface Cache {
  cache: NativePointer;
  contains: NativePointer;
  header: NativePointer;
  osr: NativePointer;
  invalidate: NativePointer;
  tells: NativePointer;
}

const FUNCTIONS = {
  contains: "_ZNK3art3jit12JitCodeCache10ContainsPcEPKv",
  header: "_ZN3art3jit12JitCodeCache18LookupMethodHeaderEmPNS_9ArtMethodE",
  osr: "_ZN3art3jit12JitCodeCache21LookupOsrMethodHeaderEPNS_9ArtMethodE",
  invalidate: "_ZN3art3jit12JitCodeCache25InvalidateCompiledCodeForEPNS_9ArtMethodEPKNS_20OatQuickMethodHeaderE",
};

let found: Cache | null = null;

/** ART's code cache, and the functions with which it drops code; NULL where they are not found. */
function cacheOf(api: ArtApi): Cache {
  return found ??= lookFor(api);
}

function lookFor({ module, artRuntime }: ArtApi): Cache {
  const at = (name: string): NativePointer => addressOf(module, name) ?? NULL;
  const { contains, header, osr, invalidate } = FUNCTIONS;
  const functions = { contains: at(contains), header: at(header), osr: at(osr), invalidate: at(invalidate) };
  const tells = API_LEVEL <= COMPILER_LAST_API && Process.findModuleByName(COMPILER) === null ? ptr(1) : NULL;
  const nothing = { cache: NULL, contains: NULL, header: NULL, osr: NULL, invalidate: NULL, tells };
  if (Object.values(functions).some((each) => each.isNull())) {
    return nothing;
  }
  // Read only mapped memory: if the process has fault handlers, a fault of ours would reach them, too.
  const ranges = Process.enumerateRanges("rw-");
  const left = (at: NativePointer): number => {
    const range = ranges.find(({ base, size }) => base.compare(at) <= 0 && base.add(size).compare(at) > 0);
    return range === undefined ? 0 : range.base.add(range.size).sub(at).toUInt32();
  };
  const end = Math.min(RUNTIME_BYTES, left(artRuntime));
  for (let offset = 0; offset + POINTER <= end; offset += POINTER) {
    const cache = artRuntime.add(offset).readPointer();
    if (cache.and(POINTER - 1).isNull() && left(cache) >= 2 * POINTER) {
      const name = cache.add(POINTER).readPointer();
      const isOfArt = name.compare(module.base) >= 0 && name.compare(module.base.add(module.size)) < 0;
      if (isOfArt && name.readCString(CACHE_LOCK.length) === CACHE_LOCK) {
        return { cache, ...functions, tells: ptr(1) };
      }
    }
  }
  return nothing;
}
