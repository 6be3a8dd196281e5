/* Digests that apps turn personal data into, as `variants.digests` names them. */

#ifndef DIGESTS_H
#define DIGESTS_H

#include "tables.h"

enum { /* those that are in use everywhere first */
    MD5, SHA1, SHA256, SHA512, SHA224, SHA384, SHA512_256, SM3, RIPEMD160, /* digests.c */
    SHA3_224, SHA3_256, SHA3_384, SHA3_512, SHAKE128, SHAKE256, /* sponges.c */
    DIGESTS
};

/* Writes up to 64 bytes; how many. */
int digest(int kind, bytes data, size_t size, uint8_t *out);
int sponge(int kind, bytes data, size_t size, uint8_t *out);
void blake2b(bytes data, size_t size, int length, uint8_t *out);
void blake2s(bytes data, size_t size, int length, uint8_t *out);

/* checksums.c */
enum { CHECKSUMS = 4 };
void checksums_of(bytes data, size_t size, uint32_t out[CHECKSUMS]);
void murmur3_128(bytes data, size_t size, uint8_t *out);
size_t units_of(bytes data, size_t size, bool big, uint8_t *out);

static inline uint32_t left(uint32_t x, int by) { return x << by | x >> (32 - by); }
static inline uint32_t right(uint32_t x, int by) { return x >> by | x << (32 - by); }
static inline uint64_t left8(uint64_t x, int by) { return x << by | x >> (64 - by); }
static inline uint64_t right8(uint64_t x, int by) { return x >> by | x << (64 - by); }

static inline uint32_t big4(bytes at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

extern const uint64_t SHA2_START[16]; /* of SHA-512, then of SHA-384; of BLAKE2 as well */
extern const uint64_t SHA2_ROUNDS[80]; /* the upper halves of the first 64 are those of SHA-256 */

typedef union {
    uint32_t four[8];
    uint64_t eight[8];
} state;

/* sha_x86.c: one block more, where the processor can */
bool has_sha(void);
void sha1_x86(state *s, bytes at);
void sha256_x86(state *s, bytes at);

#endif
