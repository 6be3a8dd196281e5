/* SHA-1 and SHA-256 of one block more, where the processor can. */

#ifndef SHA_X86_H
#define SHA_X86_H

#include "sha2.h"

typedef union {
    uint32_t four[8];
    uint64_t eight[8];
} state;

bool has_sha(void);
void sha1_x86(state *s, bytes at);
void sha256_x86(state *s, bytes at);

#endif
