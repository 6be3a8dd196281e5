// The C part of folding.ts: decides for each call of a hooked method whether it enters JavaScript. It does not when
// there is nothing to see, near the end of a stack, or when it repeats a reported call: then it is only counted.
//
// Data of a CModule is read-only, so everything that changes lives in memory that JavaScript allocates. Plain char
// (gchar) is signed on x86 and unsigned on ARM, so a small number is a gint8 or a guint8.

#include "values.h"
#include <gum/gumtls.h>
#include <string.h>
#include "atomic.h"
#include "points.h"
#include "publish.h"
#include "shared.h"
#include "written.h"

#ifndef MIN
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#endif
#define ROOM 512 /* 16-bit units of the arguments and the result */
#define SECOND 1000000
/* Stacks of a method that are noted. */
#define STACKS 8
/* Places for objects of one method whose calls are let through. */
#define LEFT_OUT 256
/* What a thread may spend on stacks, and in JavaScript: per cent of its own CPU time, and microseconds at once. */
#define ON_STACKS_PERCENT 50
#define ON_STACKS_US 500000
#define IN_SCRIPT_PERCENT 80
#define IN_SCRIPT_US 8000000

typedef gpointer **Env;
typedef struct {
  gpointer method;
  gint64 location;
} Frame;

enum { FREE, FOLDS, PASSES };
/* Numbers reserved for having no stack: it cannot be walked; stacks are off; there was no time for one. */
enum { NONE = 1, FIRST = 4 }; /* and NO_WAY, THINNED */
/* CPU time in microseconds that a thread may still spend on something, and its clocks at the last update. */
typedef struct {
  gint64 left;
  gint64 used;
  gint64 now;
} Budget;

/* What is known of a thread for as long as it lives. */
typedef struct {
  gint looked; /* whether the bounds of its stack were looked up: */
  gsize low;
  gsize high;
  Budget on_stacks;
  Budget in_script;
  guint64 walked; /* number of the stack just walked, for JavaScript to take; else 0 */
  guint64 told; /* the stack of the call of which JavaScript is being told */
  Name name;
  gint count; /* frames kept, and all frames, of the stack walked last: */
  gint total;
  gpointer methods[MOST_FRAMES];
  gint64 locations[MOST_FRAMES];
} Thread;
/* Offset from the methods of a walked stack to the locations in them. */
const guint32 locations = G_STRUCT_OFFSET (Thread, locations) - G_STRUCT_OFFSET (Thread, methods);

typedef struct {
  gint count;
  gint64 first;
  gint64 last;
} Lost;

/* A reported call: repeats of it are only counted. */
typedef struct {
  gint state;
  gint generation; /* which report filled it */
  gint count;
  gint asked; /* units of the arguments, among: */
  gint length; /* all units */
  gint64 first;
  gint64 last;
  guint64 stack;
  guint16 units[ROOM];
} Slot;

/* An object whose calls are let through: a weak reference, and its hash. */
typedef struct {
  gpointer weak;
  gint hash;
} LeftOut;

/* How a call is recognized as a repeat. Never changed and never freed, since any thread may be reading it. */
typedef struct {
  gint asks; /* whether only some calls are of interest */
  gint8 reads; /* type of its result if that is a value, else 0 */
  gint8 compares[MOST_ARGUMENTS]; /* type of each argument that matters, else 0; ends with -1 */
  gint8 writes; /* whether its lines differ in a text that it returns, and in nothing else that the call gave */
} Repeats;

/*
 * Constant from before the hook's code is made, which ends with the barriers that all new code needs: id, cls, call,
 * is_static, gives. Under the lock: left_out and what it points to, slots and their contents, lost. The others state
 * their order.
 */
