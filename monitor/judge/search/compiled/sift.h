/* Says of the leaves of a text which may hold anything at all. Everything here only sifts: a leaf that passes is decoded
   and searched as any other. When in doubt a leaf passes. */

#ifndef SIFT_H
#define SIFT_H

#include "masks.h"

/* What is said of a leaf: that it matters; that those beside it do too; that it does if its places are whole. */
enum { DULL = 0, MATTERS = 1, BESIDE = 2, PLACED = 4 };
enum { DEEPEST = 5, LONGEST = 6000, PARTS = 64 };

typedef struct {
    double lat, lon, tolerance; /* degrees of longitude within which it counts */
} place;

/* A number that may be one coordinate of a place. */
typedef struct {
    int64_t place, axis, leaf;
} spot;

/* A leaf in lower case, and where quotes are in the 64 bytes that were read last. */
typedef struct {
    uint8_t *lower;
    int64_t capacity, block;
    uint64_t marks;
} reader;

/* Have room for so many bytes in lower case. */
static inline bool have_room(reader *r, int64_t size) {
    if (size <= r->capacity) return true;
    uint8_t *grown = realloc(r->lower, (size_t)(2 * size));
    if (!grown) return false;
    r->lower = grown, r->capacity = 2 * size;
    return true;
}

typedef struct {
    const grams *texts, *raw, *outputs; /* values; values in data that is no text; what the app's transforms gave out */
    const table *digests, *digits;
    table words, strips;   /* parts of values, names of cells; strips of the earth that have places */
    uint64_t word_sizes[256];   /* by the first letter of a word, which sizes there are: bit 63 for all above */
    uint64_t word_heads[1024];  /* by the first two letters and the size, where both are ASCII */
    uint64_t short_numbers[256]; /* numbers of up to four digits that are a part of a value */
    uint64_t some_words[1 << 13], some_strips[1 << 13]; /* by the upper 19 bits of their hashes */
    double least[2], most[2];                           /* of all latitudes, of all longitudes */
    double ranges[9][2][2]; /* of numbers that may be coordinates: for each notation and axis, the least and the most */
    bool punycode;                                      /* whether it is anywhere in the text */
    uint64_t tops[1024];   /* the upper sixteen bits of latitudes, in any kind of binary number */
    bool top_bytes[256];   /* the upper eight of them */
    place *places;
    int64_t number_of_places;
    spot *spots;
    int64_t spots_found, spots_most, leaf;
    reader reader;
} sieve;

extern const double TENS[18];

bool blob_matters(sieve *s, bytes data, int64_t size, int depth, const masks *m);
int leaf_matters(sieve *s, bytes data, bytes lower, int64_t size, int kinds, const masks *m, bool bare);
int decoded_matters(sieve *s, bytes data, int64_t size, int depth);
bool has_text(const grams *g, bytes lower, int64_t size, bool loose);
int runs_matter(sieve *s, bytes data, int64_t size, int depth);
bool packed_places(sieve *s, bytes data, int64_t size);
void number_near(sieve *s, double value, int decimals);
void bits_near(sieve *s, uint64_t value, int digits);
bool near_place(sieve *s, double degrees, double unit, int axis);
void either_near(sieve *s, double degrees, double unit);
int varint_matters(sieve *s, uint64_t value);
bool has_word(const sieve *s, bytes lower, int64_t size);
bool two_matter(const sieve *s, bytes one, int64_t size, bytes other, int64_t other_size);
uint64_t word_hash(bytes lower, int64_t size);
uint32_t short_number(bytes data, int64_t size);

#endif
