// The C part of dex.ts: looks a class up in a dex file, and never reads beyond the file's end.

#include <glib.h>

typedef struct _Dex Dex;
struct _Dex {
  const guint8 *begin;
  guint32 size;
};

/* Never reads beyond the end: the app may have overwritten the file. */
static guint32 word (Dex *dex, guint64 at) { return at + 4 <= dex->size ? *(const guint32 *)(dex->begin + at) : 0; }

static guint byte (Dex *dex, guint64 at) { return at < dex->size ? dex->begin[at] : 0; }

/* Compares a text of the file with an ASCII name, in the file's order. */
static gint compare (Dex *dex, guint64 text, const gchar *name) {
  guint length_left = 5;

  while (length_left-- != 0 && (byte (dex, text++) & 0x80) != 0)
    ;
  for (;; text++, name++) {
    guint one = byte (dex, text), other = (guint8)*name;

    if (one == 0 || other == 0)
      return one == other ? 0 : one == 0 ? -1 : 1;
    if (one == 0xc0) /* a NUL */
      return -1;
    if (one != other)
      return one < other ? -1 : 1;
  }
}

/* Whether the file defines the class with a descriptor. Texts and types are sorted. */
gint defines (const guint8 *begin, guint32 size, const gchar *descriptor) {
  Dex whole = {begin, size}, *dex = &whole;
  guint64 texts = word (dex, 60), types = word (dex, 68), classes = word (dex, 100);
  guint32 low, high, i, text, type;
  gboolean found = FALSE;

  for (low = 0, high = word (dex, 56); low < high && !found;) {
    gint order;

    text = low + (high - low) / 2;
    order = compare (dex, word (dex, texts + 4 * (guint64)text), descriptor);
    if (order == 0)
      found = TRUE;
    else if (order < 0)
      low = text + 1;
    else
      high = text;
  }
  if (!found)
    return 0;
  found = FALSE;
  for (low = 0, high = word (dex, 64); low < high && !found;) {
    guint32 own;

    type = low + (high - low) / 2;
    own = word (dex, types + 4 * (guint64)type);
    if (own == text)
      found = TRUE;
    else if (own < text)
      low = type + 1;
    else
      high = type;
  }
  if (!found)
    return 0;
  for (i = 0; i != word (dex, 96) && classes + 32 * (guint64)i < size; i++) {
    if (word (dex, classes + 32 * (guint64)i) == type)
      return 1;
  }
  return 0;
}
