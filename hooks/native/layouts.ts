// Structures that C and JavaScript share: C does not compile if one of them is not laid out as JavaScript expects.

import { KEPT_BYTES, MOST_KEPT, MOST_LIBRARIES, MOST_WAITING, NOTE_BYTES, NOTES } from "./shared.js";

const POINTER = Process.pointerSize;

/** Offsets of members that are all pointers, or as large as a pointer. */
function pointers<Name extends string>(...members: Name[]): Record<Name, number> {
  return Object.fromEntries(members.map((member, i) => [member, i * POINTER])) as Record<Name, number>;
}

/** A replaced method, as C keeps track of it. */
export const ROW = pointers("entry", "wanted", "also", "flags", "fast");
export const ROW_BYTES = 5 * POINTER;

/** The ids of the methods that read a class. */
export const IDS = pointers("get_name", "class_name", "modifiers", "returns", "takes");
export const IDS_BYTES = 5 * POINTER;

/** What C is told about ART's methods and classes, and what it learns about them; 32-bit numbers, then pointers. */
export const KNOWN = {
  entry: 0, size: 4, declared: 8, direct: 12, methods: 16, own: 20, gains: 24, loses: 28, sample: 32, id: 32 + POINTER, to: 32 + 2 * POINTER,
} as const;
export const KNOWN_BYTES = 32 + 3 * POINTER;

/**
 * What C is told about compiled code. `cache`, `contains`, `header`, `osr` and `invalidate` are NULL if ART's cache is
 * not found.
 */
export const COMPILED = pointers(
  "bridge", "own", "own_end", "alive", "alive_count", "skip", "cache", "contains", "header", "osr", "invalidate", "tells",
  "left", "left_room", "left_count");
export const COMPILED_BYTES = 15 * POINTER;

/** A hook: its address, and the bytes it replaced. */
export const PATCH = { at: 0, was: 8 } as const;
export const PATCH_BYTES = PATCH.was + KEPT_BYTES;
/** How many hooks there are, the size of a page, then each hook, in the order of hooking. */
export const PATCHES = { count: 0, page: 8, all: 16 } as const;
export const PATCHES_BYTES = PATCHES.all + MOST_KEPT * PATCH_BYTES;

/** A note: its number plus one, once it is written; the process; its text: path and words, each zero-terminated. */
export const NOTE = { number: 0, pid: 4, text: 8 } as const;
/** The number of the next note, then the notes. */
export const ALL_NOTES = { next: 0, all: 8 } as const;
export const ALL_NOTES_BYTES = ALL_NOTES.all + NOTES * NOTE_BYTES;

/** A library in memory. */
export const RANGE = pointers("from", "to");
export const RANGE_BYTES = 2 * POINTER;
/** How many libraries there are, then each. */
export const LIBRARIES = pointers("count", "all");
export const LIBRARIES_BYTES = LIBRARIES.all + MOST_LIBRARIES * RANGE_BYTES;

export const ADDRESS = { family: 0, port: 2, rest: 4 } as const;
const ADDRESS_BYTES = 28;
export const LED = { asked: 0, id: 28, announced: 32 } as const;
export const LED_BYTES = 36;
export const WATCHED_BYTES = 16;
const ITEM_BYTES = 40;
export const STATE = { proxy: 0, unreached: 28, quic: 32, next: 36, waiting: 40, name: 44, libc: 64, items: 80 } as const;
export const STATE_BYTES = STATE.items + MOST_WAITING * ITEM_BYTES;

/** C file -> its structures: name, size in bytes, and the offsets of its members. */
export const SHARED = {
  children: [["Note", NOTE_BYTES, NOTE], ["Notes", ALL_NOTES_BYTES, ALL_NOTES], ["Patch", PATCH_BYTES, PATCH], ["Patches", PATCHES_BYTES, PATCHES]],
  copies: [["Known", KNOWN_BYTES, KNOWN], ["Compiled", COMPILED_BYTES, COMPILED]],
  entry: [["Row", ROW_BYTES, ROW]],
  filters: [["Range", RANGE_BYTES, RANGE], ["Libraries", LIBRARIES_BYTES, LIBRARIES]],
  lookup: [["Ids", IDS_BYTES, IDS]],
  redirect: [
    ["Address", ADDRESS_BYTES, ADDRESS], ["Led", LED_BYTES, LED], ["Watched", WATCHED_BYTES, {}], ["Item", ITEM_BYTES, {}], ["State", STATE_BYTES, STATE],
  ],
} satisfies Record<string, [type: string, size: number, offsets: Record<string, number>][]>;

/** C code to append to a file's own: it compiles only if the file's structures are laid out as they are here. */
export function layouts(file: keyof typeof SHARED): string {
  return SHARED[file].flatMap(([type, size, offsets]) => [
    `_Static_assert (sizeof (${type}) == ${size}, "the size of ${type}");`,
    ...Object.entries(offsets).map(([member, offset]) =>
      `_Static_assert (G_STRUCT_OFFSET (${type}, ${member}) == ${offset}, "where ${member} is in ${type}");`),
  ]).join("\n");
}