struct _Hook {
  GMutex lock;
  LeftOut *left_out; /* NULL: none */
  gpointer
      method; /* the app's own; NULL until it is known. Published and consumed: ART's method is written before it is named */
  gpointer cls;
  Slot *slots;
  gint id;
  gint call; /* its index in JNI's function table */
  gint is_static;
  gint
      is_api; /* calls inside it are the same access. Relaxed: it alone decides, and a call may just as well have come earlier */
  gint folds; /* repeats are counted here. Relaxed, for the same reason: what counting needs is in repeats */
  gpointer repeats; /* Repeats; NULL until repeats are first counted. Published and consumed */
  gpointer table; /* Table; NULL until lines are first written in C. Published and consumed */
  guint64 told[STACKS]; /* stacks of calls of which JavaScript was told. Relaxed: a hint */
  Lost lost[LOSSES];
  gint8 gives; /* type of its result */
};

/*
 * Keys, and what is known of the runtime, are set before the first hook, and then constant; identity is set before the
 * first left_out.
 */
extern GumTlsKey inside_key; /* set: inside a wrapped API, or in our own code on its behalf */
extern guint thread_key;
extern gint paused; /* relaxed: a call may just as well have come before or after */
extern gint stacks; /* whether accesses have stacks; relaxed: set before the first hook, and stands alone */
/*
 * How many calls have been lost so far in any way. Added to with release after the loss was noted under a lock.
 * JavaScript reads it relaxed: when it has changed, JavaScript takes each hook's lock and finds the loss; when it has
 * not yet, JavaScript looks again.
 */
extern gint losses;
extern gpointer **jvmti; /* NULL: not available */
extern gpointer art[2]; /* the class Throwable and its method that walks the stack; NULL: not ART, or another layout */

extern gpointer identity[2]; /* the class System and its method that gives the hash of an object */

extern gint pthread_key_create (guint *key, gpointer destroy);
extern gpointer pthread_getspecific (guint key);
extern gint pthread_setspecific (guint key, gpointer value);
extern gsize pthread_self (void);
extern gint pthread_getattr_np (gsize thread, gpointer attributes);
extern gint pthread_attr_getstack (gpointer attributes, gsize *low, gsize *size);
extern gint pthread_attr_destroy (gpointer attributes);
extern gint sigaltstack (gpointer change, gpointer is);
extern gpointer calloc (gsize count, gsize size);
extern void free (gpointer block);
extern gint clock_gettime (gint clock, glong *at); /* the same clock that JavaScript asks (out/clock.ts) */
extern gpointer resolve (gint id);
extern gint wants (gint id, gpointer self, Value *args, gdouble begun);
extern gint told (gint id, gpointer self, Value *args, Value *result, gdouble begun, gint asks);
extern Table *new_table (void);
extern void set_place (Table *table, guint64 stack, const gchar *before, const gchar *after);
extern gint write_call (Table *table, const Name *name, const guint16 *units, gint count, guint64 stack, gint64 begun);

gpointer new_key (void) { return GSIZE_TO_POINTER (gum_tls_key_new ()); }
gint is_inside (void) { return gum_tls_key_get_value (inside_key) != NULL; }
void set_inside (gint on) { gum_tls_key_set_value (inside_key, GINT_TO_POINTER (on)); }

guint new_thread_key (void) {
  guint key = 0;
  pthread_key_create (&key, (gpointer)free);
  return key;
}

static Thread *thread (void) {
  Thread *own = pthread_getspecific (thread_key);
  if (own == NULL) {
    own = calloc (1, sizeof (Thread));
    pthread_setspecific (thread_key, own);
  }
  return own;
}

static gint64 time_of (gint clock) {
  glong at[2];
  clock_gettime (clock, at);
  return (gint64)at[0] * SECOND + at[1] / 1000;
}

static gint64 micros (void) { return time_of (0); }
static gint64 cpu (void) { return time_of (3); }

