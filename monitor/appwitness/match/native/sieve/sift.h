/* Tells which leaves of a text may hold anything at all. Everything here only sifts: a leaf that passes is decoded and
   searched like any other. When in doubt, a leaf passes. */

#ifndef SIFT_H
#define SIFT_H

#include "bits.h"

/* The verdict on a leaf: it matters (MATTERS); those beside it matter, too (BESIDE); neither (DULL); it matters if both
   coordinates of one of its places are there (PLACED). */
enum { DULL = 0, PLACED = 4 };
enum { DEEPEST = 5, LONGEST = 6000, PARTS = 64 };

typedef struct {
    double lat, lon, tolerance; /* tolerance: degrees of longitude within which a number counts */
} place;

/* A number that may be one coordinate of a place. */
typedef struct {
    int64_t place, axis, leaf;
} spot;
_Static_assert(sizeof(spot) == 8 * SPOT_FIELDS, "spots are read by sieve.py");

/* A leaf in lower case, and where quotes are in the last 64 bytes that were read. */
typedef struct {
    uint8_t *lower;
    int64_t capacity, block;
    uint64_t marks;
} reader;

/* Make room for this many bytes in lower case. */
static inline bool have_room(reader *r, int64_t size) {
    if (size <= r->capacity) return true;
    uint8_t *grown = realloc(r->lower, (size_t)(2 * size));
    if (!grown) return false;
    r->lower = grown, r->capacity = 2 * size;
    return true;
}

typedef struct {
    const grams *texts, *raw, *outputs; /* values; values in data that is not text; outputs of the app's transforms */
    const table *digests, *digits;
    const struct packed *packed; /* places in binary data */
    table words, strips;   /* parts of values, and names of cells; strips of the earth that have places */
    uint64_t word_sizes[256];   /* by a word's first letter, the sizes there are; bit 63 for all larger ones */
    uint64_t word_heads[1024];  /* by the first two letters and the size, if both are ASCII */
    uint64_t short_numbers[256]; /* numbers of up to four digits that are part of a value */
    uint64_t short_words[256];   /* short numbers that are words themselves */
    uint64_t some_words[1 << 13], some_strips[1 << 13]; /* by the upper 19 bits of their hashes */
    double least[2], most[2];                           /* of all latitudes, of all longitudes */
    double ranges[10][2][2]; /* of numbers that may be coordinates: for each notation and axis, the least and the most */
    uint64_t some_numbers[64]; /* integers in any of these ranges, by their upper bits */
    bool punycode;                                      /* whether there is any in the text */
    place *places;
    int64_t number_of_places;
    spot *spots;
    int64_t spots_found, spots_most, leaf;
    reader reader;
} sieve;

extern const double TENS[18];

static inline int64_t little(bytes data, int size) {
    uint64_t value = 0;
    for (int at = size - 1; at >= 0; at--) value = value << 8 | data[at];
    return (int64_t)value;
}

static inline int64_t big(bytes data, int size) {
    uint64_t value = 0;
    for (int at = 0; at < size; at++) value = value << 8 | data[at];
    return (int64_t)value;
}

/* sift.c */
bool begins_with(const table *t, bytes data, int64_t size);
bool has_short(const grams *g, bytes lower, int64_t at, int64_t size);
bool has_long(const grams *g, bytes lower, int64_t size);
bool has_long_hex(const grams *g, bytes lower, int64_t size, bytes out);
void soon_begins(const table *t, bytes data);
bool has_any_short(const grams *g, bytes lower, int64_t size, bool loose);
bool has_text(const grams *g, bytes lower, int64_t size, bool loose);
bool few_have_text(const sieve *s, bytes lower, int64_t size);
bool number_in(const sieve *s, bytes data, int64_t size);
bool has_digests(const sieve *s, bytes data, int64_t size);
bool has_word(const sieve *s, bytes lower, int64_t size);
bool two_matter(const sieve *s, bytes one, int64_t size, bytes other, int64_t other_size);
int words_matter(sieve *s, bytes data, bytes lower, int64_t size);
int few_words_matter(sieve *s, bytes lower, int64_t size, const masks *m);
uint32_t short_number(bytes data, int64_t size);
PUBLIC bool sieve_add_words(sieve *s, bytes words, const int32_t *sizes, int64_t number);

/* bare.c */
typedef struct {
    int said;
    uint32_t few;  /* for up to four digits: one more than their short_number; else zero */
    bool nothing; /* true, false, null */
} word_read;
enum { BARE_ROOM = 32 };
int64_t bare_matters(sieve *s, bytes data, int64_t at, word_read *found);

/* digits.c */
int numbers_matter(sieve *s, bytes data, bytes lower, int64_t size, int kinds);
bool some_number(const sieve *s, bytes data, int64_t size, uint32_t kinds, const masks *m);
int varint_matters(sieve *s, uint64_t value);

/* places.c */
void number_near(sieve *s, double value, int decimals);
void bits_near(sieve *s, uint64_t value, int digits);
void either_near(sieve *s, double degrees, double unit);

/* spellings.c */
int64_t from_codes(uint8_t *out, bytes data, int64_t size);
bool escaped(bytes data, int64_t size, int kinds, bool punycode);
bool whole_digest(sieve *s, bytes data, int64_t size);
void soon_whole(const sieve *s, bytes data);
bool spaced(bytes data, int64_t size);
bool may_be_spaced(bytes data, bytes lower, int64_t size, const masks *m);
bool fields_matter(sieve *s, bytes data, int64_t size, int kinds);

/* coded_runs.c */
typedef struct {
    int64_t first, stop;
} span;
bool behind_letters(const sieve *s, bytes data, int64_t size);
int64_t from_base64(uint8_t *out, bytes data, int64_t size);
void from_any_hex(uint8_t *out, bytes data, int64_t pairs);
int64_t from_base32(uint8_t *out, bytes data, int64_t size);
bool next_run(bytes data, int64_t size, span *r);
bool next_hex(bytes data, int64_t size, span *r);
bool next_starred(bytes data, int64_t size, span *r);
bool unstarred(uint8_t *out, bytes data, int64_t size, span r);
bool next_base32(bytes data, int64_t size, bool small, span *r);

/* compressed.c */
bool deflates(bytes data, int64_t size);
bool fixed_code(bytes data, int64_t size, bool text);
bool streams(bytes data, int64_t size);
bool brotli(uint64_t head, int64_t size);
bool brotli_code(bytes data, int64_t size);
bool lz4(bytes data, int64_t size);
bool snappy(bytes data, int64_t size);

/* blobs.c: whether there is something in them, or is_framed must decide */
enum { NOTHING, SOMETHING, UNDECIDED };
enum { LONGEST_BLOB = 512 };
int blob_of(bytes data, int64_t size, const masks *m);
bool is_framed(bytes data, int64_t size);

/* messages.c: for less than LONGEST_BLOB bytes */
enum { BYTES, WHOLE, REAL, SURE }; /* a text or data, an integer, the bits of a floating-point number; what matters in any case */
typedef struct {
    int kind, size;
    int64_t value; /* for a text, where it begins */
} item;
typedef struct {
    item items[LONGEST_BLOB];
    int64_t items_found, documents, containers;
} message;
bool messagepack(message *m, bytes data, int64_t size);
bool cbor(message *m, bytes data, int64_t size);

/* leaves.c */
int leaf_matters(sieve *s, bytes data, bytes lower, int64_t size, int kinds, const masks *m, bool bare);
int decoded_matters(sieve *s, bytes data, int64_t size, int depth);
int runs_matter(sieve *s, bytes data, int64_t size, int depth);

#endif
