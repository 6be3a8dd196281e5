// On ART: finds which of the wanted classes a class loader has in its own dex files, by reading the files: a loader
// that is asked for a missing class creates an exception for each of its parents.

import DEX from "../native/dex.txt";
import { loadClass } from "./classes.js";
import { arrayElement, arrayLength, inFrame, isInstance, longArray, objectField, type Env } from "./jni.js";

let defines: ((begin: NativePointer, size: number, descriptor: NativePointer) => number) | null = null;
let core: CModule | null = null;

/** `dex\n035` to `dex\n040`: later versions may store strings elsewhere. */
const PLAIN = /^dex\n0(3[5-9]|40)\0/;
const FILE_SIZE = 32;

/** A dex file in memory. */
export interface Dex {
  begin: NativePointer;
  size: number;
}

/**
 * The dex files of a loader; null when they cannot be read: another kind of loader, or a release that stores them
 * differently.
 */
export function dexFiles(env: Env, loader: NativePointer): Dex[] | null {
  const kind = loadClass(env, "dalvik.system.BaseDexClassLoader");
  if (kind === null || loader.isNull() || !isInstance(env, loader, kind)) {
    return null;
  }
  try {
    return inFrame(env, () => {
      const paths = objectField(env, loader, "pathList", "Ldalvik/system/DexPathList;");
      const elements = objectField(env, paths, "dexElements", "[Ldalvik/system/DexPathList$Element;");
      return Array.from({ length: arrayLength(env, elements) }, (_, i) => inFrame(env, () => {
        const file = objectField(env, arrayElement(env, elements, i), "dexFile", "Ldalvik/system/DexFile;");
        return file.isNull() ? [] : filesOf(env, objectField(env, file, "mCookie", "Ljava/lang/Object;"));
      })).flat();
    });
  } catch {
    return null;
  }
}

/**
 * The cookie is an array: the compiled file, then ART's object for each dex file, whose second word points to its
 * beginning.
 */
function filesOf(env: Env, cookie: NativePointer): Dex[] {
  const kind = loadClass(env, "[J");
  if (cookie.isNull()) {
    return [];
  }
  if (kind === null || !isInstance(env, cookie, kind)) {
    throw new Error("dex files are kept otherwise");
  }
  return longArray(env, cookie, arrayLength(env, cookie)).slice(1).map((file) => {
    const begin = file.add(Process.pointerSize).readPointer();
    const size = begin.add(FILE_SIZE).readU32();
    // Newer releases do not store the file's length there.
    const end = file.add(2 * Process.pointerSize).readPointer().equals(size) ? size : lengthFrom(begin);
    if (size > end || !PLAIN.test(String.fromCharCode(...new Uint8Array(begin.readByteArray(8) as ArrayBuffer)))) {
      throw new Error("dex files are kept otherwise");
    }
    return { begin, size };
  });
}

function lengthFrom(begin: NativePointer): number {
  const range = Process.findRangeByAddress(begin);
  return range === null ? 0 : range.base.add(range.size).sub(begin).toUInt32();
}

/** The classes among `names` that the dex files define. */
export function definedIn(files: Dex[], names: Iterable<string>): string[] {
  if (defines === null) {
    core = new CModule(DEX);
    defines = new NativeFunction(
      core["defines"] as NativePointer, "int", ["pointer", "uint32", "pointer"], { scheduling: "exclusive" });
  }
  const own = defines;
  return [...names].filter((name) => {
    const descriptor = Memory.allocUtf8String(`L${name.replace(/\./g, "/")};`);
    return files.some(({ begin, size }) => own(begin, size, descriptor) !== 0);
  });
}
