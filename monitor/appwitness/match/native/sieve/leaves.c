/* Whether a text, or decoded data, may hold anything. Decoded data is examined again, and all code for that is here;
   other files tell where something may be encoded, and decode it. */

#include "sift.h"
#include <math.h>

/* --- runs of letters, digits and +/_- --- */

static int base64_matters(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + 8 + WIDTH];
    if (size / 4 * 3 > LONGEST) return MATTERS;
    if (behind_letters(s, data, size)) return MATTERS;
    return decoded_matters(s, out, from_base64(out, data, size), depth + 1);
}

/* Hex beside other letters. */
static int hex_parts_matter(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + WIDTH];
    int said = DULL;
    for (span r = {0, 0}; !(said & MATTERS) && next_hex(data, size, &r);) {
        int64_t length = (r.stop - r.first) / 2;
        if (length > LONGEST) return MATTERS;
        from_any_hex(out, data + r.first, length);
        said |= decoded_matters(s, out, length, depth + 1);
    }
    return said;
}

static int starred_matters(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + WIDTH];
    int said = DULL;
    for (span r = {0, 0}; !(said & MATTERS) && next_starred(data, size, &r);) {
        if (r.stop - r.first > LONGEST) return MATTERS;
        if (unstarred(out, data, size, r)) said |= base64_matters(s, out, r.stop - r.first, depth);
    }
    return said;
}

static int base32_matters(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + WIDTH];
    int said = DULL;
    if (size > LONGEST) return MATTERS;
    for (int small = 0; small < 2; small++)
        for (span r = {0, 0}; next_base32(data, size, small, &r);)
            said |= decoded_matters(s, out, from_base32(out, data + r.first, r.stop - r.first), depth + 1);
    return said;
}

/* A run of letters, digits and +/_-, in each encoding that it may be. */
static int run_matters(sieve *s, bytes data, int64_t size, int depth) {
    int kinds = 0, said = DULL;
    int64_t hexadecimal = 0, at;
    for (at = 0; at < size; at++) kinds |= CLASS[data[at]], hexadecimal += HEX[data[at]] != 255;
    bool long_32 = size >= 16;
    if (long_32 && size <= WIDTH) {
        uint8_t lower[WIDTH];
        masks m = masks_of(data, size, data + size, lower);
        long_32 = rows_of(m.upper | m.some, 16) || rows_of((m.letter & ~m.upper) | m.some, 16);
    }
    if (long_32 && hexadecimal < size) {
        said |= base32_matters(s, data, size, depth);
        if (said & MATTERS) return said;
    }
    if (long_32 && hexadecimal == size) said |= base32_matters(s, data, size, depth);
    bool digits = !(kinds & (LOWER | UPPER | RUN_MARK));
    if (is_word(data, size) && !(digits && size >= 12 && size % 2 == 0)) return said;
    bool prefixed = size > 2 && data[0] == '0' && (data[1] | 32) == 'x' && hexadecimal == size - 1;
    bool odd = size % 2;
    if (hexadecimal == size || prefixed) {
        uint8_t out[LONGEST + WIDTH];
        bytes first = data + (prefixed ? 2 : odd);
        int64_t length = (size - (first - data)) / 2;
        if (length > LONGEST) return MATTERS;
        from_any_hex(out, first, length);
        bool skipped = digits && size < 40 && !odd && !(12 <= size && size <= 20) && !is_text(out, length);
        if (skipped) return said;
        if (!odd || size > 16) said |= decoded_matters(s, out, length, depth + 1);
        if (said & MATTERS || (size > 14 && !odd)) return said;
    } else if (odd && size > 16 && hexadecimal == size - 1 && HEX[data[0]] == 255) {
        uint8_t out[LONGEST + WIDTH];
        if (size / 2 > LONGEST) return MATTERS;
        from_any_hex(out, data + 1, size / 2);
        said |= decoded_matters(s, out, size / 2, depth + 1);
    }
    if (kinds & RUN_MARK || size >= 32) said |= hex_parts_matter(s, data, size, depth);
    if (said & MATTERS) return said;
    int marks = 0;
    for (at = 0; at < size; at++) marks |= data[at] == '+' || data[at] == '/' ? 1 : data[at] == '-' || data[at] == '_' ? 2 : 0;
    if (marks != 3) return said | base64_matters(s, data, size, depth);
    for (int pass = 1; pass < 3; pass++) { /* no single text uses both alphabets */
        int64_t first = 0;
        for (at = 0; at <= size; at++) {
            int mark = at == size ? pass : data[at] == '+' || data[at] == '/' ? 1 : data[at] == '-' || data[at] == '_' ? 2 : 0;
            if (mark != pass) continue;
            if (at - first >= 8) said |= base64_matters(s, data + first, at - first, depth);
            first = at + 1;
        }
    }
    return said;
}

