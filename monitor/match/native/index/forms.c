/* Enters what a value may stand as: of each of its normal forms the encodings and the digests that `variants` names. It
   must name the same, for what is found is explained by it; a test holds the two against each other. */

#include "checksums.h"
#include "digests.h"
#include "sponges.h"
#include <stdio.h>

/* What is made of a form; as in `variants.entering`. */
enum {
    TEXT = 1,      /* it may stand in any text */
    CODED = 2,     /* and in UTF-16 and in base64 at any alignment */
    RAW = 4,       /* these very bytes may stand in data that is no text */
    USUAL = 8,     /* the digests that are in use everywhere */
    ALL = 16,      /* and the others */
    DOUBLED = 32,  /* and digests of digests */
    COMMON = 64,   /* the three that are taken of bytes and in other charsets */
    CHARSETS = 128, /* those of it as UTF-16 */
    COMPOSED = 256, /* rare digests */
    SUMS = 512,    /* checksums as numbers in a text, and as bytes */
    GIVEN = 1024,  /* UUIDs of names, FNV-1a, digests of it in quotes and as a line */
};
enum { WORDS = 128, THREE = 3 }; /* a form has about a hundred digests; MD5, SHA-1 and SHA-256 are taken of much */

typedef struct {
    grams *texts, *raw;
    table *digests;
    uint32_t slot;
    uint8_t *room; /* five times the longest form, and some */
    uint8_t words[8 * WORDS];
    int64_t filled, made;
} entering;

static void word(entering *e, bytes first) {
    if (e->filled < WORDS) memcpy(e->words + 8 * e->filled++, first, 8);
}

static void digest_word(entering *e, int kind, bytes data, size_t size) {
    uint8_t out[64];
    digest(kind, data, size, out);
    word(e, out);
}

static void three(entering *e, bytes data, size_t size) {
    for (int kind = MD5; kind < THREE; kind++) digest_word(e, kind, data, size);
}

static size_t hex_of(bytes data, int size, bool upper, uint8_t *out) {
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    for (int at = 0; at < size; at++) out[2 * at] = (uint8_t)digits[data[at] >> 4], out[2 * at + 1] = (uint8_t)digits[data[at] & 15];
    return 2 * (size_t)size;
}

static size_t base64_of(bytes data, size_t size, uint8_t *out) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t made = 0;
    for (size_t at = 0; at < size; at += 3) {
        size_t some = size - at < 3 ? size - at : 3;
        uint32_t bits = (uint32_t)data[at] << 16 | (some > 1 ? (uint32_t)data[at + 1] << 8 : 0) | (some > 2 ? data[at + 2] : 0);
        for (size_t i = 0; i < 4; i++) out[made++] = i > some ? '=' : (uint8_t)letters[bits >> (18 - 6 * i) & 63];
    }
    return made;
}

static size_t percent_of(bytes data, size_t size, uint8_t *out) {
    size_t made = 0;
    for (size_t at = 0; at < size; at++) {
        uint8_t byte = data[at];
        out[made++] = byte;
        if (sort_of(byte) == 1 || is_digit(byte) || byte == '_' || byte == '.' || byte == '-' || byte == '~') continue;
        out[made - 1] = '%';
        made += hex_of(&byte, 1, true, out + made);
    }
    return made;
}

/* `variants.digests.of`. */
static void digests_of(entering *e, bytes data, size_t size, int what) {
    static const int others[] = {SHA224, SHA384, SHA512_256, SM3, RIPEMD160, SHA3_224, SHA3_256, SHA3_384, SHA3_512};
    uint8_t plain[THREE][64], out[64], hex[128];
    int lengths[THREE];
    for (int kind = MD5; kind < THREE; kind++) lengths[kind] = digest(kind, data, size, plain[kind]), word(e, plain[kind]);
    digest_word(e, SHA512, data, size);
    word(e, plain[MD5] + 4); /* its middle half */
    if (!(what & (ALL | DOUBLED))) return;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) digest_word(e, others[i], data, size);
    blake2b(data, size, 64, out), word(e, out);
    blake2b(data, size, 32, out), word(e, out);
    blake2s(data, size, 32, out), word(e, out);
    memcpy(out, plain[MD5], 16), out[6] = (out[6] & 0x0F) | 0x30, word(e, out); /* a UUID of version 3 */
    if (!(what & DOUBLED)) return;
    for (int inner = MD5; inner < THREE; inner++) {
        for (int upper = 0; upper < 2; upper++) three(e, hex, hex_of(plain[inner], lengths[inner], upper, hex));
        digest_word(e, inner, plain[inner], (size_t)lengths[inner]);
    }
}

