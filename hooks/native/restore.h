// Restores hooked functions in a copy of the process.

#include <glib.h>
#include "shared.h"

typedef struct {
  guint64 at;
  guint8 was[KEPT_BYTES];
} Patch;
typedef struct {
  guint64 count;
  guint64 page;
  Patch all[MOST_KEPT];
} Patches;
extern Patches patches;
extern int mprotect (gpointer from, gsize size, int access);

static void restore_all (void) {
  const guint64 page = patches.page;
  gint64 i;
  int j;

  /* Backwards: the bytes kept at a function's second hook contain our first. */
  for (i = (gint64)patches.count - 1; i >= 0; i--) {
    guint8 *at = (guint8 *)(gsize)patches.all[i].at;
    guint64 from = patches.all[i].at / page * page;
    gsize size = (gsize)((patches.all[i].at + KEPT_BYTES + page - 1) / page * page - from);

    /*
     * Not executable while written, so that the kernel clears what the processor cached; but mprotect itself has to
     * run.
     */
    gsize own = (gsize)&mprotect;

    if (mprotect ((gpointer)(gsize)from, size, own + 64 > from && own < from + size ? 7 : 3) != 0)
      continue;
    for (j = 0; j != KEPT_BYTES; j++)
      at[j] = patches.all[i].was[j];
    mprotect ((gpointer)(gsize)from, size, 5);
  }
}
