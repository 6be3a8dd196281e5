// The C part of filters.ts: decides without entering JavaScript whether a call of a hooked function matters.

#include <gum/guminterceptor.h>
#include <gum/gumtls.h>
#include "atomic.h"
#include "fits.h"
#include "publish.h"
#include "readable.h"
#include "shared.h"

/*
 * Constant from before the function is hooked, except the bytes of a descriptor table, each of which stands alone:
 * relaxed.
 */
typedef struct {
  gint id;
  gint judges;
  guint argument;
  gint behind; /* offset in what the argument points to */
  gint covers; /* calls inside a wrapped API are part of its access */
  gint spares; /* calls from some libraries are ignored */
  gint enters;
  gint count; /* entries in the table */
  gpointer table;
} Filter;

typedef struct {
  gint number;
  gpointer args[ARGUMENTS];
} Call;

typedef struct {
  gsize from;
  gsize to;
} Range;
typedef struct {
  gsize count;
  Range all[MOST_LIBRARIES];
} Libraries;

extern GumTlsKey inside_key;
extern gint paused; /* relaxed: a call may just as well have come before or after */
extern GumTlsKey own_key;
extern Range agent; /* the library that we are in; constant from before the first hook */
extern GMutex lock;
extern gpointer spared; /* Libraries, never changed and never freed. Published and consumed */

extern gint entered (gint id, gpointer *args, gpointer caller, guint thread, guint depth);
extern void left (gint id, gint number, gpointer *args, gpointer result, gint error);
extern int fileno (gpointer stream);

void spare (gpointer libraries) { publish (&lock, &spared, libraries); }

gpointer new_key (void) { return GSIZE_TO_POINTER (gum_tls_key_new ()); }
gpointer place (void) { return (gpointer)gum_tls_key_new; }
void set_own (void) { gum_tls_key_set_value (own_key, GINT_TO_POINTER (1)); }

/* Whether a text can be read to its end: for any other the kernel returns EFAULT, as it would without us. */
static gint is_readable_text (const guint8 *at) {
  if (!is_readable (at))
    return 0;
  while (*at != 0)
    if ((GPOINTER_TO_SIZE (++at) & 4095) == 0 && !is_readable (at))
      return 0;
  return 1;
}

static gint is_one_of (Filter *filter, guint32 number) {
  guint32 *numbers = filter->table;
  gint i;
  for (i = 0; i != filter->count; i++)
    if (numbers[i] == number)
      return 1;
  return 0;
}

static gint is_open (guint8 *table, gint descriptor) {
  return descriptor >= 0 && GET_RELAXED (table[descriptor < DESCRIPTORS ? descriptor : DESCRIPTORS]) != 0;
}

static gint is_found (Filter *filter, const guint8 *text) {
  const guint8 **shapes = filter->table;
  gint i;
  for (i = 0; i != filter->count; i++)
    if (fits (shapes[i], text))
      return 1;
  return 0;
}

static gint matters (Filter *filter, GumInvocationContext *ic) {
  gpointer argument = gum_invocation_context_get_nth_argument (ic, filter->argument);
  switch (filter->judges) {
    case BY_NUMBER: return is_one_of (filter, (guint32)GPOINTER_TO_SIZE (argument));
    case BY_TEXT:
      argument = (guint8 *)argument + filter->behind;
      return is_readable_text (argument) && is_found (filter, argument);
    case BY_DESCRIPTOR: return is_open (filter->table, GPOINTER_TO_INT (argument));
    case BY_STREAM: return is_readable (argument) && is_open (filter->table, fileno (argument));
    case BY_FAMILY: return is_readable (argument) && is_one_of (filter, *(guint16 *)argument);
  }
  return 1;
}

/* Whether the agent makes the call itself, or the call should not be seen. */
static gint is_let_through (Filter *filter, gsize caller) {
  const Libraries *libraries;
  gsize i;
  if (gum_tls_key_get_value (own_key) != NULL || (caller >= agent.from && caller < agent.to))
    return 1;
  if (filter->covers && (GET_RELAXED (paused) || gum_tls_key_get_value (inside_key) != NULL))
    return 1;
  libraries = GET_CONSUME (spared);
  for (i = 0; filter->spares && i != libraries->count; i++)
    if (caller >= libraries->all[i].from && caller < libraries->all[i].to)
      return 1;
  return 0;
}

void on_enter (GumInvocationContext *ic) {
  Filter *filter = gum_invocation_context_get_listener_function_data (ic);
  Call *call = gum_invocation_context_get_listener_invocation_data (ic, sizeof (Call));
  gpointer caller;
  guint i;

  call->number = 0;
  if (!matters (filter, ic))
    return;
  caller = gum_invocation_context_get_return_address (ic);
  if (is_let_through (filter, GPOINTER_TO_SIZE (caller)))
    return;
  for (i = 0; i != ARGUMENTS; i++)
    call->args[i] = gum_invocation_context_get_nth_argument (ic, i);
  call->number = filter->enters ? entered (filter->id, call->args, caller, gum_invocation_context_get_thread_id (ic),
                                      gum_invocation_context_get_depth (ic))
                                : -1;
}

void on_leave (GumInvocationContext *ic) {
  Filter *filter = gum_invocation_context_get_listener_function_data (ic);
  Call *call = gum_invocation_context_get_listener_invocation_data (ic, sizeof (Call));

  if (call->number != 0)
    left (filter->id, call->number, call->args, gum_invocation_context_get_return_value (ic), ic->system_error);
}

gpointer new_filter (gint id, gint judges, guint argument, gint behind, gint covers, gint spares, gint enters,
    gpointer table, gint count) {
  Filter *filter = g_malloc0 (sizeof (Filter));
  filter->id = id;
  filter->judges = judges;
  filter->argument = argument;
  filter->behind = behind;
  filter->covers = covers;
  filter->spares = spares;
  filter->enters = enters;
  filter->table = table;
  filter->count = count;
  return filter;
}
