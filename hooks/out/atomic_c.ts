// C for words that several threads use without a lock. Frida's compiler has no atomics but GLib's g_atomic_int_add.

export const ATOMICS = `
#include <glib.h>

/* Relaxed: an aligned word is read and written whole on each processor. For words from which nothing else is concluded. */
#define GET_RELAXED(word) (*(volatile __typeof__ (word) *) &(word))
#define SET_RELAXED(word, value) (*(volatile __typeof__ (word) *) &(word) = (value))
/* Acquire and release: GLib's addition is sequentially consistent. */
#define ADD(number, by) g_atomic_int_add (&(number), (by))
#define GET_ACQUIRE(number) ADD (number, 0)
/* Consume: what a published pointer leads to is read through it, and each processor here has the pointer before it can. */
#define GET_CONSUME(pointer) GET_RELAXED (pointer)
`;

/** The C function `publish`. */
export const PUBLISH = `
/*
 * Release, for pointers. What was written before comes before the first unlocking, that before the second locking, and the
 * pointer after it: so whoever reads the pointer, without a lock, finds there what was written.
 */
static void publish (GMutex *lock, gpointer *at, gpointer what) {
  g_mutex_lock (lock);
  g_mutex_unlock (lock);
  g_mutex_lock (lock);
  SET_RELAXED (*at, what);
  g_mutex_unlock (lock);
}
`;
