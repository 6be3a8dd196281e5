// Hooks an interface's default method in the classes that do not override it: ART gives each of them a copy of its own.
//
// A copy gets the entry point of the interface's method, which names that method and goes on as if it had been called. A
// class that is linked later copies the entry point with the method. Copies are found by one walk over the loaded classes;
// how ART's classes lie in memory is learned from a class of ours, of which all is known. Run on ART 10 alone, on x86-64
// and on an emulated arm64.

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
  /** flags that a replaced method has and others have not, and the other way round */
  gains: number;
  loses: number;
}

/** A class with one copy behind the methods that it declares. */
export interface Sample {
  /** one of its methods */
  id: NativePointer;
  declared: number;
  /** of them: constructors, static and private ones */
  direct: number;
}

const known = Memory.alloc(KNOWN_BYTES);

const compiled = Memory.alloc(COMPILED_BYTES);

const core = new CModule(COPIES + layouts("copies"), { known, compiled });

/** As ART's visitors are: an object whose table has the function third. */
function visitorOf(name: string): NativePointer {
  const visitor = Memory.alloc(4 * POINTER);
  visitor.writePointer(visitor.add(POINTER));
  visitor.add(3 * POINTER).writePointer(core[name] as NativePointer);
  return visitor;
}

/** For a class that is about to be initialised: the same, called by ART. */
export const onInitialize = core["on_initialize"] as NativePointer;

/** In C: (method, entry point) -> the entry point that it is to get. */
export const instead = core["instead"] as NativePointer;

const ofCopies = visitorOf("visit");
const ofCompiled = visitorOf("visit_compiled");

let sample: Sample | null = null;
let isStrange = false;

/** Say of a class what is known of it. */
export function learnFrom(one: Sample): void {
  sample = one;
}

/** Hook the copies of a default method that are there; `entry`: where a method has its entry point. */
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

/** What C is to know before it walks; `entry`: where a method has its entry point. */
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

/** Have every method interpreted that has compiled code, as `about` says. Throws where it cannot be. */
export function leaveCompiled(entry: number, about: Record<keyof typeof COMPILED, NativePointer>): void {
  tellOf(entry);
  for (const [name, value] of Object.entries(about)) {
    compiled.add(COMPILED[name as keyof typeof COMPILED]).writePointer(value);
  }
  walk(ofCompiled);
}

const VISIT = "art::ClassLinker::VisitClasses";

/** The bridge has its own way to where classes may be walked through; what it does there is ours. */
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
