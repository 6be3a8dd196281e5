// The C part of writing.ts: writes the line of a call whose only value is the text that it returns, once JavaScript has
// given the rest of the lines of calls with the same stack; and counts the repeats of such calls. So an app that reads
// a new value each time does not wait for JavaScript each time.
//
// A table's lock is taken before that of the lines.

#include "written.h"
#include <string.h>
#include "atomic.h"
#include "clocks.h"

#define SECOND 1000000
#define DAY 86400
/* Bytes of lines that are sent in one message, at most. */
#define CHUNK 65536
/*
 * Bytes of one line, at most: without its value, its thread's name and its times; and its times, with the text around
 * them.
 */
#define MOST_TEXT 32768
#define MOST_TIMES 192
/* Lines that may wait. */
#define MOST_LINES 100000
/* Stacks and calls of a method that are remembered, each in the place given by its hash modulo this number. */
#define PLACES 32
#define CALLS 256

typedef struct _Chunk Chunk;
struct _Chunk {
  Chunk *next;
  gint used;
  gint lines;
  gchar bytes[CHUNK];
};

/* A stack from which a method is called: what is in all lines of its calls, before and after the value. */
typedef struct {
  guint64 stack;
  gint64 until; /* JavaScript is to be asked again then */
  gint before;
  gint length;
  gchar *text; /* NULL: unknown */
} Place;

/* A call whose line was written, and its repeats since. */
typedef struct {
  guint64 stack;
  gint64 begun; /* when its last line was written */
  gint64 first;
  gint64 last;
  gint count;
  gint units; /* of its value, which come first in: */
  gint length; /* bytes of its line, without the times, which follow them */
  guint16 *text; /* NULL: none */
} Call;

/* All under the lock, but for next, which never changes. Never freed: a thread may be about to use it. */
struct _Table {
  GMutex lock;
  Table *next;
  Place places[PLACES];
  Call calls[CALLS];
};

/* The lines that wait. All under the lock; tables and fixed are never unset. */
typedef struct {
  GMutex lock;
  gint expected; /* whether JavaScript will take lines soon; if not, it is to be entered, so that it does */
  gint lines;
  Chunk *first;
  Chunk *last;
  Chunk *taken; /* being sent */
  Table *tables;
  const gchar *fixed; /* what is in all lines */
  gint length;
} Lines;

extern Lines lines;

static gchar *copied (gchar *to, const gchar *from, gint length) {
  memcpy (to, from, (gsize)length);
  return to + length;
}

/* A string literal. */
#define COPIED(to, text) copied (to, text, (gint)sizeof (text) - 1)

static gchar *digits (gchar *to, gint64 number, gint width) {
  gint i;
  for (i = width - 1; i >= 0; i--) {
    to[i] = (gchar)('0' + number % 10);
    number /= 10;
  }
  return to + width;
}

static gchar *decimal (gchar *to, gint64 number) {
  gint width = 1;
  gint64 rest = number;
  while (rest >= 10) {
    rest /= 10;
    width++;
  }
  return digits (to, number, width);
}

/* A time as clock.ts writes it: RFC 3339, UTC, microseconds. By Howard Hinnant's civil_from_days, from 1970 on. */
static gchar *timestamp (gchar *to, gint64 at) {
  gint64 seconds = at / SECOND, days = seconds / DAY + 719468, day, month, year, era;
  era = days / 146097;
  days -= era * 146097;
  year = (days - days / 1460 + days / 36524 - days / 146096) / 365;
  day = days - (365 * year + year / 4 - year / 100);
  month = (5 * day + 2) / 153;
  day -= (153 * month + 2) / 5 - 1;
  month += month < 10 ? 3 : -9;
  year += era * 400 + (month <= 2);
  to = digits (to, year, 4);
  *to++ = '-';
  to = digits (to, month, 2);
  *to++ = '-';
  to = digits (to, day, 2);
  *to++ = 'T';
  to = digits (to, seconds / 3600 % 24, 2);
  *to++ = ':';
  to = digits (to, seconds / 60 % 60, 2);
  *to++ = ':';
  to = digits (to, seconds % 60, 2);
  *to++ = '.';
  to = digits (to, at % SECOND, 6);
  *to++ = 'Z';
  return to;
}

static gint is_high (guint unit) { return unit >= 0xd800 && unit < 0xdc00; }
static gint is_low (guint unit) { return unit >= 0xdc00 && unit < 0xe000; }

