// The C part of entry.ts: which entry point each replaced method should have, and whether it has it; the class of its
// native copy.

#include <gum/guminterceptor.h>
#include "shared.h"

extern GMutex lock;
extern GHashTable *wanted;
extern GHashTable *copies;
extern gpointer instead (gpointer method, gpointer entry);

typedef struct {
  gpointer *entry;
  gpointer wanted;
  /* an equally good entry point: the method's compiled code, patched by the bridge; NULL: none */
  gpointer also;
  guint32 *flags;
  gsize fast;
} Row;
_Static_assert (sizeof (GMutex) == LOCK_BYTES, "the size of GMutex");

void init (void) {
  g_mutex_init (&lock);
  wanted = g_hash_table_new_full (NULL, NULL, NULL, NULL);
  copies = g_hash_table_new_full (NULL, NULL, NULL, NULL);
}

void finalize (void) {
  g_hash_table_unref (copies);
  g_hash_table_unref (wanted);
  g_mutex_clear (&lock);
}

void want (gpointer method, gpointer entry) {
  g_mutex_lock (&lock);
  if (entry != NULL)
    g_hash_table_insert (wanted, method, entry);
  else
    g_hash_table_remove (wanted, method);
  g_mutex_unlock (&lock);
}

/* The first field of an ArtMethod: the declaring class, a compressed reference. */
static void take_class (gpointer copy, gpointer method) { *(guint32 volatile *)copy = *(guint32 volatile *)method; }

/* From now on, a method's native copy has the same class as the method. */
void keep_class (gpointer copy, gpointer method) {
  g_mutex_lock (&lock);
  g_hash_table_insert (copies, copy, method);
  take_class (copy, method);
  g_mutex_unlock (&lock);
}

/*
 * The concurrent collector has moved all objects that are alive, and is about to stop correcting the references that
 * threads read. It does not know native copies: if one still named the former place of its class, a thread that has a
 * stack trace made would store that reference, and the next collection would end the process.
 */
void on_all_moved (void) {
  GHashTableIter iter;
  gpointer copy, method;

  g_mutex_lock (&lock);
  g_hash_table_iter_init (&iter, copies);
  while (g_hash_table_iter_next (&iter, &copy, &method))
    take_class (copy, method);
  g_mutex_unlock (&lock);
}

/* ART is about to give a method another entry point. Arguments: instrumentation, method, entry point. */
void on_update (GumInvocationContext *ic) {
  gpointer method = gum_invocation_context_get_nth_argument (ic, 1);
  gpointer entry;

  g_mutex_lock (&lock);
  entry = g_hash_table_lookup (wanted, method);
  g_mutex_unlock (&lock);
  if (entry == NULL)
    entry = instead (method, gum_invocation_context_get_nth_argument (ic, 2));
  gum_invocation_context_replace_nth_argument (ic, 2, entry);
}

/*
 * Restores the entry point and flags that each method's hook needs; the indexes of those that were not hooked go to
 * lost. The rows belong to the agent's own thread. ART's fields are read and written relaxed, as ART does: what ART
 * writes at the same moment is found by the next audit.
 */
gint audit (Row *rows, gint count, gpointer *alive, gint alive_count, gint32 *lost) {
  gint found = 0, i, j;

  for (i = 0; i != count; i++) {
    Row *row = &rows[i];
    gpointer entry = *(gpointer volatile *)row->entry;
    gboolean gone = FALSE;

    if (entry != row->wanted && entry != row->also) {
      gone = TRUE;
      for (j = 0; j != alive_count; j++)
        if (entry == alive[j])
          gone = FALSE;
      if (gone || row->also == NULL)
        *(gpointer volatile *)row->entry = row->wanted;
    }
    if ((*(guint32 volatile *)row->flags & (guint32)row->fast) != 0) {
      gone = TRUE;
      *(guint32 volatile *)row->flags &= ~(guint32)row->fast;
    }
    if (gone)
      lost[found++] = i;
  }
  return found;
}