/* Whether too little of the stack is left for JavaScript. */
static gint near_end (Thread *own) {
  gsize at = (gsize)&at;
  gsize attributes[32];
  struct {
    gsize low;
    gint flags;
    gsize size;
  } other;
  if (!own->looked) {
    own->looked = 1;
    if (pthread_getattr_np (pthread_self (), attributes) == 0) {
      gsize size = 0;
      if (pthread_attr_getstack (attributes, &own->low, &size) == 0)
        own->high = own->low + size;
      pthread_attr_destroy (attributes);
    }
  }
  if (at >= own->low && at < own->high)
    return at - own->low < ROOM_FOR_SCRIPT;
  /* A signal's own stack; nothing is known of any other. */
  return sigaltstack (NULL, &other) == 0 && (other.flags & 1) && at - other.low < ROOM_FOR_SCRIPT;
}

static void lose (Hook *hook, gint how, gint64 at) {
  Lost *lost = &hook->lost[how];
  g_mutex_lock (&hook->lock);
  if (lost->count++ == 0)
    lost->first = at;
  lost->last = at;
  g_mutex_unlock (&hook->lock);
  ADD (losses, 1);
}

gint hash_of (Env env, gpointer object) {
  Value value;
  value.l = object;
  return ((gint (*) (Env, gpointer, gpointer, Value *)) (*env)[131]) (env, identity[0], identity[1], &value);
}

static gint is_left_out (Hook *hook, Env env, gpointer self) {
  LeftOut *all, *one;
  gint hash, found;
  g_mutex_lock (&hook->lock);
  all = hook->left_out;
  g_mutex_unlock (&hook->lock);
  if (all == NULL)
    return 0;
  hash = hash_of (env, self);
  one = &all[(guint)hash % LEFT_OUT];
  g_mutex_lock (&hook->lock);
  found = one->weak != NULL && one->hash == hash &&
      ((guint8 (*) (Env, gpointer, gpointer)) (*env)[24]) (env, one->weak, self);
  g_mutex_unlock (&hook->lock);
  return found;
}

/* Let calls of an object through; returns the weak reference that had its place until now, or NULL. */
gpointer leave_out (Hook *hook, gint hash, gpointer weak) {
  LeftOut *one;
  gpointer was;
  g_mutex_lock (&hook->lock);
  if (hook->left_out == NULL)
    hook->left_out = g_malloc0 (LEFT_OUT * sizeof (LeftOut));
  one = &hook->left_out[(guint)hash % LEFT_OUT];
  was = one->weak;
  one->weak = weak;
  one->hash = hash;
  g_mutex_unlock (&hook->lock);
  return was;
}

/* Let calls of no object through from now on. */
void leave_none_out (Hook *hook) {
  g_mutex_lock (&hook->lock);
  hook->left_out = NULL; /* not freed: a thread may be about to read it */
  g_mutex_unlock (&hook->lock);
}

/* Where a call of a hooked method goes. */
gint way_of (Hook *hook, Env env, gpointer self) {
  Thread *own = thread ();
  if (GET_RELAXED (hook->is_api) && (GET_RELAXED (paused) || is_inside ()))
    return ORIGINAL;
  if (near_end (own)) {
    lose (hook, NEAR_END, micros ());
    return ORIGINAL;
  }
  /* Checked without the lock: a thread that sees it too late only enters JavaScript, which checks itself. */
  if (GET_RELAXED (hook->left_out) != NULL && is_left_out (hook, env, self))
    return ORIGINAL;
  REACH (way);
  return GET_RELAXED (hook->folds) && GET_CONSUME (hook->repeats) != NULL ? COUNTED : SCRIPT;
}

/* Append a value to units; -1 when there is no room, or when an earlier value could not be appended. */
static gint append (Env env, gint8 kind, Value value, guint16 *units, gint at) {
  gint length;
  switch (kind) {
    case 'T':
      if (at < 0 || at + 1 > ROOM)
        return -1;
      if (value.l == NULL) {
        units[at] = 0xffff;
        return at + 1;
      }
      length = ((gint (*) (Env, gpointer)) (*env)[164]) (env, value.l);
      if (length > ROOM - at - 1)
        return -1;
      units[at] = (guint16)length; /* at most ROOM */
      ((void (*) (Env, gpointer, gint, gint, guint16 *)) (*env)[220]) (env, value.l, 0, length, units + at + 1);
      return at + 1 + length;
    case 'Z':
    case 'B': value.j = value.z; break;
    case 'C':
    case 'S': value.j = value.c; break;
    case 'I':
    case 'F': value.j = (guint32)value.i; break;
  }
  if (at < 0 || at + 4 > ROOM)
    return -1;
  memcpy (units + at, &value, 8);
  return at + 4;
}