/* A run in a text of up to 64 bytes: encodings that it cannot be are not tried. from_hex_digits: the bytes of the whole
   text, if it is all hex. */
static int few_run_matters(sieve *s, bytes data, int first, int length, const masks *m, bytes from_hex_digits, int depth) {
    uint64_t all = some_bits(first, length), letter = m->letter & all, capital = m->upper & all, some = m->some & all;
    if (letter == all && length < 16 && (capital == 0 || capital == all || capital == 1ull << first)) return DULL;
    bool long_32 = length >= 16 && (rows_of(capital | some, 16) || rows_of((letter & ~capital) | some, 16));
    if (!long_32 && length % 2 == 0 && length > 14 && letter && (m->hex & all) == all) { /* only hex */
        uint8_t out[WIDTH / 2 + WIDTH], digits[WIDTH + 16];
        if (from_hex_digits) return decoded_matters(s, from_hex_digits, length / 2, depth + 1);
        memcpy(digits, data + first, (size_t)length);
        from_hex(out, digits, length / 2);
        return decoded_matters(s, out, length / 2, depth + 1);
    }
    uint64_t dashes = 1ull << 8 | 1ull << 13 | 1ull << 18 | 1ull << 23;
    if (length == 36 && !capital && !long_32 && (m->hex & all) == (all & ~(dashes << first)) && m->digit & all) {
        for (int at = 8; at < 24; at += 5)
            if (data[first + at] != '-') return run_matters(s, data + first, length, depth);
        return DULL; /* a UUID */
    }
    if (!long_32 && capital && letter & ~capital && m->digit & all && number_of(m->hex & all) < length - 1) {
        int marks = 0;
        for (uint64_t other = all & ~(letter | m->digit); other; other &= other - 1)
            marks |= (data[first_of(other)] & 0xFB) == '+' ? 1 : 2; /* + and /, or - and _ */
        if (marks != 3) return base64_matters(s, data + first, length, depth);
    }
    return run_matters(s, data + first, length, depth);
}

int runs_matter(sieve *s, bytes data, int64_t size, int depth) {
    int said = DULL;
    for (span r = {0, -1}; !(said & MATTERS) && next_run(data, size, &r);) said |= run_matters(s, data + r.first, r.stop - r.first, depth);
    return said;
}

/* --- texts --- */

static int codes_matter(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + WIDTH];
    int64_t length = from_codes(out, data, size);
    return length ? decoded_matters(s, out, length, depth + 1) : DULL;
}

/* Texts of up to 64 bytes in which no known text of seven bytes or more stands unencoded. */
static int few_matter(sieve *s, bytes data, bytes lower, int64_t size, uint32_t kinds, const masks *m, bool bare, bytes hex, int depth) {
    const grams *g = s->texts;
    if (g->sizes & 0x7C) { /* short ones, at the beginning of a word */
        uint64_t letter = m->letter, digit = m->digit, high = m->high, other = some_bits(0, size) & ~(letter | digit | high);
        uint64_t first = (g->sorts & 2 ? begins(letter) : 0) | (g->sorts & 4 ? begins(digit) : 0) |
                         (g->sorts & 8 ? high : 0) | (g->sorts & 1 ? other : 0);
        for (; first; first &= first - 1) {
            int at = first_of(first);
            if (at + 2 <= size && (lower[at] < 0x80 || lower[at] >= 0xC0 || !at || lower[at - 1] < 0x80) &&
                may_be_short(g->looks, lower + at) && has_short(g, lower, at, size))
                return MATTERS;
        }
    }
    int said = kinds & DIGIT && some_number(s, data, size, kinds, m) ? numbers_matter(s, data, lower, size, (int)kinds) : DULL;
    if (said & MATTERS) return said;
    said |= few_words_matter(s, lower, size, m);
    if (size < 6) return said;
    if (bare) {
        bool digest = size >= 27 && size <= 63 && whole_digest(s, data, size);
        return digest || (s->outputs->sizes && size >= 17 && fields_matter(s, data, size, (int)kinds)) ? MATTERS : said;
    }
    if (size >= 8) {
        uint64_t run = m->letter | m->digit;
        if (kinds & RUN_MARK)
            for (uint64_t other = some_bits(0, size) & ~(run | m->high | m->blank); other; other &= other - 1)
                if (CLASS[data[first_of(other)]] & RUN_MARK) run |= other & -other;
        for (uint64_t rest = rows_of(run, 8) & begins(run); rest; rest &= rest - 1) {
            int first = first_of(rest);
            uint64_t behind = ~(run >> first);
            int length = behind ? first_of(behind) : 64 - first;
            said |= few_run_matters(s, data, first, length, m, hex, depth);
            if (said & MATTERS) return said;
        }
    }
    if (size >= 24 && m->hex == some_bits(0, size) && m->digit) /* too long to be all hex by chance */
        return size >= 27 && size <= 63 && whole_digest(s, data, size) ? MATTERS : said;
    if (size >= 9 && kinds & (SPACE | RUN_MARK | POINT) && may_be_spaced(data, lower, size, m) && spaced(data, size)) return MATTERS;
    return fields_matter(s, data, size, (int)kinds) ? MATTERS : said;
}

