/* Short texts and keys that were found to hold nothing: when one comes again, it is not examined. */

#ifndef REMEMBERED_H
#define REMEMBERED_H

#include "bits.h"

/* A text or key that holds nothing; when it comes again, it is not examined. */
typedef struct {
    int64_t start;
    uint32_t sum; /* the upper half of its hash */
    uint16_t size, again;
} seen_before;

enum { FEWEST = 64, MOST = 2048, KEYS = 256 };

static inline uint64_t brief(bytes data, int64_t size) { /* of four bytes or more */
    uint64_t first = size < 8 ? load4(data) | (uint64_t)load4(data + size - 4) << 32 : load8(data);
    uint64_t last = size < 8 ? 0 : load8(data + size - 8), middle = size < 24 ? 0 : load8(data + size / 2);
    uint64_t h = (first ^ (uint64_t)size) * 0x9E3779B97F4A7C15u + (last ^ middle >> 7) * 0xC2B2AE3D27D4EB4Fu;
    return h ^ h >> 32;
}

/* from: bytes before this position may have been released. */
static inline bool is_same(seen_before *one, uint64_t h, bytes data, int64_t start, int64_t size, int64_t from) {
    if (one->size != size || one->sum != h >> 32 || one->start < from || !same_bytes(data + one->start, data + start, size)) return false;
    one->start = start, one->again = 1;
    return true;
}

/* Texts that come often stay. */
static inline void remember(seen_before *one, uint64_t h, int64_t start, int64_t size) {
    if (one->again)
        one->again = 0;
    else
        *one = (seen_before){start, (uint32_t)(h >> 32), (uint16_t)size, 0};
}

#endif
