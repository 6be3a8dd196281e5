// Numbers that C and JavaScript share. Generated from shared.h by `make fix`; do not edit.

/** Bytes of a GLib lock, and of a Java value. */
export const LOCK_BYTES = 8;
export const VALUE_BYTES = 8;
/** Arguments of a native call that are kept. */
export const ARGUMENTS = 8;
/** Descriptors that are looked up one by one; for larger ones it is only known whether there is any. */
export const DESCRIPTORS = 65536;
/** Libraries whose calls are let through, at most. */
export const MOST_LIBRARIES = 64;
/** How a native call is judged. Every call matters; */
export const BY_ALL = 0;
/** an argument is one of some numbers; */
export const BY_NUMBER = 1;
/** a text has one of some shapes; */
export const BY_TEXT = 2;
/** a descriptor is in a table; */
export const BY_DESCRIPTOR = 3;
/** the descriptor of a C library stream is in a table; */
export const BY_STREAM = 4;
/** the first 16 bits of what an argument points to are one of some numbers. */
export const BY_FAMILY = 5;
/** Calls of a hooked method that are remembered, to recognize repeats. */
export const SLOTS = 8;
/** Arguments of a method, including the mark after the last one, at most. */
export const MOST_ARGUMENTS = 24;
/** Frames of a stack that are compared and recorded, at most: the innermost. */
export const MOST_FRAMES = 128;
/** JavaScript is not entered within this many bytes of a stack's end: it has no guard of its own there. */
export const ROOM_FOR_SCRIPT = 262144;
/** Numbers reserved for having no stack: it cannot be walked; there was no time for it. */
export const NO_WAY = 0;
export const THINNED = 2;
/** Ways in which a call was not reported as it should be, and how many there are. */
export const NEAR_END = 0;
export const NO_STACK = 1;
export const ONLY_COUNTED = 2;
export const LOSSES = 3;
/** A flag of ART's methods. */
export const NATIVE = 0x100;
/** Frida overwrites up to 16 bytes, and the rest of the instruction that contains the last of them. */
export const KEPT_BYTES = 32;
/** Hooks whose bytes are kept, at most. */
export const MOST_KEPT = 1024;
/** Notes of started programs, and bytes of each. */
export const NOTES = 256;
export const NOTE_BYTES = 2048;
/** A JVM has begun to end; it waits for a thread of ours; and it may end again. */
export const ENDS = 1;
export const HELD = 2;
export const LET_GO = 3;
/** Connections that may wait for the proxy's answer at once; any more wait inside connect. */
export const MOST_WAITING = 64;
/** Files of the process whose place in an epoll set is remembered. */
export const MOST_WATCHED = 32768;
export const PORTS = 65536;
/** Bytes of the name by which the proxy is asked. */
export const NAME_BYTES = 16;
