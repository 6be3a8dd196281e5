// Whether memory can be read: a pointer that an app gives to the kernel may be invalid.

#ifdef __linux__
#include <gum/gumprocess.h>

/* The system call rt_sigprocmask: it reads the mask before it rejects an invalid operation. */
#if defined(__x86_64__)
#define ASK 14
#elif defined(__aarch64__)
#define ASK 135
#else
#define ASK 175
#endif
#define UNREADABLE 14 /* EFAULT */

extern glong syscall (glong number, glong a, glong b, glong c, glong d, glong e);

static gint is_readable (gconstpointer at) {
  const gsize from = GPOINTER_TO_SIZE (at) & ~(gsize)7;
  return from != 0 && (syscall (ASK, -1, (glong)from, 0, 8, 0) == 0 || gum_thread_get_system_error () != UNREADABLE);
}
#else
static gint is_readable (gconstpointer at) { return at != NULL; }
#endif