static int text_matters(sieve *s, bytes data, bytes lower, int64_t size, int kinds, const masks *m, bool bare, int depth) {
    kinds &= STOP - 1;
    if (!bare && kinds & ~(LOWER | UPPER | DIGIT | SPACE | POINT) && escaped(data, size, kinds, s->punycode)) return MATTERS;
    if (!bare && kinds & (ODD | RUN_MARK) && size >= 16 && (kinds & ODD ? memchr(data, '*', (size_t)size) != NULL : data[size - 1] == '_') &&
        starred_matters(s, data, size, depth) & MATTERS)
        return MATTERS;
    if (!bare && size >= 8 && kinds & DIGIT && !(kinds & (LOWER | UPPER | HIGH)) && codes_matter(s, data, size, depth) & MATTERS) return MATTERS;
    if (kinds == DIGIT && size >= 7) { /* only a number */
        int said = numbers_matter(s, data, lower, size, kinds) | (size <= PARTS && has_word(s, lower, size) ? BESIDE : DULL);
        if (has_text(s->outputs, lower, size, true)) return MATTERS;
        if (said & MATTERS || size < 10) return said;
        if (s->outputs->sizes && size >= 17 && fields_matter(s, data, size, kinds)) return MATTERS;
        if (bare) return said;
        if (size >= 27 && size <= 63 && whole_digest(s, data, size)) return MATTERS;
        return said | runs_matter(s, data, size, depth);
    }
    if (depth && memchr(data, '\n', (size_t)size)) return MATTERS; /* lines, multipart bodies */
    if (size <= WIDTH && size % 2 == 0 && m->hex == some_bits(0, size)) {
        uint8_t out[WIDTH / 2 + WIDTH] = {0}; /* WIDTH bytes after the decoded ones may be read */
        from_hex(out, lower, size / 2);
        if (size >= 16) soon_begins(s->digests, out);
        if (has_long_hex(s->texts, lower, size, out) || has_text(s->outputs, lower, size, true)) return MATTERS;
        return few_matter(s, data, lower, size, (uint32_t)kinds, m, bare, out, depth);
    }
    if (size == 36 && data[8] == '-' && data[13] == '-') soon_whole(s, data);
    if (has_long(s->texts, lower, size) || has_text(s->outputs, lower, size, true)) return MATTERS;
    if (size <= WIDTH) return few_matter(s, data, lower, size, (uint32_t)kinds, m, bare, NULL, depth);
    if (has_any_short(s->texts, lower, size, false)) return MATTERS;
    int said = kinds & DIGIT ? numbers_matter(s, data, lower, size, kinds) : DULL;
    if (said & MATTERS) return said;
    said |= words_matter(s, data, lower, size);
    if (bare) return said;
    said |= runs_matter(s, data, size, depth);
    if (said & MATTERS) return said;
    if (kinds & (SPACE | RUN_MARK | POINT) && spaced(data, size)) return MATTERS;
    return fields_matter(s, data, size, kinds) ? MATTERS : said;
}

/* --- decoded data --- */

static bool varint(bytes data, int64_t size, int64_t *at, uint64_t *value) {
    *value = 0;
    for (int shift = 0; *at < size && shift < 64; shift += 7) {
        *value |= (uint64_t)(data[*at] & 0x7F) << shift;
        if (data[(*at)++] < 0x80) return true;
    }
    return false;
}

