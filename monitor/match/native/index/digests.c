/* Digests that read block by block: RFC 1321 (MD5), FIPS 180-4 (SHA-1, SHA-2), GB/T 32905 (SM3), RIPEMD-160. The
   values of one recording are short and many: what counts here is that a call costs nothing but its blocks. */

#include "digests.h"
#include "rotations.h"
#include "sha_x86.h"
#include "sponges.h"

static const uint64_t SHA512_256_START[8] = {
    0x22312194FC2BF72C, 0x9F555FA3C84C64C2, 0x2393B86B6F53B151, 0x963877195940EABD,
    0x96283EE2A88EFFE3, 0xBE5E1E2553863992, 0x2B0199FC2C85B8AA, 0x0EB72DDC81C52CA2,
};

typedef void block(state *s, bytes at);

/* The blocks of some data, then what is left with the bit and the length behind it. */
static inline void each(block *of, state *s, bytes data, size_t size, size_t wide, bool big) {
    size_t whole = size / wide * wide, rest = size - whole;
    for (size_t at = 0; at < whole; at += wide) of(s, data + at);
    uint8_t last[256] = {0};
    if (rest) memcpy(last, data + whole, rest);
    last[rest] = 0x80;
    size_t end = rest + 1 + wide / 8 > wide ? 2 * wide : wide;
    for (int i = 0; i < 8; i++) last[big ? end - 1 - (size_t)i : end - 8 + (size_t)i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
    for (size_t at = 0; at < end; at += wide) of(s, last + at);
}

static int written(const state *s, int words, bool wide, bool big, uint8_t *out) {
    int width = wide ? 8 : 4;
    for (int at = 0; at < words * width; at++) {
        uint64_t word = wide ? s->eight[at / 8] : s->four[at / 4];
        int byte = at % width;
        out[at] = (uint8_t)(word >> 8 * (big ? width - 1 - byte : byte));
    }
    return words * width;
}

static void md5_block(state *s, bytes at) {
    static const uint32_t rounds[64] = {
        0xD76AA478, 0xE8C7B756, 0x242070DB, 0xC1BDCEEE, 0xF57C0FAF, 0x4787C62A, 0xA8304613, 0xFD469501,
        0x698098D8, 0x8B44F7AF, 0xFFFF5BB1, 0x895CD7BE, 0x6B901122, 0xFD987193, 0xA679438E, 0x49B40821,
        0xF61E2562, 0xC040B340, 0x265E5A51, 0xE9B6C7AA, 0xD62F105D, 0x02441453, 0xD8A1E681, 0xE7D3FBC8,
        0x21E1CDE6, 0xC33707D6, 0xF4D50D87, 0x455A14ED, 0xA9E3E905, 0xFCEFA3F8, 0x676F02D9, 0x8D2A4C8A,
        0xFFFA3942, 0x8771F681, 0x6D9D6122, 0xFDE5380C, 0xA4BEEA44, 0x4BDECFA9, 0xF6BB4B60, 0xBEBFBC70,
        0x289B7EC6, 0xEAA127FA, 0xD4EF3085, 0x04881D05, 0xD9D4D039, 0xE6DB99E5, 0x1FA27CF8, 0xC4AC5665,
        0xF4292244, 0x432AFF97, 0xAB9423A7, 0xFC93A039, 0x655B59C3, 0x8F0CCC92, 0xFFEFF47D, 0x85845DD1,
        0x6FA87E4F, 0xFE2CE6E0, 0xA3014314, 0x4E0811A1, 0xF7537E82, 0xBD3AF235, 0x2AD7D2BB, 0xEB86D391,
    };
    static const uint8_t turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t a = s->four[0], b = s->four[1], c = s->four[2], d = s->four[3];
#pragma GCC unroll 64
    for (int i = 0; i < 64; i++) {
        int kind = i / 16, word = (kind == 0 ? i : kind == 1 ? 5 * i + 1 : kind == 2 ? 3 * i + 5 : 7 * i) & 15;
        uint32_t f = kind == 0 ? d ^ (b & (c ^ d)) : kind == 1 ? c ^ (d & (b ^ c)) : kind == 2 ? b ^ c ^ d : c ^ (b | ~d);
        uint32_t sum = a + f + rounds[i] + load4(at + 4 * word);
        a = d, d = c, c = b, b += left(sum, turns[kind][i % 4]);
    }
    s->four[0] += a, s->four[1] += b, s->four[2] += c, s->four[3] += d;
}

static void sha1_block(state *s, bytes at) {
    static const uint32_t rounds[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    uint32_t w[80], a = s->four[0], b = s->four[1], c = s->four[2], d = s->four[3], e = s->four[4];
    for (int i = 0; i < 16; i++) w[i] = big4(at + 4 * i);
    for (int i = 16; i < 80; i++) w[i] = left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
#pragma GCC unroll 80
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? d ^ (b & (c ^ d)) : i >= 40 && i < 60 ? (b & c) | (d & (b | c)) : b ^ c ^ d;
        uint32_t sum = left(a, 5) + f + e + rounds[i / 20] + w[i];
        e = d, d = c, c = left(b, 30), b = a, a = sum;
    }
    s->four[0] += a, s->four[1] += b, s->four[2] += c, s->four[3] += d, s->four[4] += e;
}

/* One round of SHA-2, the eight words turned by one. */
#define SHA2_ROUND(type, turn, one, two, three, four_, five, six)                                                   \
    type first = v[7] + (turn(v[4], one) ^ turn(v[4], two) ^ turn(v[4], three)) + (v[6] ^ (v[4] & (v[5] ^ v[6])));   \
    first += (type)(SHA2_ROUNDS[i] >> (64 - 8 * sizeof(type))) + w[i];                                              \
    type second = (turn(v[0], four_) ^ turn(v[0], five) ^ turn(v[0], six)) + ((v[0] & v[1]) | (v[2] & (v[0] | v[1]))); \
    v[7] = v[6], v[6] = v[5], v[5] = v[4], v[4] = v[3] + first, v[3] = v[2], v[2] = v[1], v[1] = v[0], v[0] = first + second;

static void sha256_block(state *s, bytes at) {
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++) w[i] = big4(at + 4 * i);
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + (right(w[i - 15], 7) ^ right(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
               (right(w[i - 2], 17) ^ right(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(v, s->four, sizeof v);
#pragma GCC unroll 8
    for (int i = 0; i < 64; i++) {
        SHA2_ROUND(uint32_t, right, 6, 11, 25, 2, 13, 22)
    }
    for (int i = 0; i < 8; i++) s->four[i] += v[i];
}

static void sha512_block(state *s, bytes at) {
    uint64_t w[80], v[8];
    for (int i = 0; i < 16; i++) w[i] = (uint64_t)big4(at + 8 * i) << 32 | big4(at + 8 * i + 4);
    for (int i = 16; i < 80; i++)
        w[i] = w[i - 16] + (right8(w[i - 15], 1) ^ right8(w[i - 15], 8) ^ w[i - 15] >> 7) + w[i - 7] +
               (right8(w[i - 2], 19) ^ right8(w[i - 2], 61) ^ w[i - 2] >> 6);
    memcpy(v, s->eight, sizeof v);
#pragma GCC unroll 8
    for (int i = 0; i < 80; i++) {
        SHA2_ROUND(uint64_t, right8, 14, 18, 41, 28, 34, 39)
    }
    for (int i = 0; i < 8; i++) s->eight[i] += v[i];
}

static void sm3_block(state *s, bytes at) {
    uint32_t w[68], v[8];
    for (int i = 0; i < 16; i++) w[i] = big4(at + 4 * i);
    for (int i = 16; i < 68; i++) {
        uint32_t x = w[i - 16] ^ w[i - 9] ^ left(w[i - 3], 15);
        w[i] = x ^ left(x, 15) ^ left(x, 23) ^ left(w[i - 13], 7) ^ w[i - 6];
    }
    memcpy(v, s->four, sizeof v);
#pragma GCC unroll 8
    for (int i = 0; i < 64; i++) {
        uint32_t round = i < 16 ? 0x79CC4519 : 0x7A879D8A;
        uint32_t ss1 = left(left(v[0], 12) + v[4] + (i % 32 ? left(round, i % 32) : round), 7), ss2 = ss1 ^ left(v[0], 12);
        uint32_t f = i < 16 ? v[0] ^ v[1] ^ v[2] : (v[0] & v[1]) | (v[2] & (v[0] | v[1]));
        uint32_t g = i < 16 ? v[4] ^ v[5] ^ v[6] : v[6] ^ (v[4] & (v[5] ^ v[6]));
        uint32_t one = f + v[3] + ss2 + (w[i] ^ w[i + 4]), two = g + v[7] + ss1 + w[i];
        v[3] = v[2], v[2] = left(v[1], 9), v[1] = v[0], v[0] = one;
        v[7] = v[6], v[6] = left(v[5], 19), v[5] = v[4], v[4] = two ^ left(two, 9) ^ left(two, 17);
    }
    for (int i = 0; i < 8; i++) s->four[i] ^= v[i];
}

static uint32_t ripemd_mixed(int kind, uint32_t x, uint32_t y, uint32_t z) {
    switch (kind) {
    case 0: return x ^ y ^ z;
    case 1: return z ^ (x & (y ^ z));
    case 2: return (x | ~y) ^ z;
    case 3: return y ^ (z & (x ^ y));
    default: return x ^ (y | ~z);
    }
}

static void ripemd160_block(state *s, bytes at) {
    static const uint32_t rounds[2][5] = {{0, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E},
                                          {0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0}};
    static const uint8_t words[2][80] = {
        {0, 1, 2,  3,  4,  5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 7, 4, 13, 1, 10, 6,  15, 3,  12, 0, 9,
         5, 2, 14, 11, 8,  3, 10, 14, 4, 9, 15, 8, 1, 2,  7,  0,  6, 13, 11, 5, 12, 1, 9,  11, 10, 0, 8,
         12, 4, 13, 3, 7, 15, 14, 5, 6, 2, 4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13},
        {5, 14, 7,  0,  9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12, 6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8,
         12, 4, 9, 1, 2, 15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13, 8, 6, 4, 1, 3, 11,
         15, 0, 5, 12, 2, 13, 9, 7, 10, 14, 12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11}};
    static const uint8_t turns[2][80] = {
        {11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8, 7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15,
         9, 11, 7, 13, 12, 11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5, 11, 12, 14, 15, 14, 15,
         9, 8, 9, 14, 5, 6, 8, 6, 5, 12, 9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6},
        {8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6, 9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12,
         7, 6, 15, 13, 11, 9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5, 15, 5, 8, 11, 14, 14,
         6, 14, 6, 9, 12, 9, 12, 5, 15, 8, 8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11}};
    uint32_t v[2][5];
    for (int side = 0; side < 2; side++) {
        uint32_t a = s->four[0], b = s->four[1], c = s->four[2], d = s->four[3], e = s->four[4];
        for (int i = 0; i < 80; i++) {
            uint32_t f = ripemd_mixed(side ? 4 - i / 16 : i / 16, b, c, d);
            uint32_t sum = left(a + f + load4(at + 4 * words[side][i]) + rounds[side][i / 16], turns[side][i]) + e;
            a = e, e = d, d = left(c, 10), c = b, b = sum;
        }
        v[side][0] = a, v[side][1] = b, v[side][2] = c, v[side][3] = d, v[side][4] = e;
    }
    uint32_t first = s->four[1] + v[0][2] + v[1][3];
    for (int i = 1; i < 4; i++) s->four[i] = s->four[i + 1] + v[0][(i + 2) % 5] + v[1][(i + 3) % 5];
    s->four[4] = s->four[0] + v[0][1] + v[1][2];
    s->four[0] = first;
}

int digest(int kind, bytes data, size_t size, uint8_t *out) {
    static const state common = {{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}};
    static const state sm3 = {{0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E}};
    state s = common;
    switch (kind) {
    case MD5:
        each(md5_block, &s, data, size, 64, false);
        return written(&s, 4, false, false, out);
    case SHA1:
        each(has_sha() ? sha1_x86 : sha1_block, &s, data, size, 64, true);
        return written(&s, 5, false, true, out);
    case RIPEMD160:
        each(ripemd160_block, &s, data, size, 64, false);
        return written(&s, 5, false, false, out);
    case SM3:
        s = sm3;
        each(sm3_block, &s, data, size, 64, true);
        return written(&s, 8, false, true, out);
    case SHA256:
    case SHA224:
        for (int i = 0; i < 8; i++) s.four[i] = (uint32_t)(kind == SHA256 ? SHA2_START[i] >> 32 : SHA2_START[8 + i]);
        each(has_sha() ? sha256_x86 : sha256_block, &s, data, size, 64, true);
        return written(&s, kind == SHA256 ? 8 : 7, false, true, out);
    case SHA512:
    case SHA384:
    case SHA512_256:
        memcpy(s.eight, kind == SHA512 ? SHA2_START : kind == SHA384 ? SHA2_START + 8 : SHA512_256_START, sizeof s.eight);
        each(sha512_block, &s, data, size, 128, true);
        return written(&s, kind == SHA512 ? 8 : kind == SHA384 ? 6 : 4, true, true, out);
    default: { /* SHA-3, SHAKE */
        static const uint8_t lengths[] = {28, 32, 48, 64, 64, 64}, rates[] = {144, 136, 104, 72, 168, 136};
        sponge(data, size, rates[kind - SHA3_224], kind == SHAKE128 || kind == SHAKE256 ? 0x1F : 0x06, out);
        return lengths[kind - SHA3_224];
    }
    }
}
