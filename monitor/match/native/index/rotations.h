/* Words that are rotated by some bits, and read with the highest byte first. */

#ifndef ROTATIONS_H
#define ROTATIONS_H

#include "tables.h"

static inline uint32_t left(uint32_t x, int by) { return x << by | x >> (32 - by); }
static inline uint32_t right(uint32_t x, int by) { return x >> by | x << (32 - by); }
static inline uint64_t left8(uint64_t x, int by) { return x << by | x >> (64 - by); }
static inline uint64_t right8(uint64_t x, int by) { return x >> by | x << (64 - by); }

static inline uint32_t big4(bytes at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

#endif
