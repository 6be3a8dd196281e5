// What folding.c passes to writing.c; shared by both.

#include <glib.h>

/* How long data from JavaScript counts as current: names of threads, and owners of code, may change. */
#define FRESH_US 500000
/* Bytes of a thread's name, at most. */
#define MOST_NAME 256

/* The calls of one method whose lines are written in C. */
typedef struct _Table Table;

/* A thread's name as JSON. It is current until a time in microseconds. */
typedef struct {
  gint64 until;
  gint length;
  gchar text[MOST_NAME];
} Name;
