// The C part of redirect.ts: connect, and all else that shows an app a connection, with the proxy in between.
//
// An app can wait for a connecting socket in any of the ways that Linux offers. The socket's TCP connection is the one
// to the proxy, which is established at once, so each of those ways is made to wait for the proxy's answer instead.
// Data of a CModule is read-only, so everything that changes lives in memory that JavaScript allocates.

#include <glib.h>
#include <string.h>
#include <gum/guminterceptor.h>
#include "atomic.h"
#include "readable.h"
#include "shared.h"

enum { AF_INET = 2, AF_INET6 = 10, STREAM = 1, DATAGRAM = 2, CLOEXEC = 0x80000, TCP = 6, MPTCP = 262 };
enum {
  SOL_SOCKET = 1,
  SO_TYPE = 3,
  SO_ERROR = 4,
  SO_SNDTIMEO = 21,
  SO_PROTOCOL = 38,
  IPV6 = 41,
  V6ONLY = 26,
  FASTOPEN_CONNECT = 30
};
enum { DONTWAIT = 0x40, NOSIGNAL = 0x4000, FASTOPEN = 0x20000000, GETFL = 3, NONBLOCK = 0x800, SHUT_RDWR = 2 };
enum {
  EINTR = 4,
  EAGAIN = 11,
  ENETUNREACH = 101,
  ENOTCONN = 107,
  ETIMEDOUT = 110,
  ECONNREFUSED = 111,
  EHOSTUNREACH = 113,
  EALREADY = 114,
  EINPROGRESS = 115
};
enum { IN = 1, OUT = 4, ADD = 1, DEL = 2, MOD = 3 };
enum { HTTPS = 443, ANSWER = 14 };

typedef struct {
  guint16 family;
  guint8 port[2];
  guint8 rest[24];
} Address; /* sockaddr_in, sockaddr_in6 */
/* Where a connection was to go, by the local port of its connection to the proxy. */
typedef struct {
  Address asked;
  guint32 id;
  guint32 announced;
} Led;
/* What the app last told an epoll set about a file; set: the epoll set's descriptor plus one. */
typedef struct {
  gint set;
  guint32 events;
  guint64 data;
} Watched;
enum { FREE, CONNECTS, ASKS, FAILED };
typedef struct {
  gint state;
  gint fd;
  gint port;
  gint error;
  gint got;
  guint8 answer[20];
} Item;
typedef struct {
  Address proxy;
  gint unreached;
  gint quic;
  gint next;
  gint waiting; /* items that are not free */
  gchar name[NAME_BYTES];
  gint unused;
  guint64 libc[2]; /* from, to */
  Item items[MOST_WAITING];
} State;
_Static_assert (sizeof (GMutex) == LOCK_BYTES, "the size of GMutex");
typedef struct {
  gint fd;
  gint16 events, got;
} Polled;
typedef struct {
  glong s, rest;
} Time; /* timeval, timespec */
#ifdef __x86_64__
#define PACKED __attribute__ ((packed))
#else
#define PACKED
#endif
typedef struct PACKED {
  guint32 events;
  guint64 data;
} Event;
typedef struct {
  guint8 bits[128];
} Set;
typedef gint (*Call) (glong a, glong b, glong c, glong d, glong e, glong f);
/* The result of a system call that returns neither a pointer nor a length. */
#define SYSTEM(...) ((gint)syscall (__VA_ARGS__))

/*
 * Items, and what the app told epoll sets, are read and written under the lock. The rest of the state that changes is
 * counters: unreached and quic, each added to and read on its own; next, which gives each connection a number of its
 * own; and waiting.
 */
extern State state;
/*
 * A connection's entry is written by the connecting thread before connect returns: whoever has its file then sees it.
 */