/* `variants.composed.of`. */
static void composed_of(entering *e, bytes data, size_t size) {
    static const int lengths_b[] = {16, 20, 28, 48}, lengths_s[] = {16, 20}, same[] = {SM3, SHA3_256};
    uint8_t raw[64], hex[128], out[64], coded[96];
    for (int inner = MD5; inner < THREE; inner++) {
        int length = digest(inner, data, size, raw);
        if (inner == MD5) {
            word(e, raw + 8);
            digest(MD5, hex, hex_of(raw, 16, false, hex), out);
            digest_word(e, MD5, hex, hex_of(out, 16, false, hex));
        }
        if (inner == SHA256) word(e, raw + length - 8);
        size_t letters = base64_of(raw, (size_t)length, coded);
        for (int outer = MD5; outer < THREE; outer++) {
            digest_word(e, outer, coded, letters);
            if (outer != inner) digest_word(e, outer, raw, (size_t)length);
        }
    }
    digest(SHA512, data, size, raw);
    for (int outer = MD5; outer <= SHA512; outer++) digest_word(e, outer, hex, hex_of(raw, 64, false, hex));
    for (int i = 0; i < 2; i++) {
        int length = digest(same[i], data, size, raw);
        digest_word(e, same[i], hex, hex_of(raw, length, false, hex));
    }
    for (int i = 0; i < 4; i++) blake2b(data, size, lengths_b[i], out), word(e, out);
    for (int i = 0; i < 2; i++) blake2s(data, size, lengths_s[i], out), word(e, out);
    digest_word(e, SHAKE128, data, size), digest_word(e, SHAKE256, data, size);
    murmur3_128(data, size, out), word(e, out);
    three(e, e->room, base64_of(data, size, e->room));
    size_t escaped = percent_of(data, size, e->room);
    if (escaped != size) three(e, e->room, escaped);
}

static void sum_words(entering *e, bytes data, size_t size) {
    uint32_t sums[CHECKSUMS];
    checksums_of(data, size, sums);
    for (int i = 0; i < CHECKSUMS; i++) {
        uint8_t four_bytes[8] = {(uint8_t)(sums[i] >> 24), (uint8_t)(sums[i] >> 16), (uint8_t)(sums[i] >> 8), (uint8_t)sums[i]};
        word(e, four_bytes);
    }
}

/* `variants.composed.given`. */
static void given_of(entering *e, bytes data, size_t size) {
    static const uint8_t space[] = {0x6B, 0xA7, 0xB8, 0x10, 0x9D, 0xAD, 0x11, 0xD1, 0x80, 0xB4, 0, 0xC0, 0x4F, 0xD4, 0x30, 0xC8};
    uint8_t out[64];
    memcpy(e->room, space, 16), memcpy(e->room + 16, data, size);
    for (int number = 0; number < 3; number++, e->room[3]++) /* of DNS, URLs and OIDs */
        for (int kind = MD5; kind <= SHA1; kind++) {
            digest(kind, e->room, 16 + size, out);
            out[6] = (uint8_t)((out[6] & 0x0F) | (kind == MD5 ? 0x30 : 0x50)), word(e, out);
        }
    uint64_t sum = 0xCBF29CE484222325;
    for (size_t at = 0; at < size; at++) sum = (sum ^ data[at]) * 0x100000001B3;
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(sum >> (56 - 8 * i));
    word(e, out);
    e->room[0] = '"', memcpy(e->room + 1, data, size), e->room[size + 1] = '"';
    three(e, e->room, size + 2);
    e->room[size + 1] = '\n';
    three(e, e->room + 1, size + 1);
}

/* Enter a text, which is made small where it stands. */
static bool text(entering *e, grams *of, uint8_t *at, size_t size, bool numbers) {
    for (size_t i = 0; i < size; i++) at[i] |= (uint8_t)(at[i] - 'A') < 26 ? 32 : 0;
    e->made++;
    return grams_add(of, at, (int)size, e->slot, numbers) >= 0;
}

