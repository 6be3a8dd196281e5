/* The bytes of a short text by their kinds, one bit each: loops over bits need not guess where a text ends. */

#ifndef BITS_H
#define BITS_H

#include "letters.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { WIDTH = 64 };

typedef struct {
    uint64_t letter, upper, digit, high, blank, control; /* letter: of both cases; blank: spaces; control: what no text has */
    uint64_t hex, some;                              /* hex digits; the digits of base32 */
} masks;

static inline int first_of(uint64_t mask) { return __builtin_ctzll(mask); }

/* Bits from a position on, for a number of positions. */
static inline uint64_t some_bits(int64_t first, int64_t number) {
    return (number >= 64 ? ~0ull : (1ull << number) - 1) << first;
}

static inline int number_of(uint64_t mask) { return __builtin_popcountll(mask); }

/* Where at least `number` set bits in a row begin; `number` is at most 16. */
static inline uint64_t rows_of(uint64_t mask, int number) {
    int have = 1;
    for (; 2 * have <= number; have *= 2) mask &= mask >> have;
    return have < number ? mask & mask >> (number - have) : mask;
}

/* The first bit of each row. */
static inline uint64_t begins(uint64_t mask) { return mask & ~(mask << 1); }

#ifdef __SSE2__
static inline __m128i between(__m128i v, uint8_t first, uint8_t number) {
    __m128i off = _mm_sub_epi8(v, _mm_set1_epi8((char)first));
    return _mm_cmpeq_epi8(_mm_min_epu8(off, _mm_set1_epi8((char)(number - 1))), off);
}
static inline __m128i control(__m128i v) { return _mm_or_si128(between(v, 0, 9), between(v, 14, 18)); }
static inline __m128i same_as(__m128i v, uint8_t byte) { return _mm_cmpeq_epi8(v, _mm_set1_epi8((char)byte)); }
static inline uint64_t bits_of(__m128i v) { return (uint32_t)_mm_movemask_epi8(v); }

static inline void masks_of_16(masks *m, __m128i v, int shift, uint8_t *lower) {
    __m128i small = _mm_or_si128(v, _mm_set1_epi8(32)), letter = between(small, 'a', 26);
    _mm_storeu_si128((__m128i *)(lower + shift), _mm_or_si128(v, _mm_and_si128(letter, _mm_set1_epi8(32))));
    m->letter |= bits_of(letter) << shift;
    m->hex |= bits_of(between(small, 'a', 6)) << shift;
    m->some |= bits_of(between(v, '2', 6)) << shift;
    m->upper |= (bits_of(_mm_slli_epi16(v, 2)) ^ 0xFFFF) << shift;
    m->digit |= bits_of(between(v, '0', 10)) << shift;
    m->high |= bits_of(v) << shift;
    m->blank |= bits_of(_mm_cmpeq_epi8(v, _mm_set1_epi8(' '))) << shift;
    m->control |= bits_of(control(v)) << shift;
}
#endif

/* The masks of up to 64 bytes; those up to `end` may be read. `lower` has room for 64 bytes, for the same in lower
   case. */
static inline masks masks_of(bytes data, int64_t size, bytes end, uint8_t *lower) {
    masks m = {0};
    uint64_t all = some_bits(0, size);
#ifdef __SSE2__
    uint8_t copy[WIDTH];
    int64_t need = size > 16 ? (size + 15) & ~15ll : 16; /* even for no bytes, sixteen are read */
    if (data + need > end) {
        memset(copy, 0, sizeof copy);
        memcpy(copy, data, (size_t)size);
        data = copy;
    }
    masks_of_16(&m, _mm_loadu_si128((const __m128i *)data), 0, lower);
    if (size > 16) {
        masks_of_16(&m, _mm_loadu_si128((const __m128i *)(data + 16)), 16, lower);
        if (size > 32) {
            masks_of_16(&m, _mm_loadu_si128((const __m128i *)(data + 32)), 32, lower);
            if (size > 48) masks_of_16(&m, _mm_loadu_si128((const __m128i *)(data + 48)), 48, lower);
        }
    }
#else
    (void)end;
    for (int64_t at = 0; at < size; at++) {
        uint64_t bit = 1ull << at;
        uint8_t byte = data[at];
        lower[at] = lowered(byte);
        if (is_letter(byte)) m.letter |= bit;
        if (HEX[byte] != 255) m.hex |= bit;
        if ('2' <= byte && byte <= '7') m.some |= bit;
        if (!(byte & 32)) m.upper |= bit;
        if (is_digit(byte)) m.digit |= bit;
        if (byte >= 0x80) m.high |= bit;
        if (byte == ' ') m.blank |= bit;
        if (CLASS[byte] & CONTROL) m.control |= bit;
    }
#endif
    m.letter &= all, m.upper &= m.letter, m.digit &= all, m.hex = (m.hex | m.digit) & all, m.some &= all, m.high &= all, m.blank &= all, m.control &= all;
    return m;
}

