/* Many short texts, in tables that grow in place: what is added is found at once, and the time to search hardly
   depends on how many there are. */

#ifndef TABLES_H
#define TABLES_H

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

/* Bytes of a text that are looked up, its window: so many of a text that has them, all of a shorter one. */
enum { LONG = 12, MIDDLE = 8, SHORT = 7, SLOT_BITS = 24, CROWDED = 8 };
#define SLOT_MASK ((1u << SLOT_BITS) - 1)

/* Words of 64 bits, hashed, and the slots that they were entered for: 40 bits of the hash, 24 of the slot. */
typedef struct {
    uint64_t *places;
    uint64_t *some; /* four bits a place, set for the hashes that are there: most searches end here */
    uint64_t mask, used;
} table;

/* One bit for each thing that some window may begin with; where none is set, nothing is looked up. It grows with what
   is entered, so that it stays near the processor. */
typedef struct {
    uint64_t *bits;
    uint32_t *kept;
    uint64_t number, room;
    int shift; /* of 32 bits of a hash */
} sieve_bits;

typedef struct {
    table windows;
    sieve_bits eights;   /* eight bytes at a multiple of four inside a window of LONG bytes, wherever it stands */
    sieve_bits fours;    /* four bytes at a multiple of four inside a window of MIDDLE or SHORT bytes */
    sieve_bits sevens;   /* the first seven bytes of such windows */
    sieve_bits firsts;   /* the first four bytes of a window of four to six */
    uint64_t *endings;   /* the last seven digits of a window of digits, looked up where a number ends */
    uint64_t *twos;      /* the first two bytes of a window of less than SHORT */
    uint32_t sizes;      /* bit n: some window has n bytes */
} grams;

typedef struct {
    int64_t slot, start, size;
} row;

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

static inline uint32_t bit_of(uint32_t low, uint32_t high) {
    uint64_t both = (uint64_t)high << 32 | low;
    return (uint32_t)(both * 0x9E3779B97F4A7C15u >> 32);
}

static inline void set(uint64_t *sieve, uint32_t bit) { sieve[bit >> 6] |= 1ull << (bit & 63); }
static inline bool in(const uint64_t *sieve, uint32_t bit) { return sieve[bit >> 6] >> (bit & 63) & 1; }

static inline bool may(const sieve_bits *sieve, uint32_t hash) { return in(sieve->bits, hash >> sieve->shift); }

static inline bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }

static inline uint32_t seven_digits(bytes before) {
    uint32_t number = 0;
    for (int at = -7; at < 0; at++) number = number * 10 + (uint32_t)(before[at] - '0');
    return number;
}

static inline uint64_t begin(const table *t, uint64_t h) { return (h >> SLOT_BITS) * 0x9E3779B97F4A7C15u >> 24 & t->mask; }

static inline uint64_t some_bit(const table *t, uint64_t h) { return (h >> SLOT_BITS) * 0xC2B2AE3D27D4EB4Fu >> 20 & (4 * t->mask + 3); }

/* How many entries a hash has, at most so many. */
static inline int count(const table *t, uint64_t h, int most) {
    int found = 0;
    if (!t->used) return 0;
    uint64_t bit = some_bit(t, h);
    if (!(t->some[bit >> 6] >> (bit & 63) & 1)) return 0;
    for (uint64_t at = begin(t, h); t->places[at] && found < most; at = (at + 1) & t->mask)
        found += t->places[at] >> SLOT_BITS == h >> SLOT_BITS;
    return found;
}

static inline bool has(const table *t, uint64_t h) { return count(t, h, 1); }

bool table_put(table *t, uint64_t h, uint32_t slot);
int64_t collect(const table *t, uint64_t h, row *out, int64_t most, int64_t found, int64_t start, int size);

#endif
