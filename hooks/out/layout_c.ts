// Structures that C and JavaScript share: C does not compile where one of them is not laid out in memory as JavaScript expects.

const POINTER = Process.pointerSize;

/** C that compiles only if a type has this size, and its members these offsets (bytes). */
export function layout(type: string, size: number, offsets: Record<string, number>): string {
  return [
    `_Static_assert (sizeof (${type}) == ${size}, "the size of ${type}");`,
    ...Object.entries(offsets).map(([member, offset]) =>
      `_Static_assert (G_STRUCT_OFFSET (${type}, ${member}) == ${offset}, "where ${member} is in ${type}");`),
  ].join("\n");
}

/** Offsets of members that are all pointers, or as large as one. */
export function pointers<Name extends string>(...members: Name[]): Record<Name, number> {
  return Object.fromEntries(members.map((member, i) => [member, i * POINTER])) as Record<Name, number>;
}
