// Hooks an interface's default method in the classes that do not override it: ART gives each of them a copy of its own.
//
// A copy gets the entry point of the interface's method, which names that method and goes on as if it had been called. A
// class that is linked later copies the entry point with the method. Copies are found by one walk over the loaded classes;
// how ART's classes lie in memory is learned from a class of ours, of which all is known. Run on ART 10 on x86-64 alone.

import Java from "frida-java-bridge";
import { gap, wordsOf } from "../out/emit.js";
import { artApi } from "./bridge.js";

const POINTER = Process.pointerSize;
const NUMBERS = 8;
const KNOWN_BYTES = NUMBERS * 4 + 3 * POINTER;

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

const core = new CModule(`
#include <glib.h>

typedef struct
{
  /* where a method has its entry point, and how long a method is */
  guint32 entry;
  guint32 size;
  guint32 declared;
  guint32 direct;
  /* where a class has its methods, and how many of them are not copies; 0: not known */
  guint32 methods;
  guint32 own;
  guint32 gains;
  guint32 loses;
  gpointer sample;
  gpointer id;
  gpointer to;
} Known;

extern Known known;

/* A class may have been moved, and its old place still be named. */
static guint32
class_of (gpointer method)
{
  guint32 cls = *(guint32 *) method;
  guint32 lock = *(guint32 *) ((gpointer) (gsize) cls + 4);

  return (lock >> 30) == 3 ? lock << 3 : cls;
}

static void
learn (void)
{
  gpointer cls = (gpointer) (gsize) class_of (known.sample);
  guint32 at, own;

  for (at = 8; at < 192; at += 4)
  {
    gsize array = (gsize) *(guint64 *) (cls + at);
    gsize behind = (gsize) known.sample - array - ${POINTER};

    if (array >= (gsize) known.sample || behind > known.declared * known.size || behind % known.size != 0)
      continue;
    if (*(guint32 *) array != known.declared + 1)
      continue;
    for (own = at + 8; own < 192; own += 2)
    {
      guint16 * numbers = cls + own;

      if (numbers[0] == known.declared && numbers[1] == known.direct)
      {
        known.methods = at;
        known.own = own;
        return;
      }
    }
  }
}

/* ART calls it for each class, on a thread for which the collector waits before it moves any. */
guint8
visit (gpointer self, gpointer cls)
{
  gsize array;
  guint32 count, i;

  if (known.methods == 0)
    learn ();
  if (known.methods == 0)
    return FALSE;
  array = (gsize) *(guint64 *) (cls + known.methods);
  if (array == 0)
    return TRUE;
  count = *(guint32 *) array;
  for (i = *(guint16 *) (cls + known.own); i < count && count < 65536; i++)
  {
    gpointer method = (gpointer) (array + ${POINTER} + i * known.size);
    guint32 volatile * flags = method + 4;

    if (method != known.id && *(guint32 *) (method + 8) == *(guint32 *) (known.id + 8) && class_of (method) == class_of (known.id))
    {
      *(gpointer volatile *) (method + known.entry) = known.to;
      *flags = (*flags | known.gains) & ~known.loses;
    }
  }
  return TRUE;
}
`, { known });

// As ART's visitors are: an object whose table has the function third.
const visitor = Memory.alloc(4 * POINTER);
visitor.writePointer(visitor.add(POINTER));
visitor.add(3 * POINTER).writePointer(core["visit"] as NativePointer);

let sample: Sample | null = null;
let isStrange = false;

/** Say of a class what is known of it. */
export function learnFrom(one: Sample): void {
  sample = one;
}

/** Hook the copies of a default method that are there; `entry`: where a method has its entry point. */
export function hookCopies(entry: number, { id, entry: to, gains, loses }: Default): void {
  try {
    if (sample === null || !sample.id.and(1).isNull()) {
      throw new Error("no class to learn from");
    }
    [entry, entry + POINTER, sample.declared, sample.direct].forEach((each, i) => known.add(4 * i).writeU32(each));
    known.add(24).writeU32(gains);
    known.add(28).writeU32(loses);
    [sample.id, id, to].forEach((each, i) => known.add(4 * NUMBERS + POINTER * i).writePointer(each));
    walk();
    if (known.add(16).readU32() === 0) {
      throw new Error("its classes have an unknown layout in memory");
    }
  } catch (error) {
    if (!isStrange) {
      isStrange = true;
      gap(
        "agent", "install_failed",
        "default methods of interfaces are not hooked in classes that were loaded before: " + wordsOf(error));
    }
  }
}

const VISIT = "art::ClassLinker::VisitClasses";

/** The bridge has its own way to where classes may be walked through; what it does there is ours. */
function walk(): void {
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
}
