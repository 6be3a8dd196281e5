// Has ART leave its compiled code, which may hold copies of methods that are hooked.
//
// A compiler puts short methods into those that call them, and a hook on the method is not asked there. So when methods were
// replaced, each method that has compiled code is interpreted again, and is compiled anew when it is hot: no compiler takes
// in a method that is replaced, as the bridge marks it as one that is not to be compiled. A method that ART knows itself, and
// makes code of without a call (an intrinsic), loses the mark of that.
// Run on ART 10 alone, on x86-64, with both of its compilers.

import Java from "frida-java-bridge";
import { NATIVE } from "../native/shared.js";
import { after } from "../out/doorbell.js";
import { gap, wordsOf } from "../out/emit.js";
import { API_LEVEL, artApi, type ArtApi } from "./bridge.js";
import { leaveCompiled, onInitialize } from "./copies.js";
import { goLive, patch } from "./patches.js";

const POINTER = Process.pointerSize;
const ABSTRACT = 0x0400;
const INTRINSIC = 0x80000000;
/** Android 10 and later: bits of an intrinsic method that say which one it is, and mean something else in others. */
const INTRINSIC_BITS = 0xff800000;
const INTRINSIC_FIRST_API = 29;
const PUBLIC_API = 0x10000000;
const DONT_COMPILE = 0x02000000;
const FLAGS_OFFSET = 4;
/** Bytes of ART's Runtime in which its code cache is looked for. */
const RUNTIME_BYTES = 4096;
/** The name of the lock with which a code cache begins, in Android 10. */
const CACHE_LOCK = "Jit code cache";
/** Up to Android 11, without it nothing is compiled while the app runs. */
const COMPILER = "libart-compiler.so";
const COMPILER_LAST_API = 30;
/** What was being compiled when the methods were replaced is there by then. */
const AGAIN_MS = 1000;

/**
 * A class is about to be initialised: (linker, thread, handle of the class ...). Its methods have the code by now that was
 * compiled ahead, but for static ones, which get it afterwards (entry.ts sees to that).
 */
const INITIALIZE = "_ZN3art11ClassLinker15InitializeClassEPNS_6ThreadENS_6HandleINS_6mirror5ClassEEEbb";

let entry: number | null = null;
let alive = NULL;
let aliveCount = 0;
let isDirty = false;
let isAwaited = false;
let isStrange = false;
let isWatched = false;
let updatesAreSeen = false;

/**
 * A method was replaced; where methods have their entry points, which of these are no code of a method, and whether it is
 * seen how ART gives methods others.
 */
export function replacedOne(at: number, entries: NativePointer, count: number, isSeen: boolean): void {
  [entry, alive, aliveCount, updatesAreSeen] = [at, entries, count, isSeen];
  isDirty = true;
}

/** A method that was replaced and that ART makes code of without a call: from now on it is called. */
export function callIntrinsic(id: NativePointer, was: number): void {
  if ((was & INTRINSIC) !== 0 && API_LEVEL >= INTRINSIC_FIRST_API) {
    const flags = id.add(FLAGS_OFFSET);
    flags.writeU32(((flags.readU32() & ~INTRINSIC_BITS) | PUBLIC_API | DONT_COMPILE) >>> 0);
  }
}

/** Where methods were replaced since it was last asked: leave what was compiled before, now and once more a little later. */
export function leaveWhatWasCompiled(): void {
  if (!isDirty || isAwaited) {
    return;
  }
  isDirty = false;
  leave();
  watchClasses();
  isAwaited = true;
  after(AGAIN_MS, () => {
    isAwaited = false;
    Java.vm.perform(isDirty ? leaveWhatWasCompiled : leave);
  });
}

/** Classes that are initialised later have no code that was compiled ahead. */
function watchClasses(): void {
  if (isWatched) {
    return;
  }
  isWatched = true;
  const { module } = artApi();
  const initialize = module.findExportByName(INITIALIZE) ?? module.findSymbolByName(INITIALIZE);
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

function leave(): void {
  if (entry === null || isStrange) {
    return;
  }
  try {
    const api = artApi();
    leaveCompiled(entry, {
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

/** Where ART keeps what it compiles while the app runs, and how it forgets it; NULL where that is not found. */
function cacheOf(api: ArtApi): Cache {
  return found ??= lookFor(api);
}

function lookFor({ module, artRuntime }: ArtApi): Cache {
  const at = (name: string): NativePointer => module.findExportByName(name) ?? module.findSymbolByName(name) ?? NULL;
  const { contains, header, osr, invalidate } = FUNCTIONS;
  const functions = { contains: at(contains), header: at(header), osr: at(osr), invalidate: at(invalidate) };
  const tells = API_LEVEL <= COMPILER_LAST_API && Process.findModuleByName(COMPILER) === null ? ptr(1) : NULL;
  const nothing = { cache: NULL, contains: NULL, header: NULL, osr: NULL, invalidate: NULL, tells };
  if (Object.values(functions).some((each) => each.isNull())) {
    return nothing;
  }
  // Nothing is read that may not be there: a fault is not ours alone in a process that has handlers for them.
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