/* The positions of one byte in up to 64 bytes, all of which may be read. */
static inline uint64_t where(bytes data, int64_t size, uint8_t byte) {
    uint64_t found = 0;
#ifdef __SSE2__
    for (int at = 0; at < size; at += 16)
        found |= bits_of(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(data + at)), _mm_set1_epi8((char)byte))) << at;
#else
    for (int64_t at = 0; at < size; at++) found |= (uint64_t)(data[at] == byte) << at;
#endif
    return found & some_bits(0, size);
}

/* Decode pairs of hex digits; sixteen digits beyond them may be read, and eight bytes beyond the output written. */
static inline void from_hex(uint8_t *out, bytes data, int64_t pairs) {
#ifdef __SSE2__
    for (int64_t at = 0; at < pairs; at += 8) {
        __m128i v = _mm_loadu_si128((const __m128i *)(data + 2 * at));
        __m128i high = _mm_and_si128(_mm_srli_epi16(v, 6), _mm_set1_epi8(1)); /* of letters */
        __m128i digit = _mm_add_epi8(_mm_and_si128(v, _mm_set1_epi8(15)), _mm_add_epi8(_mm_slli_epi16(high, 3), high));
        __m128i both = _mm_or_si128(_mm_and_si128(_mm_slli_epi16(digit, 4), _mm_set1_epi16(0xF0)), _mm_srli_epi16(digit, 8));
        _mm_storel_epi64((__m128i *)(out + at), _mm_packus_epi16(both, both));
    }
#else
    for (int64_t at = 0; at < pairs; at++) out[at] = (uint8_t)(HEX[data[2 * at]] << 4 | HEX[data[2 * at + 1]]);
#endif
}

/* The flags in CLASS of all bytes together. */
static inline uint32_t kinds_of(const masks *m, bytes data, int64_t size) {
    uint32_t kinds = 0;
    if (m->letter & ~m->upper) kinds |= LOWER;
    if (m->upper) kinds |= UPPER;
    if (m->digit) kinds |= DIGIT;
    if (m->high) kinds |= HIGH;
    if (m->blank) kinds |= CLASS[' '];
    for (uint64_t other = some_bits(0, size) & ~(m->letter | m->digit | m->high | m->blank); other; other &= other - 1)
        kinds |= CLASS[data[first_of(other)]];
    return kinds;
}

/* Whether up to 64 bytes, of which 64 may be read, may be text: true for all text, and for overlong UTF-8. */
static inline bool may_be_text(bytes data, int64_t size) {
#ifdef __SSE2__
    uint64_t bad = 0, follows = 0, two = 0, three = 0, four = 0, high = 0, all = some_bits(0, size);
    for (int at = 0; at < size; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(data + at));
        bad |= bits_of(control(v)) << at;
        follows |= bits_of(_mm_cmplt_epi8(v, _mm_set1_epi8(-64))) << at;
        two |= bits_of(between(v, 0xC2, 0x33)) << at;
        three |= bits_of(between(v, 0xE0, 0x15)) << at;
        four |= bits_of(between(v, 0xF0, 5)) << at;
        high |= bits_of(v) << at;
    }
    uint64_t wanted = (two & all) << 1 | (three & all) << 2 | (four & all) << 3;
    return !(((bad | (high & ~(follows | two)) | (follows ^ wanted)) & all) | (wanted & ~all));
#else
    return is_text(data, size);
#endif
}

/* Any number of bytes in lower case. */
static inline void lower_case(uint8_t *out, bytes data, int64_t size) {
    int64_t at = 0;
#ifdef __SSE2__
    for (; at + 16 <= size; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(data + at));
        v = _mm_or_si128(v, _mm_and_si128(between(v, 'A', 26), _mm_set1_epi8(32)));
        _mm_storeu_si128((__m128i *)(out + at), v);
    }
#endif
    for (; at < size; at++) out[at] = lowered(data[at]);
}

/* Whether two texts of four to 64 bytes are equal. */
static inline bool same_bytes(bytes one, bytes other, int64_t size) {
    if (size < 8) return load4(one) == load4(other) && load4(one + size - 4) == load4(other + size - 4);
    for (int64_t at = 0; at + 8 < size; at += 8)
        if (load8(one + at) != load8(other + at)) return false;
    return load8(one + size - 8) == load8(other + size - 8);
}

#endif