/* Repeated numbers without tags: floating-point, or large integers. */
static bool packed(bytes data, int64_t size) {
    for (int wide = 4; wide <= 8; wide += 4) {
        bool all = size % wide == 0 && size > wide;
        for (int64_t at = 0; all && at < size; at += wide) {
            double real;
            float half;
            if (wide == 8)
                memcpy(&real, data + at, 8);
            else
                memcpy(&half, data + at, 4), real = half;
            all = fabs(real) > 1e-3 && fabs(real) < 1e7;
        }
        if (all) return true;
    }
    uint64_t value;
    int64_t at = 0, number = 0;
    for (; at < size; number++)
        if (!varint(data, size, &at, &value) || value < 10000) return false;
    return number > 1;
}

/* The fields of protobuf, if the bytes are such a message up to their end. */
static int protobuf_matters(sieve *s, bytes data, int64_t size, int depth) {
    int said = DULL;
    uint64_t groups[32];
    for (int pass = 0; pass < 2; pass++) { /* the first pass checks that it is one */
        int open = 0;
        for (int64_t at = 0; at < size;) {
            uint64_t tag, value;
            if (!varint(data, size, &at, &tag) || !(tag >> 3) || tag >> 3 >= 1 << 21) return DULL;
            int64_t first = at;
            switch (tag & 7) {
                case 0:
                    if (!varint(data, size, &at, &value)) return DULL;
                    if (pass) said |= varint_matters(s, value);
                    break;
                case 1: case 5:
                    at += (tag & 7) == 1 ? 8 : 4;
                    if (at > size) return DULL;
                    if (!pass) break;
                    value = 0;
                    for (int64_t i = at - 1; i >= first; i--) value = value << 8 | data[i];
                    said |= varint_matters(s, value);
                    if ((tag & 7) == 1 && value >> 63) said |= varint_matters(s, -value);
                    double real;
                    float half;
                    uint32_t word = (uint32_t)value;
                    memcpy(&real, &value, 8), memcpy(&half, &word, 4);
                    int64_t spots = s->spots_found;
                    if ((tag & 7) == 5) real = half;
                    if (fabs(real) > 1e-6 && fabs(real) < 1e15) number_near(s, fabs(real), 12);
                    if (s->spots_found > spots) said |= PLACED;
                    break;
                case 2:
                    if (!varint(data, size, &at, &value) || value > (uint64_t)(size - at)) return DULL;
                    if (pass && value) {
                        said |= decoded_matters(s, data + at, (int64_t)value, depth + 1);
                        if (packed(data + at, (int64_t)value)) said |= MATTERS;
                    }
                    at += (int64_t)value;
                    break;
                case 3:
                    if (open == 32) return MATTERS;
                    groups[open++] = tag >> 3;
                    break;
                case 4:
                    if (!open || groups[--open] != tag >> 3) return DULL;
                    break;
                default:
                    return DULL;
            }
            if (said & MATTERS) return said;
        }
        if (open) return DULL;
    }
    return said;
}

/* Short numbers of one message; two of them together may be one value. */
typedef struct {
    int number;
    bytes texts[12];
    int64_t sizes[12];
} shorts;

/* A text, or data, in a message. */
static int item_text(sieve *s, shorts *before, bytes data, int64_t size, int depth) {
    int said = decoded_matters(s, data, size, depth + 1);
    for (int64_t at = 0; at < size; at++)
        if (size > 4 || !is_digit(data[at])) return said;
    for (int i = 0; i < before->number; i++)
        if (two_matter(s, data, size, before->texts[i], before->sizes[i])) said |= MATTERS;
    if (before->number < 12) before->texts[before->number] = data, before->sizes[before->number++] = size;
    return said;
}

/* The bits of a floating-point number. */
static int item_real(sieve *s, int64_t bits, int size) {
    int said = DULL;
    int64_t spots = s->spots_found;
    double real;
    float half;
    uint32_t word = (uint32_t)bits;
    if (size == 8)
        memcpy(&real, &bits, 8);
    else
        memcpy(&half, &word, 4), real = half;
    double value = fabs(real);
    if (value >= 1e6 && value < 1e18 && value == floor(value)) said |= varint_matters(s, (uint64_t)value);
    if (value > 1e-6 && value < 1e15) number_near(s, value, 12);
    return s->spots_found > spots ? said | PLACED : said;
}