static gint write_arguments (const Repeats *repeats, Env env, Value *args, guint16 *units) {
  gint at = 0, i;
  for (i = 0; repeats->compares[i] >= 0; i++)
    if (repeats->compares[i] != 0)
      at = append (env, repeats->compares[i], args[i], units, at);
  return at;
}

/* Record the frames of a thread in a JVM; 0 when that fails. */
static gint walk_jvm (Thread *own) {
  Frame frames[MOST_FRAMES + 1];
  gint count = 0, i;
  if (((gint (*) (gpointer, gpointer, gint, gint, Frame *, gint *)) (*jvmti)[103]) (
          jvmti, NULL, 0, MOST_FRAMES + 1, frames, &count) != 0)
    return 0;
  own->total = count;
  own->count = MIN (count, MOST_FRAMES);
  for (i = 0; i != own->count; i++) {
    own->methods[i] = frames[i].method;
    own->locations[i] = frames[i].location;
  }
  return 1;
}

/* The same on ART: what a Throwable keeps has all methods first, then all locations in them. */
static gint walk_art (Thread *own, Env env) {
  gpointer trace, numbers = NULL;
  gint i;
  if (((gint (*) (Env, gint)) (*env)[19]) (env, 4) != 0) {
    ((void (*) (Env)) (*env)[17]) (env);
    return 0;
  }
  trace = ((gpointer (*) (Env, gpointer, gpointer, gpointer)) (*env)[116]) (env, art[0], art[1], NULL);
  if (trace != NULL)
    numbers = ((gpointer (*) (Env, gpointer, gint)) (*env)[173]) (env, trace, 0);
  if (numbers != NULL) {
    own->total = ((gint (*) (Env, gpointer)) (*env)[171]) (env, numbers) / 2;
    own->count = MIN (own->total, MOST_FRAMES);
    if (sizeof (gpointer) == 8) {
      void (*region) (Env, gpointer, gint, gint, gpointer) =
          (void (*) (Env, gpointer, gint, gint, gpointer)) (*env)[204];
      region (env, numbers, 0, own->count, own->methods);
      region (env, numbers, own->total, own->count, own->locations);
    } else {
      gint32 places[MOST_FRAMES];
      void (*region) (Env, gpointer, gint, gint, gpointer) =
          (void (*) (Env, gpointer, gint, gint, gpointer)) (*env)[203];
      region (env, numbers, 0, own->count, own->methods);
      region (env, numbers, own->total, own->count, places);
      for (i = 0; i != own->count; i++)
        own->locations[i] = places[i];
    }
  }
  if (((guint8 (*) (Env)) (*env)[228]) (env)) {
    ((void (*) (Env)) (*env)[17]) (env);
    numbers = NULL;
  }
  ((gpointer (*) (Env, gpointer)) (*env)[20]) (env, NULL);
  return numbers != NULL;
}

/*
 * Whether a thread may spend more. It gets a share of all its CPU time, so that the rest is its own even on a busy
 * machine, and 2 % of the time that passes, for a thread that mostly waits.
 */
static gint may_spend (Budget *budget, gint64 most, gint share, gint64 now, gint64 used) {
  if (budget->now == 0)
    budget->left = most;
  else
    budget->left += (used - budget->used) * share / 100 + (now > budget->now ? (now - budget->now) / 50 : 0);
  if (budget->left > most)
    budget->left = most;
  budget->used = used;
  budget->now = now;
  return budget->left > 0;
}

