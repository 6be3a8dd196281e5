// The C part of children.ts: notes in memory that copies of the process share; takes no lock, and needs little stack.

import { RESTORE } from "../java/restore_c.js";
import { ATOMICS } from "../out/atomic_c.js";
import { layout } from "../out/layout_c.js";

/** Notes that are kept, and what each takes. */
export const NOTES = 64;
export const NOTE_BYTES = 2048;
/** A note: its number plus one, once it is written; the process; its text: path and words, each with a zero at its end. */
export const NOTE = { number: 0, pid: 4, text: 8 } as const;
/** The number of the next note, then the notes. */
export const ALL_NOTES = { next: 0, all: 8 } as const;
export const ALL_NOTES_BYTES = ALL_NOTES.all + NOTES * NOTE_BYTES;

export const SOURCE = `
${RESTORE}
#include <gum/guminterceptor.h>
${ATOMICS}
typedef struct { gint number; gint pid; gchar text[${NOTE_BYTES - NOTE.text}]; } Note;
typedef struct { gint next; gint unused; Note all[${NOTES}]; } Notes;
${layout("Note", NOTE_BYTES, NOTE)}
${layout("Notes", ALL_NOTES_BYTES, ALL_NOTES)}
extern Notes notes;
extern int getpid (void);
extern void copied (int pid);

void
exec_enter (GumInvocationContext * ic)
{
  const gchar * path = gum_invocation_context_get_nth_argument (ic, 0);
  gchar ** words = gum_invocation_context_get_nth_argument (ic, 1);
  gint number = ADD (notes.next, 1);
  Note * note = &notes.all[number % ${NOTES}];
  gsize at = 0, i;
  gint word;

  for (word = -1; word == -1 || (words != NULL && words[word] != NULL); word++)
  {
    const gchar * from = word == -1 ? path : words[word];
    if (at > sizeof (note->text) - 3)
      break;
    for (i = 0; from != NULL && from[i] != 0 && at < sizeof (note->text) - 2; i++)
      note->text[at++] = from[i];
    note->text[at++] = 0;
  }
  note->text[at] = 1;
  note->pid = getpid ();
  ADD (note->number, number + 1 - GET_RELAXED (note->number)); /* release: after what it says; nobody else has this note */
}

/* Whether a note has been written. Acquire: then what it says can be read. */
gint
is_written (Note * note, gint number)
{
  return GET_ACQUIRE (note->number) == number + 1;
}

void
fork_leave (GumInvocationContext * ic)
{
  gint pid = GPOINTER_TO_INT (gum_invocation_context_get_return_value (ic));
  if (pid == 0)
    restore_all ();
  else if (pid > 0)
    copied (pid);
}
`;