extern Led led[PORTS];
extern Watched watched[MOST_WATCHED];
extern GMutex lock;
/* The functions without our hooks. */
extern Call was[];
enum { POLL, PPOLL, PPOLL64, SELECT, PSELECT, PSELECT64, EPOLL_WAIT, EPOLL_PWAIT, EPOLL_PWAIT64, SENDMMSG };
/* Functions that are too short to be called without our hooks: their system calls are made instead. */
enum { EPOLL_CTL, GETPEERNAME, GETSOCKOPT };
extern glong calls[];
/* Functions that other hooks are on, too: called from our replacement, each is the one without our hook. */
extern gint connect (gint fd, gconstpointer address, guint size);
extern glong send (gint fd, gconstpointer bytes, gsize size, gint flags);
extern glong sendto (gint fd, gconstpointer bytes, gsize size, gint flags, gconstpointer address, guint length);
extern glong sendmsg (gint fd, gconstpointer message, gint flags);
extern glong recv (gint fd, gpointer bytes, gsize size, gint flags);
extern gint getsockname (gint fd, gpointer address, guint *size);
extern gint setsockopt (gint fd, gint level, gint name, gconstpointer value, guint size);
extern gint shutdown (gint fd, gint how);
extern gint socket (gint family, gint type, gint protocol);
extern gint bind (gint fd, gconstpointer address, guint size);
extern gint close (gint fd);
extern gint fcntl (gint fd, gint what, gint value);
extern gint clock_gettime (gint clock, glong *at);
extern gint *errno_at (void);

static gboolean is_there (gconstpointer optional) { return optional == NULL || is_readable (optional); }

/*
 * Relaxed: a thread that asks about a connection got its file from the thread that began it, and so sees that it waits.
 */
static gint waiting (void) { return GET_RELAXED (state.waiting); }

static gint fails (gint error) {
  *errno_at () = error;
  return -1;
}

static gint64 now_ms (void) {
  glong at[2];
  clock_gettime (1, at);
  return (gint64)at[0] * 1000 + at[1] / 1000000;
}

/* Milliseconds as the kernel takes them: 24 days at most. */
static gint within_int (gint64 ms) { return ms > 0x7fffffff ? 0x7fffffff : (gint)ms; }

static gint option (gint fd, gint level, gint name) {
  gint value = -1;
  guint size = sizeof (value);
  return SYSTEM (calls[GETSOCKOPT], fd, level, name, (glong)&value, (glong)&size) == 0 ? value : -1;
}

static gint ready (gint fd, gint16 events, gint ms) {
  Polled one = {fd, events, 0};
  return was[POLL]((glong)&one, 1, ms, 0, 0, 0) > 0 ? one.got : 0;
}

static gint port_of (const Address *address) { return address->port[0] << 8 | address->port[1]; }

static gint local_port (gint fd) {
  Address own;
  guint size = sizeof (own);
  if (getsockname (fd, &own, &size) != 0 || (own.family != AF_INET && own.family != AF_INET6))
    return -1;
  return port_of (&own);
}

static gboolean is_inet (const Address *address, guint size) {
  return size >= 16 && is_readable (address) &&
      (address->family == AF_INET || (size >= 28 && address->family == AF_INET6));
}

static guint size_of (const Address *address) { return address->family == AF_INET ? 16 : 28; }

static gboolean same (const guint8 *one, const guint8 *other, gint size) {
  while (size != 0 && *one++ == *other++)
    size--;
  return size == 0;
}

static const guint8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

/* The four bytes of an IPv4 address, also of one mapped to IPv6; else NULL. */
static const guint8 *ipv4_of (const Address *address) {
  if (address->family == AF_INET)
    return address->rest;
  return same (address->rest + 4, mapped, 12) ? address->rest + 16 : NULL;
}

/* Whether an address is the device's own, or valid only on its link: a proxy elsewhere cannot reach it. */
static gboolean is_near (const Address *address) {
  const guint8 *v4 = ipv4_of (address), *v6 = address->rest + 4;
  Address probe;
  gboolean own;
  gint fd, i;

  if (v4 != NULL) {
    if (v4[0] == 0 || v4[0] == 127 || v4[0] >= 224 || (v4[0] == 169 && v4[1] == 254))
      return TRUE;
  } else {
    if (v6[0] == 0xff || (v6[0] == 0xfe && (v6[1] & 0xc0) == 0x80))
      return TRUE;
    for (i = 0; i != 15 && v6[i] == 0; i++)
      ;
    if (i == 15 && v6[15] <= 1)
      return TRUE;
  }
  memcpy (&probe, address, size_of (address));
  probe.port[0] = probe.port[1] = 0;
  fd = socket (address->family, DATAGRAM | CLOEXEC, 0);
  own = fd >= 0 && bind (fd, &probe, size_of (&probe)) == 0;
  if (fd >= 0)
    close (fd);
  return own;
}

