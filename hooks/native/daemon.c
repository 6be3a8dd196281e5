// The C part of daemon.ts: a thread that a JVM waits for before it ends.

#include "atomic.h"
#include "shared.h"

/* Microseconds between two looks, and after which a JVM that has begun to end has said so. */
#define STEP 1000
#define SAYS_SO 5000
#define VM(index) ((*(gpointer **)vm)[index])
#define JNI(index) ((*(gpointer **)env)[index])

typedef struct {
  gint32 version;
  const gchar *name;
  gpointer group;
} AttachArguments;
extern gint state;
extern gint usleep (guint microseconds);
extern gint pthread_create (gsize *thread, gpointer attributes, gpointer work, gpointer with);
extern gint pthread_detach (gsize thread);

/* With a name, a thread does not take one of the numbers that Java counts unnamed threads with. */
static AttachArguments as = {0x10006, "appwitness", NULL};

/* Attach the calling thread, as a daemon or as one that the JVM waits for. */
gint attach (gpointer vm, gint daemon) {
  gpointer env;
  return ((gint (*) (gpointer, gpointer *, AttachArguments *))VM (daemon != 0 ? 7 : 4)) (vm, &env, &as);
}

gint detach (gpointer vm) { return ((gint (*) (gpointer))VM (5)) (vm); }

/* Whether the JVM has begun to end: it waits for no thread any more. */
static gboolean ends (gpointer vm) {
  gpointer env, cls, field;
  gboolean has_begun = FALSE;

  if (((gint (*) (gpointer, gpointer *, gint32))VM (6)) (vm, &env, as.version) != 0)
    return TRUE;
  cls = ((gpointer (*) (gpointer, const gchar *))JNI (6)) (env, "java/lang/Shutdown");
  field = cls == NULL ? NULL
                      : ((gpointer (*) (gpointer, gpointer, const gchar *, const gchar *))JNI (144)) (
                            env, cls, "currentRunningHook", "I");
  if (field == NULL)
    ((void (*) (gpointer))JNI (17)) (env); /* another Java: it is not known, and most do not end now */
  else
    has_begun = ((gint32 (*) (gpointer, gpointer, gpointer))JNI (150)) (env, cls, field) > 0;
  return has_begun;
}

static gpointer held (gpointer vm) {
  gboolean late = attach (vm, 0) != 0;

  if (!late)
    usleep (SAYS_SO);
  ADD (state, late || ends (vm) ? ENDS : HELD);
  while (GET_ACQUIRE (state) == HELD)
    usleep (STEP);
  if (!late)
    detach (vm);
  return NULL;
}

/* Start the thread; `state` says when the JVM waits for it, until it is something else than HELD. */
gint hold (gpointer vm) {
  gsize thread;
  gint failed = pthread_create (&thread, NULL, (gpointer)held, vm);

  if (failed == 0)
    pthread_detach (thread);
  return failed;
}
