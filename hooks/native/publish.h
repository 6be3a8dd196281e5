// Publishes a pointer to threads that read it without a lock.

#include "atomic.h"

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
