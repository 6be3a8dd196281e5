// Publishes a pointer to threads that read it without a lock.

#include "atomic.h"

/*
 * Release, for pointers. All earlier writes come before the first unlock, the first unlock before the second lock, and
 * the second lock before the write of the pointer. So whoever reads the pointer without a lock sees all earlier writes.
 */
static void publish (GMutex *lock, gpointer *at, gpointer what) {
  g_mutex_lock (lock);
  g_mutex_unlock (lock);
  g_mutex_lock (lock);
  SET_RELAXED (*at, what);
  g_mutex_unlock (lock);
}