/* One number for the thread's stack, or a reserved number when there is none. */
static guint64 where (Thread *own, Env env, gint64 now) {
  guint64 sum = 1469598103934665603ULL;
  gint64 begun;
  gint i, done;
  if (!GET_RELAXED (stacks))
    return NONE;
  begun = cpu ();
  if (!may_spend (&own->on_stacks, ON_STACKS_US, ON_STACKS_PERCENT, now, begun))
    return THINNED;
  if (art[0] == NULL && jvmti == NULL)
    return NO_WAY;
  done = art[0] != NULL ? walk_art (own, env) : walk_jvm (own);
  own->on_stacks.left -= cpu () - begun;
  if (!done)
    return NO_WAY;
  for (i = 0; i != own->count; i++) {
    sum = (sum ^ GPOINTER_TO_SIZE (own->methods[i])) * 1099511628211ULL;
    sum = (sum ^ (guint64)own->locations[i] ^ (sum >> 29)) * 1099511628211ULL;
  }
  return (own->total > MOST_FRAMES ? ~sum : sum) | FIRST;
}

/*
 * The same for JavaScript: the stack just walked, or one walked now; a stack that could not be afforded counts for
 * 'others'.
 */
guint64 walk (Env env, Hook *others) {
  Thread *own = thread ();
  guint64 found = own->walked;
  own->walked = 0;
  if (found == 0) {
    gint64 now = micros ();
    found = where (own, env, now);
    if (found == THINNED)
      lose (others, NO_STACK, now);
  }
  return found;
}

/* The methods of the stack walked last; count: how many frames are kept, and how many there are. */
gpointer frames_of (gint *count) {
  Thread *own = thread ();
  count[0] = own->count;
  count[1] = own->total;
  return own->methods;
}

/* A double can hold every microsecond until the year 2255. */
gdouble cpu_time (void) { return (gdouble)cpu (); }

void spent_on_stack (gdouble begun) { thread ()->on_stacks.left -= cpu () - (gint64)begun; }

static Value call (Hook *hook, Env env, gpointer self, Value *args) {
  Value result;
  gpointer function = (*env)[hook->call];
  gpointer method = GET_CONSUME (hook->method);
  if (method == NULL)
    method = resolve (hook->id);
  result.j = 0;
  /*
   * An object's method is called non-virtually: a virtual call would run a subclass's, which has perhaps just called
   * this one.
   */
#define CALL(type) \
  (hook->is_static \
          ? ((type (*) (Env, gpointer, gpointer, Value *))function) (env, hook->cls, method, args) \
          : ((type (*) (Env, gpointer, gpointer, gpointer, Value *))function) (env, self, hook->cls, method, args))
  switch (hook->gives) {
    case 'V': CALL (void); break;
    case 'Z': result.z = CALL (guint8); break;
    case 'B': result.b = CALL (gint8); break;
    case 'C': result.c = CALL (guint16); break;
    case 'S': result.s = CALL (gint16); break;
    case 'I': result.i = CALL (gint32); break;
    case 'J': result.j = CALL (gint64); break;
    case 'F': result.f = CALL (gfloat); break;
    case 'D': result.d = CALL (gdouble); break;
    default: result.l = CALL (gpointer);
  }
  return result;
}

static gint same (guint16 *a, guint16 *b, gint from, gint to) {
  while (from != to && a[from] == b[from])
    from++;
  return from == to;
}

static gint same_question (Slot *slot, guint16 *units, gint asked) {
  return slot->state != FREE && slot->asked == asked && same (slot->units, units, 0, asked);
}

/* The state of a remembered call with the same arguments; FREE: there is none. */
static gint known (Hook *hook, guint16 *units, gint asked) {
  gint state = FREE, i;
  if (asked < 0)
    return FREE;
  g_mutex_lock (&hook->lock);
  for (i = 0; hook->slots != NULL && i != SLOTS && state == FREE; i++)
    if (same_question (&hook->slots[i], units, asked))
      state = hook->slots[i].state;
  g_mutex_unlock (&hook->lock);
  return state;
}