static gboolean is_proxy (const Address *address) {
  const guint8 *v4 = ipv4_of (address);
  return v4 != NULL && same (v4, state.proxy.rest, 4) && same (address->port, state.proxy.port, 2);
}

/* -- a connection that waits for the proxy's answer */

static gint errno_of (gint reply) {
  switch (reply) {
    case 3: return ENETUNREACH;
    case 5: return ECONNREFUSED;
    case 6: return ETIMEDOUT;
  }
  return EHOSTUNREACH;
}

/* The whole SOCKS5 request at once (RFC 1928, 1929). */
static guint greeting (const Led *to, guint8 *out) {
  const guint8 *v4 = ipv4_of (&to->asked);
  guint8 digits[12];
  guint at = 5, count = 0, length = (guint)strlen (state.name);
  guint32 id = to->id;

  memcpy (out, "\5\1\2\1", 4);
  memcpy (out + at, state.name, length);
  at += length;
  for (; id != 0; id /= 10)
    digits[count++] = (guint8)('0' + id % 10);
  while (count != 0)
    out[at++] = digits[--count];
  out[4] = (guint8)(at - 5);
  memcpy (out + at, "\1-\5\1\0", 5);
  at += 5;
  out[at++] = v4 != NULL ? 1 : 4;
  memcpy (out + at, v4 != NULL ? v4 : to->asked.rest + 4, v4 != NULL ? 4 : 16);
  at += v4 != NULL ? 4 : 16;
  memcpy (out + at, to->asked.port, 2);
  return at + 2;
}

static void fail (Item *item, gint error) {
  item->state = FAILED;
  item->error = error;
  shutdown (item->fd, SHUT_RDWR);
}

static guint8 wants (const Item *item) { return item->state == CONNECTS ? OUT : IN; }

typedef struct {
  gconstpointer at;
  gsize size;
} Part; /* iovec */
typedef struct {
  const Address *to;
  guint length;
  Part *parts;
  gsize count;
  gpointer control;
  gsize size;
  gint flags;
} Message; /* msghdr */
typedef struct {
  Message message;
  guint sent;
} Counted; /* mmsghdr */

/* Send in the only way that has no hook on it. */
static glong say (gint fd, gconstpointer bytes, gsize size) {
  Part part = {bytes, size};
  Counted message;
  memset (&message, 0, sizeof (message));
  message.message.parts = &part;
  message.message.count = 1;
  return was[SENDMMSG](fd, (glong)&message, 1, NOSIGNAL | DONTWAIT, 0, 0) == 1 ? (glong)message.sent : -1;
}

/* Go as far as possible without waiting; TRUE when the proxy has answered in full. */
static gboolean advance (Item *item) {
  guint8 out[64];
  glong count;
  guint length;
  gint error;

  if (item->state == CONNECTS) {
    if (ready (item->fd, OUT, 0) == 0)
      return FALSE;
    error = option (item->fd, SOL_SOCKET, SO_ERROR);
    length = error == 0 ? greeting (&led[item->port], out) : 0;
    if (error != 0 || say (item->fd, out, length) != (glong)length) {
      ADD (state.unreached, 1);
      fail (item, error > 0 ? error : ECONNREFUSED);
      return FALSE;
    }
    led[item->port].announced = length;
    item->state = ASKS;
  }
  while (item->state == ASKS) {
    count = recv (item->fd, item->answer + item->got, (gsize)(ANSWER - item->got), DONTWAIT);
    if (count < 0 && (*errno_at () == EAGAIN || *errno_at () == EINTR))
      return FALSE;
    if (count > 0)
      item->got += (gint)count;
    if (count <= 0 || item->answer[0] != 5 || (item->got > 1 && item->answer[1] != 2) ||
        (item->got > 3 && item->answer[3] != 0)) {
      ADD (state.unreached, 1);
      fail (item, ECONNREFUSED);
    } else if (item->got > 5 && item->answer[5] != 0)
      fail (item, errno_of (item->answer[5]));
    else if (item->got == ANSWER)
      return TRUE;
  }
  return FALSE;
}

static void forget (Item *item) {
  item->state = FREE;
  ADD (state.waiting, -1);
}

