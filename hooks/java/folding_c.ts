// The C part of folding.ts: a hooked call that repeats the one before it is counted without entering JavaScript.
//
// Data of a CModule is read-only, so all that changes lives in memory that JavaScript gives.

/** Calls of a method among which a repeat is looked for. */
export const SLOTS = 4;
/** Arguments of a method, and the mark behind the last one, at most. */
export const MOST_ARGUMENTS = 24;

export const DECLARATIONS = `
#include <glib.h>
typedef union { guint8 z; gint8 b; guint16 c; gint16 s; gint32 i; gint64 j; gfloat f; gdouble d; gpointer l; } Value;
typedef struct _Hook Hook;
`;

export const SOURCE = `${DECLARATIONS}
#include <gum/gumtls.h>
#include <string.h>

#define SLOTS ${SLOTS}
#define ROOM 512 /* 16-bit units of all that was asked and given */
#define FRAMES 128

typedef gpointer **Env;
typedef struct { gpointer method; gint64 location; } Frame;

enum { FREE, FOLDS, PASSES };

/* A call that was told of: whoever makes the same one again is only counted. */
typedef struct {
  gint state;
  gint generation; /* which telling filled it */
  gint count;
  gint asked; /* units that say what was asked, of: */
  gint length; /* units */
  gint64 first;
  gint64 last;
  guint64 stack;
  guint16 units[ROOM];
} Slot;

struct _Hook {
  GMutex lock;
  gpointer method; /* the app's own; NULL until it is known */
  gpointer cls;
  Slot *slots;
  gint id;
  gint call; /* its entry in the function table of JNI */
  gint is_static;
  gint asks; /* whether only some calls concern anybody */
  gchar gives; /* kind of its result */
  gchar reads; /* kind of its result if that is a value, else 0 */
  gchar compares[${MOST_ARGUMENTS}]; /* kind of each argument that matters, else 0; ends with -1 */
};

extern GumTlsKey inside_key;
extern gint paused;
extern gpointer **jvmti; /* NULL: accesses have no stack */

extern gint clock_gettime(gint clock, glong *at); /* the one that JavaScript asks too (out/clock.ts) */
extern gpointer resolve(gint id);
extern gint wants(gint id, gpointer self, Value *args, gdouble begun);
extern gint told(gint id, gpointer self, Value *args, Value *result, gdouble begun);

gpointer new_key(void) { return GSIZE_TO_POINTER(gum_tls_key_new()); }
gint is_inside(void) { return gum_tls_key_get_value(inside_key) != NULL; }
void set_inside(gint on) { gum_tls_key_set_value(inside_key, GINT_TO_POINTER(on)); }

/* Append a value to units; -1 when there is no room, or when it cannot be told apart. */
static gint append(Env env, gchar kind, Value value, guint16 *units, gint at) {
  gint length;
  switch (kind) {
  case 'T':
    if (at < 0 || at + 1 > ROOM)
      return -1;
    if (value.l == NULL) {
      units[at] = 0xffff;
      return at + 1;
    }
    length = ((gint (*)(Env, gpointer)) (*env)[164])(env, value.l);
    if (length > ROOM - at - 1)
      return -1;
    units[at] = length;
    ((void (*)(Env, gpointer, gint, gint, guint16 *)) (*env)[220])(env, value.l, 0, length, units + at + 1);
    return at + 1 + length;
  case 'Z': case 'B': value.j = value.z; break;
  case 'C': case 'S': value.j = value.c; break;
  case 'I': case 'F': value.j = (guint32) value.i; break;
  }
  if (at < 0 || at + 4 > ROOM)
    return -1;
  memcpy(units + at, &value, 8);
  return at + 4;
}

static gint write_arguments(Hook *hook, Env env, Value *args, guint16 *units) {
  gint at = 0, i;
  for (i = 0; hook->compares[i] >= 0; i++)
    if (hook->compares[i] != 0)
      at = append(env, hook->compares[i], args[i], units, at);
  return at;
}

/* One number for where the thread is; 0 when it cannot be told. */
static guint64 stack_of(void) {
  Frame frames[FRAMES];
  gint count = 0, i;
  guint64 sum = 1469598103934665603ULL;
  if (jvmti == NULL)
    return 1;
  if (((gint (*)(gpointer, gpointer, gint, gint, Frame *, gint *)) (*jvmti)[103])(jvmti, NULL, 0, FRAMES, frames, &count) != 0
      || count == FRAMES)
    return 0;
  for (i = 0; i != count; i++) {
    sum = (sum ^ GPOINTER_TO_SIZE(frames[i].method)) * 1099511628211ULL;
    sum = (sum ^ (guint64) frames[i].location ^ (sum >> 29)) * 1099511628211ULL;
  }
  return sum | 1;
}

static Value call(Hook *hook, Env env, gpointer self, Value *args) {
  Value result;
  gpointer function = (*env)[hook->call];
  gpointer method = hook->method;
  if (method == NULL)
    method = resolve(hook->id);
  result.j = 0;
  /* An object's method not virtually: a subclass's own would be called, which has perhaps just called this one. */
#define CALL(type) (hook->is_static \
    ? ((type (*)(Env, gpointer, gpointer, Value *)) function)(env, hook->cls, method, args) \
    : ((type (*)(Env, gpointer, gpointer, gpointer, Value *)) function)(env, self, hook->cls, method, args))
  switch (hook->gives) {
  case 'V': CALL(void); break;
  case 'Z': result.z = CALL(guint8); break;
  case 'B': result.b = CALL(gint8); break;
  case 'C': result.c = CALL(guint16); break;
  case 'S': result.s = CALL(gint16); break;
  case 'I': result.i = CALL(gint32); break;
  case 'J': result.j = CALL(gint64); break;
  case 'F': result.f = CALL(gfloat); break;
  case 'D': result.d = CALL(gdouble); break;
  default: result.l = CALL(gpointer);
  }
  return result;
}

static gint64 micros(void) {
  glong at[2];
  clock_gettime(0, at);
  return (gint64) at[0] * 1000000 + at[1] / 1000;
}

static gint same(guint16 *a, guint16 *b, gint from, gint to) {
  while (from != to && a[from] == b[from])
    from++;
  return from == to;
}

static gint same_question(Slot *slot, guint16 *units, gint asked) {
  return slot->state != FREE && slot->asked == asked && same(slot->units, units, 0, asked);
}

/* What became of the last call that asked the same. */
static gint known(Hook *hook, guint16 *units, gint asked) {
  gint state = FREE, i;
  if (asked < 0 || hook->slots == NULL)
    return FREE;
  g_mutex_lock(&hook->lock);
  for (i = 0; i != SLOTS && state == FREE; i++)
    if (same_question(&hook->slots[i], units, asked))
      state = hook->slots[i].state;
  g_mutex_unlock(&hook->lock);
  return state;
}

static gint count_repeat(Hook *hook, guint16 *units, gint asked, gint length, guint64 stack, gint64 begun) {
  gint i, found = 0;
  if (hook->slots == NULL)
    return 0;
  g_mutex_lock(&hook->lock);
  for (i = 0; i != SLOTS && !found; i++) {
    Slot *slot = &hook->slots[i];
    if (same_question(slot, units, asked) && slot->state == FOLDS && slot->length == length && slot->stack == stack
        && same(slot->units, units, asked, length)) {
      if (slot->count++ == 0 || begun < slot->first)
        slot->first = begun;
      if (begun > slot->last)
        slot->last = begun;
      found = 1;
    }
  }
  g_mutex_unlock(&hook->lock);
  return found;
}

/* Fill the slot that JavaScript gave, unless it has given it to somebody else since. given: generation and number. */
static void fill(Hook *hook, gint given, gint state, guint16 *units, gint asked, gint length, guint64 stack) {
  Slot *slot = &hook->slots[given % SLOTS];
  g_mutex_lock(&hook->lock);
  if (slot->generation == given / SLOTS) {
    slot->state = state;
    slot->asked = asked;
    slot->length = length;
    slot->stack = stack;
    memcpy(slot->units, units, 2 * length);
  }
  g_mutex_unlock(&hook->lock);
}

/* What stands where the app's method stood. */
Value run(Hook *hook, Env env, gpointer self, Value *args) {
  guint16 units[ROOM];
  gint64 begun;
  gint asked, length = -1, given;
  guint64 stack = 0;
  Value result;
  if (paused || is_inside())
    return call(hook, env, self, args);
  begun = micros();
  asked = write_arguments(hook, env, args, units);
  if (hook->asks) {
    gint state = known(hook, units, asked);
    if (state == FREE) {
      set_inside(1);
      given = wants(hook->id, self, args, begun);
      set_inside(0);
      if (given >= 0) {
        if (asked >= 0)
          fill(hook, given, PASSES, units, asked, asked, 0);
        state = PASSES;
      }
    }
    if (state == PASSES)
      return call(hook, env, self, args);
  }
  set_inside(1);
  result = call(hook, env, self, args);
  if (asked >= 0 && !((guint8 (*)(Env)) (*env)[228])(env)) {
    length = hook->reads ? append(env, hook->reads, result, units, asked) : asked;
    if (length >= 0)
      stack = stack_of();
  }
  if (stack == 0 || !count_repeat(hook, units, asked, length, stack, begun)) {
    given = told(hook->id, self, args, &result, begun);
    if (given >= 0 && stack != 0)
      fill(hook, given, FOLDS, units, asked, length, stack);
  }
  set_inside(0);
  return result;
}

/* Take what was counted; with free, make room for another call. Returns generation and number for fill. */
gint take(Hook *hook, gint number, gint free, gdouble *counted) {
  Slot *slot;
  gint given;
  g_mutex_lock(&hook->lock);
  if (hook->slots == NULL)
    hook->slots = g_malloc0(SLOTS * sizeof(Slot));
  slot = &hook->slots[number];
  counted[0] = slot->count;
  counted[1] = slot->first;
  counted[2] = slot->last;
  slot->count = 0;
  slot->last = 0;
  if (free) {
    slot->state = FREE;
    slot->generation = (slot->generation + 1) & 0xffffff;
  }
  given = slot->generation * SLOTS + number;
  g_mutex_unlock(&hook->lock);
  return given;
}

Hook *new_hook(gint id, gpointer cls, gint entry, gint is_static, gint asks, gint gives, gint reads, const gchar *compares) {
  Hook *hook = g_malloc0(sizeof(Hook));
  hook->id = id;
  hook->cls = cls;
  hook->call = entry;
  hook->is_static = is_static;
  hook->asks = asks;
  hook->gives = gives;
  hook->reads = reads;
  memcpy(hook->compares, compares, sizeof(hook->compares));
  return hook;
}

void set_method(Hook *hook, gpointer method) { hook->method = method; }
`;