static gint count_repeat (Hook *hook, guint16 *units, gint asked, gint length, guint64 stack, gint64 begun) {
  gint i, found = 0;
  g_mutex_lock (&hook->lock);
  for (i = 0; hook->slots != NULL && i != SLOTS && !found; i++) {
    Slot *slot = &hook->slots[i];
    if (same_question (slot, units, asked) && slot->state == FOLDS && slot->length == length && slot->stack == stack &&
        same (slot->units, units, asked, length)) {
      if (slot->count++ == 0 || begun < slot->first)
        slot->first = begun;
      if (begun > slot->last)
        slot->last = begun;
      found = 1;
    }
  }
  g_mutex_unlock (&hook->lock);
  return found;
}

/* Fill the slot that JavaScript gave, unless it belongs to another call by now. given: generation and number. */
static void fill (Hook *hook, gint given, gint state, guint16 *units, gint asked, gint length, guint64 stack) {
  Slot *slot;
  gint i;
  REACH (fill);
  g_mutex_lock (&hook->lock);
  slot = &hook->slots[given % SLOTS];
  for (i = 0; i != SLOTS; i++) /* reported by two threads at once: the first slot counts for both */
    if (same_question (&hook->slots[i], units, asked) && hook->slots[i].state == state &&
        hook->slots[i].length == length && hook->slots[i].stack == stack &&
        same (hook->slots[i].units, units, asked, length))
      break;
  if (i == SLOTS && slot->generation == given / SLOTS) {
    slot->state = state;
    slot->asked = asked;
    slot->length = length;
    slot->stack = stack;
    memcpy (slot->units, units, (gsize)length * sizeof (guint16));
  }
  g_mutex_unlock (&hook->lock);
}

/* Whether a call's line can be written in C: the call returned a text, and its stack is known, or stacks are off. */
static gint may_write (const Repeats *repeats, const guint16 *units, gint length, guint64 stack) {
  return repeats->writes && length > 1 && stack != NO_WAY && stack != THINNED && units[0] + 1 == length;
}

/* Whether JavaScript was told of a call with this stack before. */
static gint was_told (Hook *hook, guint64 stack) {
  guint64 *last = &hook->told[(stack >> 8) % STACKS];
  gint found = GET_RELAXED (*last) == stack;
  SET_RELAXED (*last, stack);
  return found;
}

/* Run a call: a repeat is counted here, any other is reported; a call that is let through only runs. */
Value run (Hook *hook, gint way, Env env, gpointer self, Value *args) {
  guint16 units[ROOM];
  const Repeats *repeats;
  Thread *own = thread ();
  gint64 begun, busy;
  gint asked, length = -1, given, writes;
  guint64 stack = NO_WAY;
  gpointer table;
  Value result;
  if (way == ORIGINAL)
    return call (hook, env, self, args);
  repeats = GET_CONSUME (hook->repeats); /* way_of saw one, so it is that one or a later one */
  begun = micros ();
  asked = write_arguments (repeats, env, args, units);
  if (repeats->asks) {
    gint state = known (hook, units, asked);
    if (state == FREE) {
      set_inside (1);
      given = wants (hook->id, self, args, (gdouble)begun);
      set_inside (0);
      if (given >= 0) {
        if (asked >= 0)
          fill (hook, given, PASSES, units, asked, asked, 0);
        state = PASSES;
      }
    }
    if (state == PASSES)
      return call (hook, env, self, args);
  }
  set_inside (1);
  result = call (hook, env, self, args);
  REACH (returned);
  if (asked >= 0 && !((guint8 (*) (Env)) (*env)[228]) (env)) {
    length = repeats->reads ? append (env, repeats->reads, result, units, asked) : asked;
    if (length >= 0)
      stack = where (own, env, begun);
  }
  if (stack == THINNED)
    lose (hook, NO_STACK, begun);
  writes = may_write (repeats, units, length, stack);
  table = GET_CONSUME (hook->table);
  if ((stack == NO_WAY || !count_repeat (hook, units, asked, length, stack, begun)) &&
      !(writes && table != NULL && write_call (table, &own->name, units + 1, length - 1, stack, begun))) {
    busy = cpu ();
    if (!may_spend (&own->in_script, IN_SCRIPT_US, IN_SCRIPT_PERCENT, begun, busy))
      lose (hook, ONLY_COUNTED, begun);
    else {
      own->walked = own->told = stack;
      given = told (hook->id, self, args, &result, (gdouble)begun, writes && was_told (hook, stack));
      own->walked = 0;
      own->in_script.left -= cpu () - busy;
      if (given >= 0 && stack != NO_WAY)
        fill (hook, given, FOLDS, units, asked, length, stack);
    }
  }
  set_inside (0);
  return result;
}