/* The waiting connection of a descriptor: its local port shows whether the descriptor is another file's by now. */
static Item *find (gint fd) {
  gint i;
  for (i = 0; i != MOST_WAITING; i++) {
    Item *item = &state.items[i];
    if (item->state == FREE || item->fd != fd)
      continue;
    if (local_port (fd) == item->port)
      return item;
    forget (item);
  }
  return NULL;
}

static Item *keep (const Item *item) {
  gint i;
  for (i = 0; i != MOST_WAITING; i++) {
    Item *place = &state.items[i];
    if (place->state != FREE && (place->fd == item->fd || local_port (place->fd) != place->port))
      forget (place);
    if (place->state == FREE) {
      *place = *item;
      ADD (state.waiting, 1);
      return place;
    }
  }
  return NULL;
}

static gint tell_set (Watched *one, gint fd, guint32 events) {
  Event event;
  event.events = events;
  event.data = one->data;
  return SYSTEM (calls[EPOLL_CTL], one->set - 1, MOD, fd, (glong)&event, 0);
}

/* Have a file's epoll set wait for what we wait for; release_in_set restores what the app waits for. */
static void hold_in_set (const Item *item) {
  if (item->fd < MOST_WATCHED && watched[item->fd].set != 0 &&
      tell_set (&watched[item->fd], item->fd, wants (item)) != 0)
    watched[item->fd].set = 0; /* left by a file that had the number before */
}

static void release_in_set (gint fd) {
  if (fd < MOST_WATCHED && watched[fd].set != 0)
    tell_set (&watched[fd], fd, watched[fd].events);
}

/* Do for a file what can be done at once; returns its item if it still waits, else NULL. */
static Item *waits (gint fd) {
  Item *item = find (fd);
  gint before;
  if (item == NULL || item->state == FAILED)
    return NULL;
  before = item->state;
  if (advance (item)) {
    forget (item);
    release_in_set (fd);
    return NULL;
  }
  if (item->state == FAILED) {
    release_in_set (fd);
    return NULL;
  }
  if (item->state != before)
    hold_in_set (item);
  return item;
}

/* -- connect */

static gboolean from_libc (void) {
  GumInvocationContext *context = gum_interceptor_get_current_invocation ();
  guint64 at = (gsize)gum_invocation_context_get_return_address (context);
  return at >= state.libc[0] && at < state.libc[1];
}

static gboolean refuses_quic (gint fd, const Address *to, guint size) {
  if (!is_inet (to, size) || port_of (to) != HTTPS || option (fd, SOL_SOCKET, SO_TYPE) != DATAGRAM || is_near (to))
    return FALSE;
  ADD (state.quic, 1);
  return TRUE;
}

static gint wait_for (Item *item, gint timeout_ms) {
  gint64 end = now_ms () + timeout_ms;
  gint left = -1;
  while (!advance (item)) {
    if (item->state == FAILED) {
      Address none;
      memset (&none, 0, sizeof (none));
      connect (item->fd, &none, 16); /* as after any failed attempt: the app may try again */
      return fails (item->error);
    }
    if (timeout_ms > 0 && (left = within_int (end - now_ms ())) <= 0) {
      g_mutex_lock (&lock);
      keep (item);
      g_mutex_unlock (&lock);
      return fails (EINPROGRESS);
    }
    ready (item->fd, wants (item), left);
  }
  return 0;
}

/* Whether a file has a connection that was redirected to the proxy. */
static gboolean stands (gint fd) {
  Address peer;
  guint length = sizeof (peer);
  gint port;
  return SYSTEM (calls[GETPEERNAME], fd, (glong)&peer, (glong)&length, 0, 0) == 0 &&
      (peer.family == AF_INET || peer.family == AF_INET6) && is_proxy (&peer) && (port = local_port (fd)) > 0 &&
      led[port].id != 0;
}

static gint to_proxy (gint fd, gint family) {
  Address proxy = state.proxy;
  if (family == AF_INET6) {
    memset (&proxy, 0, sizeof (proxy));
    proxy.family = AF_INET6;
    memcpy (proxy.port, state.proxy.port, 2);
    memcpy (proxy.rest + 4, mapped, 12);
    memcpy (proxy.rest + 16, state.proxy.rest, 4);
  }
  return connect (fd, &proxy, size_of (&proxy));
}

