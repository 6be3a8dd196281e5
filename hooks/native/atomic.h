// Words that several threads use without a lock. Frida's compiler has no atomics but GLib's g_atomic_int_add.

#include <glib.h>

/* Relaxed: an aligned word is read and written whole on each processor. For words from which nothing else is concluded. */
#define GET_RELAXED(word) (*(volatile __typeof__ (word) *)&(word))
#define SET_RELAXED(word, value) (*(volatile __typeof__ (word) *)&(word) = (value))
/* Acquire and release: GLib's addition is sequentially consistent. */
#define ADD(number, by) g_atomic_int_add (&(number), (by))
#define GET_ACQUIRE(number) ADD (number, 0)
/* Consume: what a published pointer leads to is read through it, and each processor here has the pointer before it can. */
#define GET_CONSUME(pointer) GET_RELAXED (pointer)
