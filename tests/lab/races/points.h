// In the place of hooks/native/points.h. The word from which the plan follows is shared by all threads; that two may take
// the same number from it is no matter.

#include <glib.h>

extern void g_usleep (gulong microseconds);
extern void g_thread_yield (void);

/* The state that numbers follow from; then for each point: once in how many times a thread waits, 0 never; how long, in microseconds. */
extern guint32 points[];

enum { AT_way, AT_returned, AT_fill, AT_take };

static void
reach_point (gint point) {
  volatile guint32 *state = points;
  const guint32 *plan = points + 1 + 2 * point;
  guint32 now = *state;
  if (plan[0] == 0)
    return;
  now ^= now << 13;
  now ^= now >> 17;
  now ^= now << 5;
  *state = now;
  if (now % plan[0] != 0)
    return;
  if (plan[1] == 0)
    g_thread_yield ();
  else
    g_usleep (plan[1]);
}

#define REACH(point) reach_point (AT_##point)
