// The C part of copies.ts and compiled.ts: looks in each loaded class for copies of a default method, and for methods
// that have compiled code.

#include <gum/guminterceptor.h>
#include "shared.h"

typedef struct {
  /* offset of a method's entry point, and the size of a method */
  guint32 entry;
  guint32 size;
  guint32 declared;
  guint32 direct;
  /* offset of a class's methods, and of the number of those that are not copies; 0: not known */
  guint32 methods;
  guint32 own;
  guint32 gains;
  guint32 loses;
  gpointer sample;
  gpointer id;
  gpointer to;
} Known;

typedef struct {
  /* the entry point through which a method is interpreted */
  gpointer bridge;
  /* libart: code there is no method's code */
  gpointer own;
  gpointer own_end;
  gpointer *alive;
  gsize alive_count;
  /* flags of methods that have no code to leave, and of replaced methods */
  gsize skip;
  gpointer cache;
  guint8 (*contains) (gpointer cache, gpointer pc);
  gpointer (*header) (gpointer cache, gpointer pc, gpointer method);
  gpointer (*osr) (gpointer cache, gpointer method);
  void (*invalidate) (gpointer cache, gpointer method, gpointer header);
  /*
   * whether code compiled ahead of time can be told from code compiled at run time: the cache is known, or nothing is
   * compiled at run time
   */
  gsize tells;
  /* the app's methods whose code is left in this walk, the room for them, and their number, which may be greater */
  gpointer *left;
  gsize left_room;
  gsize left_count;
} Compiled;

/* Offset of the loader in a class: after the fields that every object has. The framework's classes have none. */
#define LOADER 8

extern Known known;
extern Compiled compiled;

/* A class may have been moved while its old address is still referred to. */
static guint32 class_of (gpointer method) {
  guint32 cls = *(guint32 *)method;
  guint32 lock = *(guint32 *)((gpointer)(gsize)cls + 4);

  return (lock >> 30) == 3 ? lock << 3 : cls;
}

static void learn (void) {
  gpointer cls = (gpointer)(gsize)class_of (known.sample);
  guint32 at, own;

  for (at = 8; at < 192; at += 4) {
    gsize array = (gsize) * (guint64 *)(cls + at);
    gsize behind = (gsize)known.sample - array - sizeof (gpointer);

    if (array >= (gsize)known.sample || behind > known.declared * known.size || behind % known.size != 0)
      continue;
    if (*(guint32 *)array != known.declared + 1)
      continue;
    for (own = at + 8; own < 192; own += 2) {
      guint16 *numbers = cls + own;

      if (numbers[0] == known.declared && numbers[1] == known.direct) {
        known.methods = at;
        known.own = own;
        return;
      }
    }
  }
}

/*
 * Looks at the methods of a class, or only at the copies among them. FALSE ends the walk: the layout of classes is
 * unknown.
 */
static guint8 each_method (gpointer cls, gboolean copies, void (*look) (gpointer method)) {
  gsize array;
  guint32 count, i;

  if (known.methods == 0)
    learn ();
  if (known.methods == 0)
    return FALSE;
  array = (gsize) * (guint64 *)(cls + known.methods);
  if (array == 0)
    return TRUE;
  count = *(guint32 *)array;
  for (i = copies ? *(guint16 *)(cls + known.own) : 0; i < count && count < 65536; i++)
    look ((gpointer)(array + sizeof (gpointer) + i * known.size));
  return TRUE;
}

static void lead_copy (gpointer method) {
  guint32 volatile *flags = method + 4;

  if (method != known.id && *(guint32 *)(method + 8) == *(guint32 *)(known.id + 8) &&
      class_of (method) == class_of (known.id)) {
    *(gpointer volatile *)(method + known.entry) = known.to;
    *flags = (*flags | known.gains) & ~known.loses;
  }
}

/* ART calls it for each class, on a thread that the collector waits for before it moves any class. */
guint8 visit (gpointer self, gpointer cls) {
  (void)self;
  return each_method (cls, TRUE, lead_copy);
}

static gboolean is_code (gpointer entry) {
  gsize i;

  if (entry == NULL || (entry >= compiled.own && entry < compiled.own_end))
    return FALSE;
  for (i = 0; i != compiled.alive_count; i++)
    if (entry == compiled.alive[i])
      return FALSE;
  return TRUE;
}

/*
 * Has a method interpreted from its next call on; a call that is running in compiled code stays there until it returns.
 * Returns whether the method had compiled code.
 */
static gboolean leave (gpointer method) {
  guint32 flags = *(guint32 volatile *)(method + 4);
  gpointer *entry = method + known.entry;
  gboolean had = FALSE;
  gpointer header;

  /* in an intrinsic method, the other bits say which one it is */
  if ((flags & ((flags >> 31) != 0 ? (guint32)compiled.skip & 0xffff : (guint32)compiled.skip)) != 0)
    return FALSE;
  if (is_code (*(gpointer volatile *)entry)) {
    had = TRUE;
    header = compiled.cache != NULL && compiled.contains (compiled.cache, *entry)
        ? compiled.header (compiled.cache, *entry, method)
        : NULL;
    if (header != NULL)
      compiled.invalidate (compiled.cache, method, header);
    else
      *(gpointer volatile *)entry = compiled.bridge;
  }
  if (compiled.cache != NULL && (header = compiled.osr (compiled.cache, method)) != NULL) {
    had = TRUE;
    compiled.invalidate (compiled.cache, method, header);
  }
  return had;
}

static void leave_and_note (gpointer method) {
  if (!leave (method) || *(guint32 *)((gpointer)(gsize)class_of (method) + LOADER) == 0)
    return;
  if (compiled.left_count < compiled.left_room)
    compiled.left[compiled.left_count] = method;
  compiled.left_count++;
}

/* Like visit, for all methods of the class. */
guint8 visit_compiled (gpointer self, gpointer cls) {
  (void)self;
  return each_method (cls, FALSE, leave_and_note);
}

static void leave_one (gpointer method) { leave (method); }

/* Visits the class whose handle is the third argument. */
void on_initialize (GumInvocationContext *ic) {
  guint32 *handle = gum_invocation_context_get_nth_argument (ic, 2);

  if (known.methods != 0)
    each_method ((gpointer)(gsize)*handle, FALSE, leave_one);
}

/* The entry point that ART should give a method instead of one in code that was compiled ahead of time. */
gpointer instead (gpointer method, gpointer entry) {
  if (!compiled.tells || (*(guint32 volatile *)(method + 4) & NATIVE) != 0 || !is_code (entry))
    return entry;
  return compiled.cache != NULL && compiled.contains (compiled.cache, entry) ? entry : compiled.bridge;
}
