// Hooks an interface's default method in the classes that do not override it: ART gives each of them its own copy.
//
// A copy gets the entry point of the interface's method, which continues as if that method had been called. A class
// that is linked later copies the entry point along with the method. Copies are found by one walk over the loaded
// classes; the memory layout of ART's classes is learned from a class of our own, about which everything is known.
// Tried on ART 10 only, on x86-64 and on an emulated arm64.

import Java from "frida-java-bridge";
import COPIES from "../native/copies.txt";
import { COMPILED, COMPILED_BYTES, KNOWN, KNOWN_BYTES, layouts } from "../native/layouts.js";
import { gap, wordsOf } from "../out/emit.js";
import { artApi } from "./bridge.js";


const POINTER = Process.pointerSize;

/** A default method that was replaced. */
export interface Default {
  id: NativePointer;
  entry: NativePointer;
  /** flags that a replaced method has and others do not have, and the reverse */
  gains: number;
  loses: number;
}

/** A class with one copy after the methods that it declares. */
export interface Sample {
  /** one of its methods */
  id: NativePointer;
  declared: number;
  /** how many of them are constructors, static or private */
  direct: number;
}

const known = Memory.alloc(KNOWN_BYTES);

const compiled = Memory.alloc(COMPILED_BYTES);

const core = new CModule(COPIES + layouts("copies"), { known, compiled });

/** An object like ART's visitors: the function is the third entry of its table. */
function visitorOf(name: string): NativePointer {
  const visitor = Memory.alloc(4 * POINTER);
  visitor.writePointer(visitor.add(POINTER));
  visitor.add(3 * POINTER).writePointer(core[name] as NativePointer);
  return visitor;
}

/** Called by ART for a class that is about to be initialised: has its compiled methods interpreted. */
export const onInitialize = core["on_initialize"] as NativePointer;

/** In C: (method, entry point) -> the entry point that the method gets instead. */
export const instead = core["instead"] as NativePointer;

const ofCopies = visitorOf("visit");
const ofCompiled = visitorOf("visit_compiled");

let sample: Sample | null = null;
let isStrange = false;

/** Take a class from which the layout can be learned. */
export function learnFrom(one: Sample): void {
  sample = one;
}

/** Hook the existing copies of a default method; `entry`: offset of a method's entry point. */
export function hookCopies(entry: number, { id, entry: to, gains, loses }: Default): void {
  try {
    tellOf(entry);
    known.add(KNOWN.gains).writeU32(gains);
    known.add(KNOWN.loses).writeU32(loses);
    known.add(KNOWN.id).writePointer(id);
    known.add(KNOWN.to).writePointer(to);
    walk(ofCopies);
  } catch (error) {
    if (!isStrange) {
      isStrange = true;
      gap(
        "agent", "install_failed",
        "default methods of interfaces are not hooked in classes that were loaded before: " + wordsOf(error));
    }
  }
}

/** Tell C what it needs for a walk; `entry`: offset of a method's entry point. */
function tellOf(entry: number): void {
  if (sample === null || !sample.id.and(1).isNull()) {
    throw new Error("no class to learn from");
  }
  known.add(KNOWN.entry).writeU32(entry);
  known.add(KNOWN.size).writeU32(entry + POINTER);
  known.add(KNOWN.declared).writeU32(sample.declared);
  known.add(KNOWN.direct).writeU32(sample.direct);
  known.add(KNOWN.sample).writePointer(sample.id);
}

/** What C has to know of ART to leave its compiled code. */
export type Leaving = Record<Exclude<keyof typeof COMPILED, "left" | "left_room" | "left_count">, NativePointer>;

/** If an app has more compiled methods than this, they are not told apart from its other methods. */
const MOST_LEFT = 16_384;

/**
 * Have every method with compiled code interpreted, using `about`. Returns the ids of the app's methods among them, as
 * text; null: there are too many. Throws when that is impossible.
 */
export function leaveCompiled(entry: number, about: Leaving): Set<string> | null {
  tellOf(entry);
  const left = Memory.alloc(MOST_LEFT * POINTER);
  const all = { ...about, left, left_room: ptr(MOST_LEFT), left_count: NULL };
  for (const [name, value] of Object.entries(all)) {
    compiled.add(COMPILED[name as keyof typeof COMPILED]).writePointer(value);
  }
  walk(ofCompiled);
  const count = compiled.add(COMPILED.left_count).readPointer().toUInt32();
  return count > MOST_LEFT ? null : new Set(Array.from({ length: count }, (_, i) => left.add(i * POINTER).readPointer().toString()));
}

const VISIT = "art::ClassLinker::VisitClasses";

/**
 * Walk the classes with our visitor, in the place of the bridge's own walk: the bridge brings the thread into a state
 * in which this is safe.
 */
function walk(visitor: NativePointer): void {
  const api = artApi() as unknown as Record<string, unknown>;
  const visit = api[VISIT];
  if (!(visit instanceof NativeFunction)) {
    throw new Error("its classes cannot be walked through");
  }
  api[VISIT] = (linker: NativePointer) => { (visit as (linker: NativePointer, visitor: NativePointer) => void)(linker, visitor); };
  try {
    Java.enumerateLoadedClasses({ onMatch: () => undefined, onComplete: () => undefined });
  } finally {
    api[VISIT] = visit;
  }
  if (known.add(KNOWN.methods).readU32() === 0) {
    throw new Error("its classes have an unknown layout in memory");
  }
}
