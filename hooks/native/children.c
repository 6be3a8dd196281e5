// The C part of children.ts: notes in memory that copies of the process share; takes no lock and needs little stack.

#include "restore.h"
#include <gum/guminterceptor.h>
#include "atomic.h"

/* The system call faccessat: unlike access, it exists on every processor; the function is hooked itself. */
#if defined(__x86_64__)
#define ASK_PATH 269
#elif defined(__aarch64__)
#define ASK_PATH 48
#elif defined(__arm__)
#define ASK_PATH 334
#else
#define ASK_PATH 307
#endif
#define FROM_HERE -100 /* AT_FDCWD */
#define EXECUTABLE 1 /* X_OK */

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
extern glong syscall (glong number, glong a, glong b, glong c, glong d, glong e);
extern void copied (int pid);

void exec_enter (GumInvocationContext *ic) {
  const gchar *path = gum_invocation_context_get_nth_argument (ic, 0);
  gchar **words = gum_invocation_context_get_nth_argument (ic, 1);
  gsize at = 0, i;
  gint word, number;
  Note *note;

  /* A search through the folders of a path: this attempt starts nothing. */
  if (syscall (ASK_PATH, FROM_HERE, (glong)path, EXECUTABLE, 0, 0) != 0)
    return;
  number = ADD (notes.next, 1);
  note = &notes.all[number % NOTES];

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