static gint lead (gint fd, const Address *asked) {
  Item item;
  Time patience;
  guint size = sizeof (patience);
  gint result, error = 0, no = 0;

  if (asked->family == AF_INET6 && option (fd, IPV6, V6ONLY) == 1)
    setsockopt (fd, IPV6, V6ONLY, &no, sizeof (no));
  /* Otherwise the connection is only made when something is sent on it. */
  setsockopt (fd, TCP, FASTOPEN_CONNECT, &no, sizeof (no));
  result = to_proxy (fd, asked->family);
  if (result != 0 && (error = *errno_at ()) != EINPROGRESS && error != EINTR) {
    if (error == ECONNREFUSED || error == ETIMEDOUT || error == ENETUNREACH || error == EHOSTUNREACH)
      ADD (state.unreached, 1);
    return fails (error);
  }
  memset (&item, 0, sizeof (item));
  item.state = CONNECTS;
  item.fd = fd;
  if ((item.port = local_port (fd)) <= 0)
    return fails (ECONNREFUSED); /* another thread closed it */
  led[item.port].asked = *asked;
  led[item.port].id = (guint32)ADD (state.next, 1) + 1;
  led[item.port].announced = 0;
  if (fcntl (fd, GETFL, 0) & NONBLOCK) {
    Item *kept = NULL;
    g_mutex_lock (&lock);
    if (advance (&item)) {
      g_mutex_unlock (&lock);
      return 0;
    }
    if (item.state != FAILED && (kept = keep (&item)) != NULL)
      hold_in_set (kept);
    g_mutex_unlock (&lock);
    if (kept != NULL)
      return fails (EINPROGRESS);
    return wait_for (&item, 0);
  }
  patience.s = patience.rest = 0;
  SYSTEM (calls[GETSOCKOPT], fd, SOL_SOCKET, SO_SNDTIMEO, (glong)&patience, (glong)&size);
  return wait_for (&item, within_int ((gint64)patience.s * 1000 + patience.rest / 1000));
}

static gint again (gint fd) {
  Item *item = find (fd);
  gint error;
  if (item == NULL)
    return 1;
  if (waits (fd) != NULL)
    return fails (EALREADY);
  item = find (fd);
  if (item == NULL)
    return 0;
  error = item->error;
  item->error = 0;
  if (error != 0)
    return fails (error);
  forget (item);
  {
    Address none;
    memset (&none, 0, sizeof (none));
    connect (fd, &none, 16);
  }
  return 1;
}

gint our_connect (gint fd, const Address *to, guint size) {
  Address asked;
  gint result = 1, protocol;

  if (!is_inet (to, size)) {
    if (waiting () != 0 && size >= 2 && is_readable (to) && to->family == 0) {
      Item *item;
      g_mutex_lock (&lock);
      if ((item = find (fd)) != NULL)
        forget (item); /* the app takes its connect back */
      g_mutex_unlock (&lock);
    }
    return connect (fd, to, size);
  }
  if (option (fd, SOL_SOCKET, SO_TYPE) != STREAM) {
    if (port_of (to) == HTTPS && !from_libc () && refuses_quic (fd, to, size))
      return fails (ECONNREFUSED);
    return connect (fd, to, size);
  }
  protocol = option (fd, SOL_SOCKET, SO_PROTOCOL);
  if ((protocol != TCP && protocol != MPTCP) || is_near (to))
    return connect (fd, to, size);
  memset (&asked, 0, sizeof (asked));
  memcpy (&asked, to, size_of (to));
  if (waiting () != 0) {
    g_mutex_lock (&lock);
    result = again (fd);
    g_mutex_unlock (&lock);
  }
  if (result != 1)
    return result;
  return stands (fd) ? to_proxy (fd, asked.family) : lead (fd, &asked);
}

/* -- calls that send to an address without a connect */

glong our_sendto (gint fd, gconstpointer bytes, gsize size, gint flags, const Address *to, guint length) {
  if (to != NULL) {
    if (refuses_quic (fd, to, length))
      return fails (ECONNREFUSED);
    if (flags & FASTOPEN) {
      if (connect (fd, to, length) != 0)
        return -1;
      return send (fd, bytes, size, flags & ~FASTOPEN);
    }
  }
  return sendto (fd, bytes, size, flags, to, length);
}

