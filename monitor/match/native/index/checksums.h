/* Checksums and UTF-16. */

#ifndef CHECKSUMS_H
#define CHECKSUMS_H

#include "tables.h"

enum { CHECKSUMS = 4 };
void checksums_of(bytes data, size_t size, uint32_t out[CHECKSUMS]);
void murmur3_128(bytes data, size_t size, uint8_t *out);
size_t units_of(bytes data, size_t size, bool big, uint8_t *out);

#endif
