// The C part of children.ts: notes in memory that copies of the process share; takes no lock and needs little stack.

#include "restore.h"
#include <gum/guminterceptor.h>
#include "atomic.h"

typedef struct {
  gint number;
  gint pid;
  gchar text[NOTE_BYTES - 2 * sizeof (gint)];
} Note;
typedef struct {
  gint next;
  gint unused;
  Note all[NOTES];
} Notes;
extern Notes notes;
extern int getpid (void);
extern void copied (int pid);

void exec_enter (GumInvocationContext *ic) {
  const gchar *path = gum_invocation_context_get_nth_argument (ic, 0);
  gchar **words = gum_invocation_context_get_nth_argument (ic, 1);
  gint number = ADD (notes.next, 1);
  Note *note = &notes.all[number % NOTES];
  gsize at = 0, i;
  gint word;

  for (word = -1; word == -1 || (words != NULL && words[word] != NULL); word++) {
    const gchar *from = word == -1 ? path : words[word];
    if (at > sizeof (note->text) - 3)
      break;
    for (i = 0; from != NULL && from[i] != 0 && at < sizeof (note->text) - 2; i++)
      note->text[at++] = from[i];
    note->text[at++] = 0;
  }
  note->text[at] = 1;
  note->pid = getpid ();
  ADD (note->number,
      number + 1 - GET_RELAXED (note->number)); /* release: after the note's contents; nobody else has this note */
}

/* Whether a note has been written. Acquire: if so, its contents can be read. */
gint is_written (Note *note, gint number) { return GET_ACQUIRE (note->number) == number + 1; }

void fork_leave (GumInvocationContext *ic) {
  gint pid = GPOINTER_TO_INT (gum_invocation_context_get_return_value (ic));
  if (pid == 0)
    restore_all ();
  else if (pid > 0)
    copied (pid);
}