glong our_sendmsg (gint fd, Message *message, gint flags) {
  if (is_readable (message) && message->to != NULL) {
    if (refuses_quic (fd, message->to, message->length))
      return fails (ECONNREFUSED);
    if (flags & FASTOPEN) {
      if (connect (fd, message->to, message->length) != 0)
        return -1;
      flags &= ~FASTOPEN; /* ignored on a connected socket, as is the address */
    }
  }
  return sendmsg (fd, message, flags);
}

gint our_sendmmsg (gint fd, Counted *messages, guint count, gint flags) {
  const Message *first = count != 0 && is_readable (messages) ? &messages->message : NULL;

  if (first != NULL && first->to != NULL && refuses_quic (fd, first->to, first->length))
    return fails (ECONNREFUSED);
  return was[SENDMMSG](fd, (glong)messages, (glong)count, flags, 0, 0);
}

/* -- calls that tell about a connection */

gint our_getpeername (gint fd, gpointer out, guint *size) {
  Address peer;
  guint length;

  if (!is_readable (out) || !is_readable (size) || !stands (fd))
    return SYSTEM (calls[GETPEERNAME], fd, (glong)out, (glong)size, 0, 0);
  if (waiting () != 0) {
    gboolean yet;
    g_mutex_lock (&lock);
    yet = waits (fd) != NULL || find (fd) != NULL;
    g_mutex_unlock (&lock);
    if (yet)
      return fails (ENOTCONN);
  }
  peer = led[local_port (fd)].asked;
  length = size_of (&peer);
  if (peer.family == AF_INET6) {
    memset (peer.rest, 0, 4);
    memset (peer.rest + 20, 0, 4);
  }
  memcpy (out, &peer, *size < length ? *size : length);
  *size = length;
  return 0;
}

gint our_getsockopt (gint fd, gint level, gint name, gint *value, guint *size) {
  gint error = -1;
  if (level == SOL_SOCKET && name == SO_ERROR && waiting () != 0 && is_readable (value) && is_readable (size) &&
      *size >= 4) {
    Item *item;
    g_mutex_lock (&lock);
    if (waits (fd) != NULL)
      error = 0;
    else if ((item = find (fd)) != NULL) {
      error = item->error;
      item->error = 0;
    }
    g_mutex_unlock (&lock);
  }
  if (error < 0)
    return SYSTEM (calls[GETSOCKOPT], fd, level, name, (glong)value, (glong)size);
  *value = error;
  *size = 4;
  return 0;
}

/* -- calls that wait for a connection */

/* Have the polled files that wait for the proxy polled for its answer instead; returns how many they are. */
static gint hold (Polled *files, gsize count, gsize *which, gint16 *events) {
  gint held = 0;
  gsize i;
  g_mutex_lock (&lock);
  for (i = 0; i != count && held != MOST_WAITING; i++) {
    Item *item = files[i].fd >= 0 ? waits (files[i].fd) : NULL;
    if (item == NULL)
      continue;
    which[held] = i;
    events[held++] = files[i].events;
    files[i].events = wants (item);
  }
  g_mutex_unlock (&lock);
  return held;
}

static gint let_go (Polled *files, gint held, const gsize *which, const gint16 *events) {
  gint came = 0, i;
  for (i = 0; i != held; i++) {
    files[which[i]].events = events[i];
    came += files[which[i]].got != 0;
    files[which[i]].got = 0;
  }
  return came;
}

static gint64 ms_of (const Time *timeout) {
  return timeout == NULL ? -1 : (gint64)timeout->s * 1000 + (timeout->rest + 999999) / 1000000;
}

/* Poll by one of the three functions; timeouts count in whole milliseconds. */
static gint polled (gint by, Polled *files, gsize count, gint64 timeout_ms, glong mask) {
  gsize which[MOST_WAITING];
  gint16 events[MOST_WAITING];
  gint64 end = now_ms () + timeout_ms, left = timeout_ms;
  for (;;) {
    gint held = hold (files, count, which, events), result, came;
    Time time = {(glong)(left / 1000), (glong)(left % 1000 * 1000000)};
    result = by == POLL ? was[POLL]((glong)files, (glong)count, within_int (left), 0, 0, 0)
                        : was[by]((glong)files, (glong)count, left < 0 ? 0 : (glong)&time, mask, 8, 0);
    came = let_go (files, held, which, events);
    if (result <= 0 || result > came)
      return result > 0 ? result - came : result;
    if (timeout_ms >= 0 && (left = end - now_ms ()) < 0)
      left = 0;
  }
}