static int items_matter(sieve *s, const message *m, bytes data, shorts *before, int depth) {
    int said = DULL;
    for (const item *i = m->items; i < m->items + m->items_found; i++)
        if (i->kind == SURE)
            said |= MATTERS;
        else if (i->kind == REAL)
            said |= item_real(s, i->value, i->size);
        else if (said & MATTERS)
            continue;
        else if (i->kind == BYTES)
            said |= item_text(s, before, data + i->value, i->size, depth);
        else
            said |= varint_matters(s, i->value < 0 ? -(uint64_t)i->value : (uint64_t)i->value);
    return said;
}

/* Whether data is a MessagePack or CBOR message, and something in it matters. */
static bool message_matters(sieve *s, bytes data, int64_t size, int depth) {
    message m;
    shorts before = {0};
    if (messagepack(&m, data, size) && items_matter(s, &m, data, &before, depth)) return true;
    return cbor(&m, data, size) && items_matter(s, &m, data, &before, depth) && m.documents < 1 + 2 * m.containers;
}

/* Data that is not text; m: masks of up to 64 bytes, after which as many may be read. */
static bool blob_matters(sieve *s, bytes data, int64_t size, int depth, const masks *m) {
    if (size >= LONGEST_BLOB) return true; /* no digest, id or token is that long */
    if (size < 6) return false;
    int blob = blob_of(data, size, m);
    if (blob == SOMETHING || (data[0] >= 0x80 && message_matters(s, data, size, depth))) return true;
    return blob == UNDECIDED && is_framed(data, size);
}

/* Up to 64 bytes; digest: whether they may be one. Digests are looked up last, when the prefetched data has arrived. */
static int few_decoded_matter(sieve *s, bytes data, int64_t size, bool digest, int depth) {
    uint8_t lower[2 * WIDTH];
    if (size >= 8) soon_begins(s->digests, data);
    if (size > 16) soon_begins(s->digests, data + size - 16);
    masks m = masks_of(data, size, data + WIDTH, lower);
    memset(lower + size, 0, 8);
    if (!m.control && (!m.high || may_be_text(data, size)) && is_text(data, size))
        return digest && begins_with(s->digests, data, size) ? MATTERS : text_matters(s, data, lower, size, (int)kinds_of(&m, data, size), &m, false, depth);
    if (few_have_text(s, lower, size)) return MATTERS;
    if (rows_of(m.digit, 7) && number_in(s, data, size)) return MATTERS;
    if (blob_matters(s, data, size, depth, &m) || packed_find(s->packed, data, size, NULL, 0)) return MATTERS;
    if ((digest && begins_with(s->digests, data, size)) || has_digests(s, data, size)) return MATTERS;
    int said = rows_of(some_bits(0, size) & ~(m.high | m.control), 8) ? runs_matter(s, data, size, depth) : DULL;
    return said & MATTERS ? said : said | protobuf_matters(s, data, size, depth);
}

/* Decoded data; 64 bytes after it may be read. */
int decoded_matters(sieve *s, bytes data, int64_t size, int depth) {
    static const uint64_t sizes = 1ull << 4 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 16 | 1 << 20 | 1 << 24 | 1 << 28 | 1ull << 32 | 1ull << 48;
    if (size < 2) return DULL;
    if (depth > DEEPEST || size > LONGEST) return MATTERS;
    if (size <= WIDTH) return few_decoded_matter(s, data, size, size == 64 || sizes >> size & 1, depth);
    uint8_t lower[LONGEST + WIDTH];
    lower_case(lower, data, size);
    memset(lower + size, 0, 8);
    if (is_text(data, size)) {
        masks m = {0};
        uint32_t kinds = 0;
        for (int64_t at = 0; at < size; at++) kinds |= CLASS[data[at]];
        return text_matters(s, data, lower, size, (int)kinds, &m, false, depth);
    }
    if (has_text(s->texts, lower, size, true) || has_text(s->raw, lower, size, true) || has_text(s->outputs, lower, size, true) ||
        number_in(s, data, size))
        return MATTERS;
    if (has_digests(s, data, size) || blob_matters(s, data, size, depth, NULL) || packed_find(s->packed, data, size, NULL, 0)) return MATTERS;
    int said = runs_matter(s, data, size, depth);
    return said & MATTERS ? said : said | protobuf_matters(s, data, size, depth);
}

int leaf_matters(sieve *s, bytes data, bytes lower, int64_t size, int kinds, const masks *m, bool bare) {
    int said = text_matters(s, data, lower, size, kinds, m, bare, 0);
    return said & MATTERS ? said | words_matter(s, data, lower, size) : said; /* it may also be part of something larger */
}
