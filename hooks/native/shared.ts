// Numbers that C and JavaScript share. Generated from shared.h by `make fix`; do not edit.

/** A lock of GLib, and a value of Java: bytes. */
export const LOCK_BYTES = 8;
export const VALUE_BYTES = 8;
/** Arguments of a native call that are kept. */
export const ARGUMENTS = 8;
/** Descriptors that are looked up one by one; of larger ones it is only known whether there is any. */
export const DESCRIPTORS = 65536;
/** Libraries whose calls are let through. */
export const MOST_LIBRARIES = 64;
/** How a native call is judged. Each matters; */
export const BY_ALL = 0;
/** an argument is one of some numbers; */
export const BY_NUMBER = 1;
/** a text has one of some shapes; */
export const BY_TEXT = 2;
/** a descriptor is in a table; */
export const BY_DESCRIPTOR = 3;
/** that of a stream of the C library is; */
export const BY_STREAM = 4;
/** the first 16 bits of what an argument points to are one of some numbers. */
export const BY_FAMILY = 5;
/** Calls of a hooked method among which a repeat is looked for. */
export const SLOTS = 8;
/** Arguments of a method, and the mark after the last one, at most. */
export const MOST_ARGUMENTS = 24;
/** Frames of a stack that are told apart, and recorded, at most: the innermost. */
export const MOST_FRAMES = 128;
/** Bytes from the end of a stack within which JavaScript is not entered: it has no guard of its own there. */
export const ROOM_FOR_SCRIPT = 262144;
/** Reserved instead of the number of a stack: it cannot be walked; there was no time for it. */
export const NO_WAY = 0;
export const THINNED = 2;
/** What became of calls that were not told of as they should be, and how many such ways there are. */
export const NEAR_END = 0;
export const NO_STACK = 1;
export const ONLY_COUNTED = 2;
export const LOSSES = 3;
/** A flag of ART's methods. */
export const NATIVE = 0x100;
/** Frida overwrites up to 16 bytes, and what is left of the instruction that the last of them is in. */
export const KEPT_BYTES = 32;
/** Hooks whose bytes are kept, at most. */
export const MOST_KEPT = 1024;
/** Notes of programs that are started, and bytes of each. */
export const NOTES = 64;
export const NOTE_BYTES = 2048;
/** Connections that may wait for the proxy's answer at once; more of them wait inside connect. */
export const MOST_WAITING = 64;
/** Files of the process whose place in an epoll set is remembered. */
export const MOST_WATCHED = 32768;
export const PORTS = 65536;
/** Bytes of the name by which the proxy is asked. */
export const NAME_BYTES = 16;