/* Take the count of the calls lost in one way. */
void take_lost (Hook *hook, gint how, gdouble *counted) {
  Lost *lost = &hook->lost[how];
  g_mutex_lock (&hook->lock);
  counted[0] = lost->count;
  counted[1] = (gdouble)lost->first;
  counted[2] = (gdouble)lost->last;
  lost->count = 0;
  g_mutex_unlock (&hook->lock);
}

/* Take a slot's count; with free, make room for another call. Returns generation and number for fill. */
gint take_counted (Hook *hook, gint number, gint free, gdouble *counted) {
  Slot *slot;
  gint given;
  REACH (take);
  g_mutex_lock (&hook->lock);
  if (hook->slots == NULL)
    hook->slots = g_malloc0 (SLOTS * sizeof (Slot));
  slot = &hook->slots[number];
  counted[0] = slot->count;
  counted[1] = (gdouble)slot->first;
  counted[2] = (gdouble)slot->last;
  slot->count = 0;
  slot->last = 0;
  if (free) {
    slot->state = FREE;
    slot->generation = (slot->generation + 1) & 0xffffff;
  }
  given = slot->generation * SLOTS + number;
  g_mutex_unlock (&hook->lock);
  return given;
}

Hook *new_hook (gint id, gpointer cls, gint entry, gint is_static, gint is_api, gint gives) {
  Hook *hook = g_malloc0 (sizeof (Hook));
  hook->id = id;
  hook->cls = cls;
  hook->call = entry;
  hook->is_static = is_static;
  hook->is_api = is_api;
  hook->gives = (gint8)gives;
  return hook;
}

/* Start or stop counting repeats of its calls here. */
void set_folds (Hook *hook, gint on, gint asks, gint reads, gint writes, const gint8 *compares) {
  if (on) {
    Repeats *repeats = g_malloc0 (sizeof (Repeats));
    repeats->asks = asks;
    repeats->reads = (gint8)reads;
    repeats->writes = (gint8)writes;
    memcpy (repeats->compares, compares, sizeof (repeats->compares));
    publish (&hook->lock, &hook->repeats, repeats);
  }
  SET_RELAXED (hook->folds, on);
}

void set_api (Hook *hook, gint on) { SET_RELAXED (hook->is_api, on); }
void set_method (Hook *hook, gpointer method) { publish (&hook->lock, &hook->method, method); }

/*
 * From now on, C writes the lines of calls like the one that is being reported to JavaScript. name: of the thread, as
 * JSON.
 */
void write_from_now_on (Hook *hook, const gchar *before, const gchar *after, const gchar *name) {
  Thread *own = thread ();
  gsize size = strlen (name);
  if (size > MOST_NAME)
    return;
  memcpy (own->name.text, name, size);
  own->name.length = (gint)size;
  own->name.until = micros () + FRESH_US;
  if (GET_CONSUME (hook->table) == NULL) {
    Table *table = new_table (); /* two threads may make one each: both are settled, and the later is used */
    publish (&hook->lock, &hook->table, table);
  }
  set_place (GET_CONSUME (hook->table), own->told, before, after);
}
