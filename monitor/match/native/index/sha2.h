/* What SHA-2 is made of; BLAKE2 begins with the same numbers. */

#ifndef SHA2_H
#define SHA2_H

#include "tables.h"

extern const uint64_t SHA2_START[16]; /* of SHA-512, then of SHA-384; of BLAKE2 as well */
extern const uint64_t SHA2_ROUNDS[80]; /* the upper halves of the first 64 are those of SHA-256 */

#endif