static bool in_base64(entering *e, bytes data, size_t size) {
    static const size_t behind[] = {0, 2, 3};
    uint8_t *given = e->room + 3 * size + 32; /* with noughts before it, behind what it is turned into */
    for (size_t alignment = 0; alignment < 3; alignment++) {
        memset(given, 0, alignment), memcpy(given + alignment, data, size);
        base64_of(given, alignment + size, e->room);
        uint8_t *core = e->room + behind[alignment];
        size_t letters = (alignment + size) * 8 / 6 - behind[alignment];
        if (letters < 8) continue;
        memcpy(given, core, letters);
        bool other = false;
        for (size_t i = 0; i < letters; i++)
            if (core[i] == '+' || core[i] == '/') given[i] = core[i] == '+' ? '-' : '_', other = true;
        if (!text(e, e->texts, core, letters, false) || (other && !text(e, e->texts, given, letters, false))) return false;
    }
    return true;
}

static bool sums_of(entering *e, bytes data, size_t size) {
    uint32_t sums[CHECKSUMS];
    checksums_of(data, size, sums);
    for (int i = 0; i < CHECKSUMS; i++) {
        if (sums[i] <= 1u << 24) continue;
        char number[16];
        int length = snprintf(number, sizeof number, "%lld", (long long)sums[i]);
        if (!text(e, e->texts, (uint8_t *)number, (size_t)length, true)) return false;
        length = snprintf(number, sizeof number, "%lld", (long long)sums[i] - (1ll << 32));
        if (sums[i] >> 31 && !text(e, e->texts, (uint8_t *)number, (size_t)length, true)) return false;
        length = snprintf(number, sizeof number, "%08x", (unsigned)sums[i]);
        if (strspn(number, "0123456789") == 8 && !text(e, e->texts, (uint8_t *)number, (size_t)length, true)) return false;
    }
    return true;
}

static bool texts_of(entering *e, bytes data, size_t size, int what) {
    if (what & TEXT) {
        memcpy(e->room, data, size);
        if (!text(e, e->texts, e->room, size, true)) return false;
    }
    if (what & RAW) {
        memcpy(e->room, data, size);
        if (!text(e, e->raw, e->room, size, false)) return false;
    }
    if (what & CODED) {
        for (int big = 0; big < 2; big++)
            if (!text(e, e->raw, e->room, units_of(data, size, big, e->room), false)) return false;
        if (size >= 6 && !in_base64(e, data, size)) return false;
    }
    return !(what & SUMS) || sums_of(e, data, size);
}

/* Enter the forms of one value, which stand one behind the other in valid UTF-8, or as bytes where only RAW or COMMON is
   asked. of: the size of each, and what is made of it. How many patterns that is; -1 when there is no memory. */
PUBLIC int64_t forms_add(grams *texts, grams *raw, table *digests, bytes forms, const int32_t *of, int64_t number, uint32_t slot) {
    size_t longest = 0;
    for (int64_t i = 0; i < number; i++)
        if ((size_t)of[2 * i] > longest) longest = (size_t)of[2 * i];
    entering e = {.texts = texts, .raw = raw, .digests = digests, .slot = slot, .room = malloc(5 * longest + 128)};
    bool good = e.room != NULL;
    for (int64_t i = 0; i < number && good; forms += of[2 * i++]) {
        size_t size = (size_t)of[2 * i];
        int what = of[2 * i + 1];
        good = texts_of(&e, forms, size, what);
        if (what & (USUAL | ALL | DOUBLED)) digests_of(&e, forms, size, what);
        if (what & COMMON) three(&e, forms, size);
        if (what & CHARSETS)
            for (int big = 0; big < 2; big++) three(&e, e.room, units_of(forms, size, big, e.room));
        if (what & COMPOSED) composed_of(&e, forms, size);
        if (what & SUMS) sum_words(&e, forms, size);
        if (what & GIVEN) given_of(&e, forms, size);
        good = good && table_put_words(digests, e.words, e.filled, slot);
        e.made += e.filled, e.filled = 0;
    }
    free(e.room);
    return good ? e.made : -1;
}