/* A unit of UTF-16 below 0x80, as in a JSON string. */
static gchar *escaped (gchar *to, guint unit) {
  static const gchar hex[] = "0123456789abcdef";
  if (unit >= ' ' && unit != '"' && unit != '\\') {
    *to++ = (gchar)unit;
    return to;
  }
  *to++ = '\\';
  switch (unit) {
    case '"':
    case '\\': *to++ = (gchar)unit; return to;
    case '\b': *to++ = 'b'; return to;
    case '\f': *to++ = 'f'; return to;
    case '\n': *to++ = 'n'; return to;
    case '\r': *to++ = 'r'; return to;
    case '\t': *to++ = 't'; return to;
  }
  to = COPIED (to, "u00");
  *to++ = hex[unit >> 4];
  *to++ = hex[unit & 15];
  return to;
}

/* The inside of a JSON string, in UTF-8: at most six bytes for each unit. A lone surrogate becomes U+FFFD. */
static gchar *quoted (gchar *to, const guint16 *units, gint length) {
  gint i;
  for (i = 0; i != length; i++) {
    guint letter = units[i];
    if (is_high (letter) && i + 1 != length && is_low (units[i + 1]))
      letter = 0x10000 + ((letter - 0xd800) << 10) + (units[++i] - 0xdc00u);
    else if (is_high (letter) || is_low (letter))
      letter = 0xfffd;
    if (letter < 0x80) {
      to = escaped (to, letter);
      continue;
    }
    if (letter < 0x800)
      *to++ = (gchar)(0xc0 | letter >> 6);
    else {
      if (letter < 0x10000)
        *to++ = (gchar)(0xe0 | letter >> 12);
      else {
        *to++ = (gchar)(0xf0 | letter >> 18);
        *to++ = (gchar)(0x80 | (letter >> 12 & 63));
      }
      *to++ = (gchar)(0x80 | (letter >> 6 & 63));
    }
    *to++ = (gchar)(0x80 | (letter & 63));
  }
  return to;
}

/*
 * Queue the line of a call, or of its repeats, whose times are in first and last. With `only_if_expected`, returns 0
 * unless JavaScript takes lines soon and there is room.
 */
static gint queue (const Call *call, gint64 at, gint only_if_expected) {
  Chunk *chunk;
  gchar *to;
  gint done = 0;
  g_mutex_lock (&lines.lock);
  if (!only_if_expected || (lines.expected && lines.lines < MOST_LINES)) {
    chunk = lines.last;
    if (chunk == NULL || CHUNK - chunk->used < call->length + lines.length + MOST_TIMES) {
      chunk = g_malloc0 (sizeof (Chunk));
      if (lines.last == NULL)
        lines.first = chunk;
      else
        lines.last->next = chunk;
      lines.last = chunk;
    }
    to = COPIED (chunk->bytes + chunk->used, "{\"v\":1,\"at\":\"");
    to = timestamp (to, at);
    to = COPIED (to, "\",\"boot_ms\":");
    to = decimal (to, (gint64)(boot_at ((double)at) / 1000 + 0.5));
    if (call->count > 1) {
      to = COPIED (to, ",\"count\":");
      to = decimal (to, call->count);
      to = COPIED (to, ",\"until\":\"");
      to = timestamp (to, call->last);
      *to++ = '"';
    }
    *to++ = ',';
    to = copied (to, lines.fixed, lines.length);
    to = copied (to, (const gchar *)(call->text + call->units), call->length);
    *to++ = '\n';
    chunk->used = (gint)(to - chunk->bytes);
    chunk->lines++;
    lines.lines++;
    done = 1;
  }
  g_mutex_unlock (&lines.lock);
  return done;
}

/* Queue the line of the repeats, if there are any. */
static void settle (Call *call, gint64 at) {
  if (call->count > 0)
    queue (call, call->first, 0);
  call->count = 0;
  call->begun = at;
}

static void forget (Call *call) {
  g_free (call->text);
  call->text = NULL;
}

static gint is_fresh (gint64 until, gint64 at) { return at < until && until - at <= FRESH_US; }

static gint is_same (const Call *call, const guint16 *units, gint count, guint64 stack) {
  gint i = 0;
  if (call->text == NULL || call->stack != stack || call->units != count)
    return 0;
  while (i != count && call->text[i] == units[i])
    i++;
  return i == count;
}

/* Set what is remembered of a call from a place: its value, and its line. */
static void compose (Call *call, const Place *place, const Name *name, const guint16 *units, gint count) {
  gchar *begin, *to;
  call->text = g_malloc0 ((gsize)(2 * count + place->length + 6 * count + name->length + 1));
  memcpy (call->text, units, 2 * (gsize)count);
  begin = (gchar *)(call->text + count);
  to = copied (begin, place->text, place->before);
  to = quoted (to, units, count);
  to = copied (to, place->text + place->before, place->length - place->before);
  to = copied (to, name->text, name->length);
  *to++ = '}';
  call->units = count;
  call->length = (gint)(to - begin);
}

