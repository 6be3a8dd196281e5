// The C function that puts hooked functions back in a copy of the process.

import { layout } from "../out/layout_c.js";

/** Frida overwrites up to 16 bytes, and what is left of the instruction that the last of them is in. */
export const KEPT_BYTES = 32;
/** Hooks whose bytes are kept, at most. */
export const MOST_KEPT = 1024;
/** A hook: its address, its bytes. */
export const PATCH = { at: 0, was: 8 } as const;
export const PATCH_BYTES = PATCH.was + KEPT_BYTES;
/** How many hooks there are, then each, in the order of hooking. */
export const PATCHES = { count: 0, all: 8 } as const;
export const PATCHES_BYTES = PATCHES.all + MOST_KEPT * PATCH_BYTES;

/** The C function `restore_all`. */
export const RESTORE = `
#include <glib.h>

typedef struct { guint64 at; guint8 was[${KEPT_BYTES}]; } Patch;
typedef struct { guint64 count; Patch all[${MOST_KEPT}]; } Patches;
${layout("Patch", PATCH_BYTES, PATCH)}
${layout("Patches", PATCHES_BYTES, PATCHES)}
extern Patches patches;
extern int mprotect (gpointer from, gsize size, int access);

static void
restore_all (void)
{
  const guint64 page = ${Process.pageSize};
  gint64 i;
  int j;

  /* Backwards: what was hooked twice had our first hook in it the second time. */
  for (i = (gint64) patches.count - 1; i >= 0; i--)
  {
    guint8 * at = (guint8 *) (gsize) patches.all[i].at;
    guint64 from = patches.all[i].at / page * page;
    gsize size = (gsize) ((patches.all[i].at + ${KEPT_BYTES} + page - 1) / page * page - from);

    /* Written while it cannot be run, so that the kernel clears what the processor remembers of it; but mprotect has to run. */
    gsize own = (gsize) &mprotect;

    if (mprotect ((gpointer) (gsize) from, size, own + 64 > from && own < from + size ? 7 : 3) != 0)
      continue;
    for (j = 0; j != ${KEPT_BYTES}; j++)
      at[j] = patches.all[i].was[j];
    mprotect ((gpointer) (gsize) from, size, 5);
  }
}
`;
