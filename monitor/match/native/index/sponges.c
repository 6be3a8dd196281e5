/* SHA-3 (FIPS 202) and BLAKE2 (RFC 7693). */

#include "sponges.h"
#include "rotations.h"
#include "sha2.h"

static void keccak(uint64_t a[25]) {
    static const uint64_t rounds[24] = {
        0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B,
        0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088,
        0x0000000080008009, 0x000000008000000A, 0x000000008000808B, 0x800000000000008B, 0x8000000000008089,
        0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
        0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
    };
    static const uint8_t places[24] = {10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};
    static const uint8_t turns[24] = {1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44};
    for (int round = 0; round < 24; round++) {
        uint64_t c[5];
        for (int x = 0; x < 5; x++) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
#pragma GCC unroll 5
        for (int x = 0; x < 5; x++) {
            uint64_t d = c[(x + 4) % 5] ^ left8(c[(x + 1) % 5], 1);
            for (int y = 0; y < 25; y += 5) a[x + y] ^= d;
        }
        uint64_t moved = a[1];
#pragma GCC unroll 24
        for (int i = 0; i < 24; i++) {
            uint64_t next = a[places[i]];
            a[places[i]] = left8(moved, turns[i]);
            moved = next;
        }
#pragma GCC unroll 5
        for (int y = 0; y < 25; y += 5) {
            for (int x = 0; x < 5; x++) c[x] = a[y + x];
#pragma GCC unroll 5
            for (int x = 0; x < 5; x++) a[y + x] = c[x] ^ (~c[(x + 1) % 5] & c[(x + 2) % 5]);
        }
        a[0] ^= rounds[round];
    }
}

void sponge(bytes data, size_t size, size_t rate, uint8_t suffix, uint8_t *out) {
    uint64_t a[25] = {0};
    uint8_t last[200] = {0};
    for (; size >= rate; data += rate, size -= rate) {
        for (size_t i = 0; i < rate / 8; i++) a[i] ^= load8(data + 8 * i);
        keccak(a);
    }
    if (size) memcpy(last, data, size);
    last[size] = suffix;
    last[rate - 1] |= 0x80;
    for (size_t i = 0; i < rate / 8; i++) a[i] ^= load8(last + 8 * i);
    keccak(a);
    memcpy(out, a, 64);
}

static const uint8_t WORDS[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

/* Both kinds of BLAKE2 are one, but for the width of a word. */
#define BLAKE2(name, type, load, turn, one, two, three, four_, rounds, start)                                       \
    static void name##_block(type h[8], bytes at, uint64_t read, bool last) {                                       \
        type v[16], m[16];                                                                                          \
        for (int i = 0; i < 8; i++) v[i] = h[i], v[i + 8] = (type)(start);                                          \
        for (int i = 0; i < 16; i++) m[i] = load(at + i * (int)sizeof(type));                                       \
        v[12] ^= (type)read, v[13] ^= sizeof(type) == 8 ? 0 : (type)(read >> 32);                                   \
        if (last) v[14] = (type)~v[14];                                                                             \
        for (int round = 0; round < rounds; round++) {                                                              \
            const uint8_t *w = WORDS[round % 10];                                                                   \
            _Pragma("GCC unroll 8") for (int i = 0; i < 8; i++) {                                                   \
                int a = i % 4, turned = i / 4, b = 4 + (a + turned) % 4, c = 8 + (a + 2 * turned) % 4;              \
                int d = 12 + (a + 3 * turned) % 4;                                                                  \
                v[a] += v[b] + m[w[2 * i]], v[d] = turn(v[d] ^ v[a], one);                                          \
                v[c] += v[d], v[b] = turn(v[b] ^ v[c], two);                                                        \
                v[a] += v[b] + m[w[2 * i + 1]], v[d] = turn(v[d] ^ v[a], three);                                    \
                v[c] += v[d], v[b] = turn(v[b] ^ v[c], four_);                                                      \
            }                                                                                                       \
        }                                                                                                           \
        for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];                                                        \
    }                                                                                                               \
    void name(bytes data, size_t size, int length, uint8_t *out) {                                                  \
        enum { WIDE = 16 * sizeof(type) };                                                                          \
        type h[8];                                                                                                  \
        uint8_t rest[WIDE] = {0};                                                                                   \
        uint64_t read = 0;                                                                                          \
        for (int i = 0; i < 8; i++) h[i] = (type)(start);                                                           \
        h[0] ^= (type)(0x01010000 ^ (unsigned)length);                                                              \
        for (; size > WIDE; data += WIDE, size -= WIDE) name##_block(h, data, read += WIDE, false);                 \
        if (size) memcpy(rest, data, size);                                                                         \
        name##_block(h, rest, read + size, true);                                                                   \
        memcpy(out, h, (size_t)length);                                                                             \
    }

BLAKE2(blake2b, uint64_t, load8, right8, 32, 24, 16, 63, 12, SHA2_START[i])
BLAKE2(blake2s, uint32_t, load4, right, 16, 12, 8, 7, 10, SHA2_START[i] >> 32)
