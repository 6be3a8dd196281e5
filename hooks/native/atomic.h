// Words that several threads use without a lock. Frida's compiler has no atomics except GLib's g_atomic_int_add.

#include <glib.h>

/* Relaxed: each processor reads and writes an aligned word whole. For words from which nothing else is concluded. */
#define GET_RELAXED(word) (*(volatile __typeof__ (word) *)&(word))
#define SET_RELAXED(word, value) (*(volatile __typeof__ (word) *)&(word) = (value))
/* Acquire and release: GLib's addition is sequentially consistent. */
#define ADD(number, by) g_atomic_int_add (&(number), (by))
#define GET_ACQUIRE(number) ADD (number, 0)
/*
 * Consume: what a published pointer leads to is read through it, and no processor here can read it before the pointer.
 */
#define GET_CONSUME(pointer) GET_RELAXED (pointer)