gint our_poll (Polled *files, gsize count, gint timeout_ms) {
  if (waiting () == 0 || !is_readable (files))
    return was[POLL]((glong)files, (glong)count, timeout_ms, 0, 0, 0);
  return polled (POLL, files, count, timeout_ms < 0 ? -1 : timeout_ms, 0);
}

static gint any_ppoll (gint by, Polled *files, gsize count, const Time *timeout, glong mask) {
  if (waiting () == 0 || !is_readable (files) || !is_there (timeout))
    return was[by]((glong)files, (glong)count, (glong)timeout, mask, 8, 0);
  return polled (by, files, count, ms_of (timeout), mask);
}

gint our_ppoll (Polled *files, gsize count, const Time *timeout, glong mask) {
  return any_ppoll (PPOLL, files, count, timeout, mask);
}

gint our_ppoll64 (Polled *files, gsize count, const Time *timeout, glong mask) {
  return any_ppoll (PPOLL64, files, count, timeout, mask);
}

static gboolean are_there (gint count, Set **sets, gconstpointer timeout) {
  return count >= 0 && (gsize)count <= sizeof (Set) * 8 && is_there (sets[0]) && is_there (sets[1]) &&
      is_there (sets[2]) && is_there (timeout);
}

static gboolean has (const Set *set, gint fd) { return set != NULL && (set->bits[fd / 8] >> fd % 8 & 1); }

static void put (Set *set, gint fd, gboolean in) {
  guint8 bit = (guint8)(1 << fd % 8);
  set->bits[fd / 8] = in ? set->bits[fd / 8] | bit : set->bits[fd / 8] & ~bit;
}

static gint selected (gint by, gint count, Set **sets, gint64 timeout_ms, glong mask, gint64 *rest_ms) {
  gsize bytes = ((gsize)count + 63) / 64 * 8;
  gint64 end = now_ms () + timeout_ms, left = timeout_ms;
  for (;;) {
    Set work[3];
    guint8 held[sizeof (Set) * 8];
    gint result, came = 0, fd, i;
    Time time = {(glong)(left / 1000), (glong)(left % 1000 * (by == SELECT ? 1000 : 1000000))};

    memset (work, 0, sizeof (work));
    memset (held, 0, sizeof (held));
    for (i = 0; i != 3; i++)
      if (sets[i] != NULL)
        memcpy (&work[i], sets[i], bytes);
    g_mutex_lock (&lock);
    for (fd = 0; fd != count; fd++) {
      Item *item = has (&work[0], fd) || has (&work[1], fd) || has (&work[2], fd) ? waits (fd) : NULL;
      if (item == NULL)
        continue;
      held[fd] = wants (item);
      put (&work[0], fd, held[fd] == IN);
      put (&work[1], fd, held[fd] == OUT);
      put (&work[2], fd, FALSE);
    }
    g_mutex_unlock (&lock);
    result = was[by](count, (glong)&work[0], (glong)&work[1], (glong)&work[2], left < 0 ? 0 : (glong)&time, mask);
    for (fd = 0; fd != count && result > 0; fd++) {
      if (held[fd] == 0)
        continue;
      came += has (&work[0], fd) + has (&work[1], fd);
      put (&work[0], fd, FALSE);
      put (&work[1], fd, FALSE);
    }
    if (timeout_ms >= 0 && (left = end - now_ms ()) < 0)
      left = 0;
    if (result <= 0 || result > came) {
      *rest_ms = left;
      for (i = 0; i != 3 && result >= 0; i++)
        if (sets[i] != NULL)
          memcpy (sets[i], &work[i], bytes);
      return result > 0 ? result - came : result;
    }
  }
}

