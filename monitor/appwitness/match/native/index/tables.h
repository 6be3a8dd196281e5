/* Many short texts, in tables that grow in place: what is added is found at once, and more texts hardly make a search
   slower. */

#ifndef TABLES_H
#define TABLES_H

#include "../shared.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define PUBLIC __declspec(dllexport)
#else
#define PUBLIC __attribute__((visibility("default")))
#endif

typedef const uint8_t *bytes;

#define SEMICIRCLE (2147483648.0 / 180) /* the unit of sports watches: half a turn is 2 ** 31 */

/* The window of a text, the bytes by which it is looked up: LONG or MIDDLE of a text that has as many, all of a shorter
   one. */
enum { SHORT = 7, CROWDED = 8, TOGETHER = 16 };
#define SLOT_MASK ((1u << SLOT_BITS) - 1)

/* A part of a table, which grows independently of the others: no call has to rebuild a large table as a whole, and the
   table is never in memory twice. */
typedef struct {
    uint64_t *places;
    uint32_t *more; /* the text around a window: how far before the window it begins, its size, 16 bits of its hash */
    uint64_t size, used;
} segment;

/* Entries for one hash beyond the first TOGETHER: slots, and the texts around windows. In a segment they would slow
   down all other lookups. */
typedef struct {
    uint64_t word; /* the kept bits of the hash */
    uint32_t *slots, *more;
    uint32_t number, room;
} crowd;

/* Hashed 64-bit words, and the slots that they were entered for: 40 bits of the hash, 24 of the slot. */
typedef struct {
    segment *segments; /* one; in a large table many */
    uint64_t mask;     /* from 40 bits of a hash to the number of its segment */
    uint64_t *some;    /* two bits of one word for each known hash: most searches end here */
    uint64_t *wider;   /* twice its size; replaces it once all segments are noted in it */
    uint64_t some_mask, used, noted;
    crowd *crowds; /* a power of two of them, at most half of them used */
    uint64_t crowd_mask, crowds_used;
    bool windows; /* whether segments have `more` */
} table;

/* Two bits of one word for everything with which a window may begin; if either is not set, nothing is looked up. It
   grows with the entries, with at least eight bits for each, or sixteen, so that it stays in the processor's cache. From
   a million entries on, the entries are not kept, and each word is copied into the eight that it grows to: denser, but
   small. */
typedef struct {
    uint64_t *words;
    uint64_t *wider; /* twice its size; replaces it once all kept entries are in it */
    uint64_t *kept;
    uint64_t number, room, moved;
    int shift; /* from 64 bits of a hash to the number of a word */
    int most;  /* entries per word */
} sieve_bits;

/* The first look at a position: whether any window may begin there, or stand around it. */
typedef struct {
    sieve_bits eights;  /* eight bytes at a multiple of four inside a window of LONG bytes, at any position */
    sieve_bits strange; /* the same if they are not all ASCII */
    sieve_bits hexes;   /* for texts that are all hex: the four bytes of eight digits */
    uint64_t *hex_fours; /* the two bytes of four digits, for windows of MIDDLE or SHORT of such texts */
    sieve_bits hex_sevens; /* the first seven bytes of windows of such texts */
    sieve_bits fours;   /* four bytes at a multiple of four inside a window of MIDDLE or SHORT bytes */
    sieve_bits sevens;  /* the first seven bytes of such windows */
    sieve_bits firsts;  /* the first four bytes of a window of four to six */
    uint64_t *endings;  /* the last seven digits of a window of digits, looked up at the end of a number */
    uint64_t *fives;    /* the last five of them */
    uint64_t *twos;     /* the first two bytes of a window of less than SHORT */
    uint32_t sizes;     /* bit n: some window has n bytes */
} looks;

typedef struct grams {
    table windows;
    looks *looks;   /* its own, or those of the wider set that it is part of */
    bool part;
    uint32_t sizes; /* bit n: some window has n bytes */
    uint32_t sorts; /* bit n: some window of less than SHORT begins with a byte of sort n */
} grams;

typedef struct {
    int64_t slot, start, size;
} row;
_Static_assert(sizeof(row) == 8 * ROW_FIELDS, "rows are read by library.py");

static inline uint32_t load4(bytes at) {
    uint32_t word;
    memcpy(&word, at, 4);
    return word;
}

static inline uint64_t load8(bytes at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static inline uint64_t mixed(uint64_t h) {
    h = (h ^ h >> 31) * 0xBF58476D1CE4E5B9u;
    h = (h ^ h >> 32) * 0x94D049BB133111EBu;
    return h ^ h >> 29;
}

static inline uint64_t hash(bytes data, int size) {
    uint64_t h = (uint64_t)size * 0x9E3779B97F4A7C15u;
    int at = 0;
    for (; at + 8 <= size; at += 8) h = mixed(h ^ load8(data + at));
    uint64_t rest = 0;
    for (int shift = 0; at < size; at++, shift += 8) rest |= (uint64_t)data[at] << shift;
    return mixed(h ^ rest);
}

static inline uint64_t eight(uint64_t word) { return (word ^ word >> 29) * 0x9E3779B97F4A7C15u; }
static inline uint64_t seven(bytes at) { return eight(load4(at) | (uint64_t)load4(at + 3) << 32); }
static inline uint64_t four(uint32_t word) { return (word + 1ull) * 0x9E3779B97F4A7C15u; }

static inline void set(uint64_t *sieve, uint32_t bit) { sieve[bit >> 6] |= 1ull << (bit & 63); }
static inline bool in(const uint64_t *sieve, uint32_t bit) { return sieve[bit >> 6] >> (bit & 63) & 1; }

static inline bool may(const sieve_bits *sieve, uint64_t hash) {
    uint64_t word = sieve->words[hash >> sieve->shift];
    return word >> (hash >> 8 & 63) & word >> (hash >> 14 & 63) & 1;
}

#define HIGH_BITS 0x8080808080808080u

/* Whether a window of LONG bytes may stand around these eight. */
static inline bool may_be_eight(const looks *l, uint64_t word) {
    return may(word & HIGH_BITS ? &l->strange : &l->eights, eight(word));
}

/* Whether a window of LONG may stand around the eight bytes at a position, or one of MIDDLE or SHORT around four. */
static inline bool may_be_long(const looks *l, bytes at) {
    uint64_t word = load8(at);
    return may_be_eight(l, word) | may(&l->fours, four((uint32_t)word));
}

/* Whether a window of less than SHORT may begin at a position; four bytes must be readable. */
static inline bool may_be_short(const looks *l, bytes at) {
    return in(l->twos, (uint32_t)at[0] | (uint32_t)at[1] << 8) & ((l->sizes & 0x0C) != 0 || may(&l->firsts, four(load4(at))));
}

static inline uint32_t five_digits(bytes before) {
    uint32_t number = 0;
    for (int at = -5; at < 0; at++) number = number * 10 + (uint32_t)(before[at] - '0');
    return number;
}

static inline bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }

