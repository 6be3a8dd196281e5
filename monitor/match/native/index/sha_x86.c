/* SHA-1 and SHA-256 by the instructions that x86 processors have for them: most digests that are
   taken of a value are one of the two. */

#include "sha_x86.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(PORTABLE) /* a test compiles it without */
#include <cpuid.h>
#include <immintrin.h>

#define WITH_SHA __attribute__((target("sha,ssse3,sse4.1")))

bool has_sha(void) {
    static int known; /* 1: no, 2: yes; two threads that ask at once get the same answer */
    unsigned a, b = 0, c, d;
    if (!known) known = 1 + (__get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA);
    return known == 2;
}

/* The sixteen words of a block, four in each, the first of them lowest. */
WITH_SHA static void words_of(bytes at, __m128i w[4]) {
    const __m128i turned = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    for (int i = 0; i < 4; i++) w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)at + i), turned);
}

/* The same with the first of them highest. */
WITH_SHA static __m128i backwards(__m128i w) { return _mm_shuffle_epi32(w, 0x1B); }

WITH_SHA static __m128i four_rounds(__m128i abcd, __m128i e, int kind) {
    switch (kind) { /* the instruction holds it */
    case 0: return _mm_sha1rnds4_epu32(abcd, e, 0);
    case 1: return _mm_sha1rnds4_epu32(abcd, e, 1);
    case 2: return _mm_sha1rnds4_epu32(abcd, e, 2);
    default: return _mm_sha1rnds4_epu32(abcd, e, 3);
    }
}

WITH_SHA void sha1_x86(state *s, bytes at) {
    __m128i w[4], abcd = backwards(_mm_loadu_si128((const __m128i *)s->four)), first = abcd, before = abcd;
    const __m128i e = _mm_set_epi32((int)s->four[4], 0, 0, 0);
    words_of(at, w);
    for (int i = 0; i < 4; i++) w[i] = backwards(w[i]);
#pragma GCC unroll 20
    for (int i = 0; i < 20; i++) {
        __m128i *now = w + i % 4;
        if (i > 3) *now = _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(*now, w[(i + 1) % 4]), w[(i + 2) % 4]), w[(i + 3) % 4]);
        __m128i added = i ? _mm_sha1nexte_epu32(before, *now) : _mm_add_epi32(e, *now);
        before = abcd, abcd = four_rounds(abcd, added, i / 5);
    }
    s->four[4] = (uint32_t)_mm_extract_epi32(_mm_sha1nexte_epu32(before, e), 3);
    _mm_storeu_si128((__m128i *)s->four, backwards(_mm_add_epi32(abcd, first)));
}

WITH_SHA void sha256_x86(state *s, bytes at) {
    uint32_t *v = s->four, out[8];
    __m128i w[4];
    __m128i abef = _mm_set_epi32((int)v[0], (int)v[1], (int)v[4], (int)v[5]);
    __m128i cdgh = _mm_set_epi32((int)v[2], (int)v[3], (int)v[6], (int)v[7]);
    words_of(at, w);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        __m128i *now = w + i % 4, last = w[(i + 3) % 4];
        if (i > 3) {
            __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(i + 1) % 4]), _mm_alignr_epi8(last, w[(i + 2) % 4], 4));
            *now = _mm_sha256msg2_epu32(sum, last);
        }
        const __m128 *rounds = (const __m128 *)(SHA2_ROUNDS + 4 * i); /* of each, the upper half */
        __m128 upper = _mm_shuffle_ps(_mm_loadu_ps((const float *)rounds), _mm_loadu_ps((const float *)(rounds + 1)), 0xDD);
        __m128i sum = _mm_add_epi32(*now, _mm_castps_si128(upper));
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
    }
    _mm_storeu_si128((__m128i *)out, abef), _mm_storeu_si128((__m128i *)(out + 4), cdgh);
    v[0] += out[3], v[1] += out[2], v[4] += out[1], v[5] += out[0];
    v[2] += out[7], v[3] += out[6], v[6] += out[5], v[7] += out[4];
}
#else
bool has_sha(void) { return false; }
void sha1_x86(state *s, bytes at) { (void)s, (void)at; }
void sha256_x86(state *s, bytes at) { (void)s, (void)at; }
#endif