gint our_select (gint count, Set *in, Set *out, Set *except, Time *timeout) {
  Set *sets[3] = {in, out, except};
  gint64 rest;
  gint result;
  if (waiting () == 0 || !are_there (count, sets, timeout))
    return was[SELECT](count, (glong)in, (glong)out, (glong)except, (glong)timeout, 0);
  result =
      selected (SELECT, count, sets, timeout == NULL ? -1 : timeout->s * 1000 + (timeout->rest + 999) / 1000, 0, &rest);
  if (timeout != NULL) {
    timeout->s = (glong)(rest / 1000);
    timeout->rest = (glong)(rest % 1000 * 1000);
  }
  return result;
}

static gint any_pselect (gint by, gint count, Set *in, Set *out, Set *except, const Time *timeout, glong mask) {
  Set *sets[3] = {in, out, except};
  gint64 rest;
  if (waiting () == 0 || !are_there (count, sets, timeout))
    return was[by](count, (glong)in, (glong)out, (glong)except, (glong)timeout, mask);
  return selected (by, count, sets, ms_of (timeout), mask, &rest);
}

gint our_pselect (gint count, Set *in, Set *out, Set *except, const Time *timeout, glong mask) {
  return any_pselect (PSELECT, count, in, out, except, timeout, mask);
}

gint our_pselect64 (gint count, Set *in, Set *out, Set *except, const Time *timeout, glong mask) {
  return any_pselect (PSELECT64, count, in, out, except, timeout, mask);
}

gint our_epoll_ctl (gint set, gint what, gint fd, const Event *event) {
  gint result;
  if (fd >= 0 && fd < MOST_WATCHED && (what == DEL || is_readable (event))) {
    Watched *one = &watched[fd];
    g_mutex_lock (&lock);
    one->set = 0;
    if (what != DEL) {
      one->events = event->events;
      one->data = event->data;
      one->set = set + 1;
    }
    g_mutex_unlock (&lock);
  }
  if (waiting () != 0 && what != DEL && is_readable (event)) {
    Event held = *event;
    Item *item;
    g_mutex_lock (&lock);
    item = find (fd);
    if (item != NULL && item->state != FAILED)
      held.events = wants (item);
    result = SYSTEM (calls[EPOLL_CTL], set, what, fd, (glong)&held, 0);
    g_mutex_unlock (&lock);
    return result;
  }
  return SYSTEM (calls[EPOLL_CTL], set, what, fd, (glong)event, 0);
}

/* Whether an event belongs to a file that waits for the proxy; then the app must not see it. */
static gboolean is_ours (gint set, const Event *event) {
  gint i;
  for (i = 0; i != MOST_WAITING; i++) {
    Item *item = &state.items[i];
    gint fd = item->fd;
    if (item->state != CONNECTS && item->state != ASKS)
      continue;
    if (fd >= MOST_WATCHED || watched[fd].set != set + 1 || watched[fd].data != event->data)
      continue;
    if (find (fd) == NULL || ready (fd, wants (item), 0) == 0)
      continue; /* another file's, which the app gave the same data */
    waits (fd);
    return TRUE;
  }
  return FALSE;
}

static gint any_epoll_wait (gint by, gint set, Event *events, gint most, gint timeout_ms, glong mask) {
  gint64 end = timeout_ms > 0 ? now_ms () + timeout_ms : 0;
  for (;;) {
    gint count = was[by](set, (glong)events, most, timeout_ms, mask, 8), kept = 0, i;
    if (count <= 0 || waiting () == 0)
      return count;
    g_mutex_lock (&lock);
    for (i = 0; i != count; i++)
      if (!is_ours (set, &events[i]))
        events[kept++] = events[i];
    g_mutex_unlock (&lock);
    if (kept != 0 || timeout_ms == 0)
      return kept;
    if (timeout_ms > 0 && (timeout_ms = within_int (end - now_ms ())) < 0)
      timeout_ms = 0;
  }
}

gint our_epoll_wait (gint set, Event *events, gint most, gint timeout_ms) {
  return any_epoll_wait (EPOLL_WAIT, set, events, most, timeout_ms, 0);
}

gint our_epoll_pwait (gint set, Event *events, gint most, gint timeout_ms, glong mask) {
  return any_epoll_wait (EPOLL_PWAIT, set, events, most, timeout_ms, mask);
}

gint our_epoll_pwait64 (gint set, Event *events, gint most, gint timeout_ms, glong mask) {
  return any_epoll_wait (EPOLL_PWAIT64, set, events, most, timeout_ms, mask);
}
