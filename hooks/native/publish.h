// Publishes a pointer to threads that read it without a lock.

#include "atomic.h"

/*
 * Release, for pointers. What was written before comes before the first unlock, that before the second lock, and that
 * before the pointer is written. So whoever reads the pointer without a lock finds what was written.
 */
static void publish (GMutex *lock, gpointer *at, gpointer what) {
  g_mutex_lock (lock);
  g_mutex_unlock (lock);
  g_mutex_lock (lock);
  SET_RELAXED (*at, what);
  g_mutex_unlock (lock);
}
