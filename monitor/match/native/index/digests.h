/* Digests that apps turn personal data into, as `variants.digests` names them. */

#ifndef DIGESTS_H
#define DIGESTS_H

#include "tables.h"

enum { /* those that are in use everywhere first */
    MD5, SHA1, SHA256, SHA512, SHA224, SHA384, SHA512_256, SM3, RIPEMD160,
    SHA3_224, SHA3_256, SHA3_384, SHA3_512, SHAKE128, SHAKE256, /* sponges.c */
    DIGESTS
};

/* Writes up to 64 bytes; how many. */
int digest(int kind, bytes data, size_t size, uint8_t *out);

#endif
