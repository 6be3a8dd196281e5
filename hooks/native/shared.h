// Numbers that C and JavaScript share; `make fix` writes shared.ts from them.

/* A lock of GLib, and a value of Java: bytes. */
#define LOCK_BYTES 8
#define VALUE_BYTES 8

/* Arguments of a native call that are kept. */
#define ARGUMENTS 8
/* Descriptors that are looked up one by one; of larger ones it is only known whether there is any. */
#define DESCRIPTORS 65536
/* Libraries whose calls are let through. */
#define MOST_LIBRARIES 64

/* How a native call is judged. Each matters; */
#define BY_ALL 0
/* an argument is one of some numbers; */
#define BY_NUMBER 1
/* a text has one of some shapes; */
#define BY_TEXT 2
/* a descriptor is in a table; */
#define BY_DESCRIPTOR 3
/* that of a stream of the C library is; */
#define BY_STREAM 4
/* the first 16 bits of what an argument points to are one of some numbers. */
#define BY_FAMILY 5

/* Calls of a hooked method among which a repeat is looked for. */
#define SLOTS 8
/* Arguments of a method, and the mark after the last one, at most. */
#define MOST_ARGUMENTS 24
/* Frames of a stack that are told apart, and recorded, at most: the innermost. */
#define MOST_FRAMES 128
/* Bytes from the end of a stack within which JavaScript is not entered: it has no guard of its own there. */
#define ROOM_FOR_SCRIPT 262144
/* Reserved instead of the number of a stack: it cannot be walked; there was no time for it. */
#define NO_WAY 0
#define THINNED 2
/* What became of calls that were not told of as they should be, and how many such ways there are. */
#define NEAR_END 0
#define NO_STACK 1
#define ONLY_COUNTED 2
#define LOSSES 3

/* A flag of ART's methods. */
#define NATIVE 0x100

/* Frida overwrites up to 16 bytes, and what is left of the instruction that the last of them is in. */
#define KEPT_BYTES 32
/* Hooks whose bytes are kept, at most. */
#define MOST_KEPT 1024

/* Notes of programs that are started, and bytes of each. */
#define NOTES 64
#define NOTE_BYTES 2048

/* Connections that may wait for the proxy's answer at once; more of them wait inside connect. */
#define MOST_WAITING 64
/* Files of the process whose place in an epoll set is remembered. */
#define MOST_WATCHED 32768
#define PORTS 65536
/* Bytes of the name by which the proxy is asked. */
#define NAME_BYTES 16
