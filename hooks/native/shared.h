// Numbers that C and JavaScript share; `make fix` writes shared.ts from them.

/* Bytes of a GLib lock, and of a Java value. */
#define LOCK_BYTES 8
#define VALUE_BYTES 8

/* Arguments of a native call that are kept. */
#define ARGUMENTS 8
/* Descriptors that are looked up one by one; for larger ones it is only known whether there is any. */
#define DESCRIPTORS 65536
/* Libraries whose calls are let through, at most. */
#define MOST_LIBRARIES 64

/* How a native call is judged. Every call matters; */
#define BY_ALL 0
/* an argument is one of some numbers; */
#define BY_NUMBER 1
/* a text has one of some shapes; */
#define BY_TEXT 2
/* a descriptor is in a table; */
#define BY_DESCRIPTOR 3
/* the descriptor of a C library stream is in a table; */
#define BY_STREAM 4
/* the first 16 bits of what an argument points to are one of some numbers. */
#define BY_FAMILY 5

/* Calls of a hooked method that are remembered, to recognize repeats. */
#define SLOTS 8
/* Arguments of a method, including the mark after the last one, at most. */
#define MOST_ARGUMENTS 24
/* Frames of a stack that are compared and recorded, at most: the innermost. */
#define MOST_FRAMES 128
/* JavaScript is not entered within this many bytes of a stack's end: it has no guard of its own there. */
#define ROOM_FOR_SCRIPT 262144
/* Numbers reserved for having no stack: it cannot be walked; there was no time for it. */
#define NO_WAY 0
#define THINNED 2
/* Ways in which a call was not reported as it should be, and how many there are. */
#define NEAR_END 0
#define NO_STACK 1
#define ONLY_COUNTED 2
#define LOSSES 3

/* A flag of ART's methods. */
#define NATIVE 0x100

/* Frida overwrites up to 16 bytes, and the rest of the instruction that contains the last of them. */
#define KEPT_BYTES 32
/* Hooks whose bytes are kept, at most. */
#define MOST_KEPT 1024

/* Notes of started programs, and bytes of each. */
#define NOTES 256
#define NOTE_BYTES 2048

/* A JVM has begun to end; it waits for a thread of ours; and it may end again. */
#define ENDS 1
#define HELD 2
#define LET_GO 3

/* Connections that may wait for the proxy's answer at once; any more wait inside connect. */
#define MOST_WAITING 64
/* Files of the process whose place in an epoll set is remembered. */
#define MOST_WATCHED 32768
#define PORTS 65536
/* Bytes of the name by which the proxy is asked. */
#define NAME_BYTES 16
