/* SHA-3 and BLAKE2. */

#ifndef SPONGES_H
#define SPONGES_H

#include "tables.h"

/* SHA-3 and SHAKE: writes 64 bytes. rate: bytes of a block; suffix: the bits behind the data, which tell the two apart. */
void sponge(bytes data, size_t size, size_t rate, uint8_t suffix, uint8_t *out);
void blake2b(bytes data, size_t size, int length, uint8_t *out);
void blake2s(bytes data, size_t size, int length, uint8_t *out);

#endif