static inline uint32_t seven_digits(bytes before) {
    uint32_t number = 0;
    for (int at = -7; at < 0; at++) number = number * 10 + (uint32_t)(before[at] - '0');
    return number;
}

static inline const segment *segment_of(const table *t, uint64_t h) { return t->segments + (h >> SLOT_BITS & t->mask); }

/* Where the entries of a hash begin; they go on up to an empty place. */
static inline uint64_t begin(const segment *s, uint64_t h) { return (h >> 32) * s->size >> 32; }
static inline uint64_t next(const segment *s, uint64_t at) { return at + 1 == s->size ? 0 : at + 1; }

static inline uint64_t some_hash(uint64_t h) { return (h >> SLOT_BITS) * 0xC2B2AE3D27D4EB4Fu; }
static inline uint64_t some_bits_of(uint64_t some) { return 1ull << (some >> 20 & 63) | 1ull << (some >> 26 & 63); }

/* The number of entries of a hash, at most `most`. */
static inline int count(const table *t, uint64_t h, int most) {
    int found = 0;
    if (!t->used) return 0;
    uint64_t some = some_hash(h), bits = some_bits_of(some);
    if ((t->some[some >> 32 & t->some_mask] & bits) != bits) return 0;
    const segment *s = segment_of(t, h);
    for (uint64_t at = begin(s, h); s->places[at] && found < most; at = next(s, at))
        found += s->places[at] >> SLOT_BITS == h >> SLOT_BITS;
    return found;
}

/* Prefetch what tells whether a hash is known; all: its entry too. */
static inline void soon(const table *t, uint64_t h, bool all) {
#ifdef __GNUC__
    if (!t->used) return;
    __builtin_prefetch(t->some + (some_hash(h) >> 32 & t->some_mask));
    if (all) __builtin_prefetch(segment_of(t, h)->places + begin(segment_of(t, h), h));
#else
    (void)t, (void)h, (void)all;
#endif
}

static inline bool has(const table *t, uint64_t h) { return count(t, h, 1); }

/* The sort of a byte: 1 a letter of either case, 2 a digit, 3 not ASCII, 0 anything else. */
static inline int sort_of(uint8_t byte) {
    return (uint8_t)((byte | 32) - 'a') < 26 ? 1 : is_digit(byte) ? 2 : byte >= 0x80 ? 3 : 0;
}

/* Whether the text that a window belongs to stands around it, between two limits. */
static inline bool whole(uint32_t more, bytes lower, int64_t start, int64_t low, int64_t high) {
    int64_t size = more >> 16 & 255, first = start - (more >> 24);
    if (!size) return true; /* too long to tell */
    return first >= low && first + size <= high && (uint16_t)(hash(lower + first, (int)size) >> 40) == (uint16_t)more;
}

/* The entries of a hash, one after the other. */
typedef struct {
    const table *t;
    const segment *s;
    const crowd *others;
    uint64_t word, at;
    uint32_t met, slot, more; /* slot: one more than was entered */
} entries;

static inline entries entries_of(const table *t, uint64_t h) {
    const segment *s = segment_of(t, h);
    return (entries){t, s, NULL, h >> SLOT_BITS, begin(s, h), 0, 0, 0};
}

bool another_of_a_crowd(entries *e);

static inline bool another(entries *e) {
    const segment *s = e->s;
    for (; s->places[e->at]; e->at = next(s, e->at)) {
        if (s->places[e->at] >> SLOT_BITS != e->word) continue;
        e->slot = s->places[e->at] & SLOT_MASK, e->more = s->more ? s->more[e->at] : 0;
        e->at = next(s, e->at), e->met++;
        return true;
    }
    return e->met >= TOGETHER && another_of_a_crowd(e);
}

struct packed; /* places in binary data, binary.c */
PUBLIC int64_t packed_find(const struct packed *p, bytes data, int64_t size, row *out, int64_t most);
void table_clear(table *t);
bool table_put(table *t, uint64_t h, uint32_t slot, uint32_t more);
PUBLIC int grams_add(grams *g, bytes text, int size, uint32_t slot, bool numbers);
int64_t collect(const table *t, uint64_t h, row *out, int64_t most, int64_t found, int64_t start, int size);
bool has_window(const table *t, bytes lower, int64_t start, int size, int64_t low, int64_t high);
bool has_long_text(const grams *g, bytes lower, int64_t at, int64_t low, int64_t high);
bool has_number(const grams *g, bytes lower, int64_t start, int64_t end, int64_t low, int64_t high, bool loose);

#endif
