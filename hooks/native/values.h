// A Java value, and where a call of a hooked method goes; shared by folding.c and the functions that folding.ts makes.

#include <glib.h>
#include "shared.h"

typedef union {
  guint8 z;
  gint8 b;
  guint16 c;
  gint16 s;
  gint32 i;
  gint64 j;
  gfloat f;
  gdouble d;
  gpointer l;
} Value;
typedef struct _Hook Hook;
/* Where a call goes. */
enum { ORIGINAL, COUNTED, SCRIPT };
_Static_assert (sizeof (Value) == VALUE_BYTES, "the size of Value");