/* Count a call as a repeat of one that was written, or write its own line now; 0 when neither is possible. */
gint write_call (Table *table, const Name *name, const guint16 *units, gint count, guint64 stack, gint64 begun) {
  guint64 hash = stack;
  Place *place = &table->places[stack % PLACES];
  Call *call;
  gint i, done = 0;
  for (i = 0; i != count; i++)
    hash = (hash ^ units[i]) * 1099511628211ULL;
  call = &table->calls[(hash >> 32) % CALLS];
  g_mutex_lock (&table->lock);
  if (is_same (call, units, count, stack)) {
    if (call->count++ == 0 || begun < call->first)
      call->first = begun;
    if (call->count == 1 || begun > call->last)
      call->last = begun;
    done = 1;
  } else if (place->text != NULL && place->stack == stack && is_fresh (place->until, begun) &&
      is_fresh (name->until, begun)) {
    Call made = {0};
    made.stack = stack;
    made.begun = begun;
    compose (&made, place, name, units, count);
    done = queue (&made, begun, 1);
    if (done) {
      settle (call, begun);
      forget (call);
      *call = made;
    } else
      g_free (made.text);
  }
  g_mutex_unlock (&table->lock);
  return done;
}

Table *new_table (void) {
  Table *table = g_malloc0 (sizeof (Table));
  g_mutex_lock (&lines.lock);
  table->next = lines.tables;
  lines.tables = table;
  g_mutex_unlock (&lines.lock);
  return table;
}

/* Set what the lines of calls with this stack hold, for now, before and after the value; the thread's name follows. */
void set_place (Table *table, guint64 stack, const gchar *before, const gchar *after) {
  Place *place = &table->places[stack % PLACES];
  gsize first = strlen (before), length = first + strlen (after);
  gchar *text;
  if (length > MOST_TEXT)
    return;
  text = g_malloc0 (length);
  memcpy (text, before, first);
  memcpy (text + first, after, length - first);
  g_mutex_lock (&table->lock);
  g_free (place->text);
  place->stack = stack;
  place->until = (gint64)now (0) + FRESH_US;
  place->before = (gint)first;
  place->length = (gint)length;
  place->text = text;
  g_mutex_unlock (&table->lock);
}

/* Set the text that is in all lines. */
void set_fixed (const gchar *text) {
  g_mutex_lock (&lines.lock);
  lines.fixed = text;
  lines.length = (gint)strlen (text);
  g_mutex_unlock (&lines.lock);
}

/* Note that JavaScript will take lines soon. */
void expect (void) {
  g_mutex_lock (&lines.lock);
  lines.expected = lines.fixed != NULL;
  g_mutex_unlock (&lines.lock);
}

/*
 * Queue the lines of the repeats of all calls, or of those whose last line is at least `age` microseconds old. Returns
 * how many calls may still be repeated.
 */
gint settle_calls (gint all, gdouble age) {
  Table *table;
  gint64 at = (gint64)now (0);
  gint left = 0, i;
  g_mutex_lock (&lines.lock);
  table = lines.tables;
  g_mutex_unlock (&lines.lock);
  for (; table != NULL; table = table->next) {
    g_mutex_lock (&table->lock);
    for (i = 0; i != CALLS; i++) {
      Call *call = &table->calls[i];
      if (call->text == NULL)
        continue;
      if (all || at - call->begun >= (gint64)age) {
        gint repeated = call->count > 0;
        settle (call, at);
        if (all || !repeated) {
          forget (call);
          continue;
        }
      }
      left++;
    }
    g_mutex_unlock (&table->lock);
  }
  return left;
}

/* The next bytes to send, and how many: whole lines. They are valid until the next call. NULL: there are none. */
gchar *take_lines (gint *length) {
  Chunk *chunk;
  g_mutex_lock (&lines.lock);
  g_free (lines.taken);
  chunk = lines.taken = lines.first;
  if (chunk == NULL)
    lines.expected = 0;
  else {
    lines.first = chunk->next;
    if (lines.first == NULL)
      lines.last = NULL;
    lines.lines -= chunk->lines;
    *length = chunk->used - 1; /* without the last newline */
  }
  g_mutex_unlock (&lines.lock);
  return chunk == NULL ? NULL : chunk->bytes;
}
