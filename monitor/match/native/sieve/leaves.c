/* Whether a text, or what was decoded, may hold anything. */

#include "sift.h"
#include <math.h>

/* Texts of up to 64 bytes, in which nothing of seven bytes or more that is looked for stands as it is. */
static int few_matter(sieve *s, bytes data, bytes lower, int64_t size, uint32_t kinds, const masks *m, bool bare, bytes hex, int depth) {
    const grams *g = s->texts;
    if (g->sizes & 0x7C) { /* short ones, where a word begins */
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
    if (kinds & PLUS) said |= utf_7_matters(s, data, size, depth);
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
    if (size >= 24 && m->hex == some_bits(0, size) && m->digit) /* too long to be anything else by chance */
        return size >= 27 && size <= 63 && whole_digest(s, data, size) ? MATTERS : said;
    if (size >= 9 && kinds & (SPACE | RUN_MARK | POINT) && may_be_spaced(data, lower, size, m) && spaced(data, size)) return MATTERS;
    return fields_matter(s, data, size, (int)kinds) ? MATTERS : said;
}

static int text_matters(sieve *s, bytes data, bytes lower, int64_t size, int kinds, const masks *m, bool bare, int depth) {
    kinds &= STOP - 1;
    if (!bare && kinds & ~(LOWER | UPPER | DIGIT | SPACE | POINT) && escaped(data, size, kinds, s->punycode)) return MATTERS;
    if (!bare && kinds & (ODD | RUN_MARK) && size >= 8) {
        if (kinds & ODD && rotated(s, lower, size)) return MATTERS;
        if (size >= 16 && (kinds & ODD ? memchr(data, '*', (size_t)size) != NULL : data[size - 1] == '_') &&
            starred_matters(s, data, size, depth) & MATTERS)
            return MATTERS;
    }
    if (!bare && size >= 8 && kinds & DIGIT && !(kinds & (LOWER | UPPER | HIGH)) && codes_matter(s, data, size, depth) & MATTERS) return MATTERS;
    if (kinds == DIGIT && size >= 7) { /* nothing but a number */
        int said = numbers_matter(s, data, lower, size, kinds) | (size <= PARTS && has_word(s, lower, size) ? BESIDE : DULL);
        if (has_text(s->outputs, lower, size, true)) return MATTERS;
        if (said & MATTERS || size < 10) return said;
        if (s->outputs->sizes && size >= 17 && fields_matter(s, data, size, kinds)) return MATTERS;
        if (bare) return said;
        if (size >= 27 && size <= 63 && whole_digest(s, data, size)) return MATTERS;
        return said | runs_matter(s, data, size, depth);
    }
    if (depth && memchr(data, '\n', (size_t)size)) return MATTERS; /* lines, parts of a mail */
    if (size <= WIDTH && size % 2 == 0 && m->hex == some_bits(0, size)) {
        uint8_t out[WIDTH / 2 + WIDTH] = {0}; /* there are as many behind it */
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
    if (kinds & PLUS) said |= utf_7_matters(s, data, size, depth);
    said |= runs_matter(s, data, size, depth);
    if (said & MATTERS) return said;
    if (kinds & (SPACE | RUN_MARK | POINT) && spaced(data, size)) return MATTERS;
    return fields_matter(s, data, size, kinds) ? MATTERS : said;
}

/* --- what is decoded --- */

static bool varint(bytes data, int64_t size, int64_t *at, uint64_t *value) {
    *value = 0;
    for (int shift = 0; *at < size && shift < 64; shift += 7) {
        *value |= (uint64_t)(data[*at] & 0x7F) << shift;
        if (data[(*at)++] < 0x80) return true;
    }
    return false;
}

/* Repeated numbers without tags: reals, or large whole numbers. */
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

/* The fields of protobuf, where the bytes are such a message to their end. */
static int protobuf_matters(sieve *s, bytes data, int64_t size, int depth) {
    int said = DULL;
    uint64_t groups[32];
    for (int pass = 0; pass < 2; pass++) { /* first whether it is one */
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

/* Whether there are several digests, or one with a little before or behind it. */
static bool digests_matter(const sieve *s, bytes data, int64_t size) {
    static const int whole[] = {16, 20, 28, 32, 48, 64};
    if (size <= 16) return false;
    if (begins_with(s->digests, data, 8)) return true;
    if (size % 10 == 0 && size >= 30) /* in a row, cut to ten bytes */
        for (int64_t at = 10; at < size; at += 10)
            if (begins_with(s->digests, data + at, 8)) return true;
    for (int i = 0; i < 6 && size > whole[i]; i++) {
        if (size <= whole[i] + 64 && begins_with(s->digests, data + size - whole[i], 8)) return true;
        if (size < 2 * whole[i] || size % whole[i]) continue;
        for (int64_t at = whole[i]; at < size; at += whole[i])
            if (begins_with(s->digests, data + at, 8)) return true;
    }
    return false;
}

/* Whether a number stands in other data as it is. */
bool number_in(const sieve *s, bytes data, int64_t size) {
    for (int64_t at = 0, stop; at < size; at = stop + 1) {
        for (stop = at; stop < size && is_digit(data[stop]);) stop++;
        if (stop - at >= 7 && (has_number(s->texts, data, at, stop, 1, 0, true) || has_number(s->raw, data, at, stop, 1, 0, true)))
            return true;
    }
    return false;
}

/* Up to 64 bytes; digest: which may be one. Digests are looked up last, when what is asked for has come to the processor. */
static int few_decoded_matter(sieve *s, bytes data, int64_t size, bool digest, int depth) {
    uint8_t lower[2 * WIDTH];
    if (size >= 8) soon_begins(s->digests, data);
    if (size > 16) soon_begins(s->digests, data + size - 16);
    masks m = masks_of(data, size, data + WIDTH, lower);
    memset(lower + size, 0, 8);
    if (!m.control && (!m.high || may_be_text(data, size, 0, 0)) && is_text(data, size, 0, 0))
        return digest && begins_with(s->digests, data, size) ? MATTERS : text_matters(s, data, lower, size, (int)kinds_of(&m, data, size), &m, false, depth);
    if (few_have_text(s, lower, size)) return MATTERS;
    if (rows_of(m.digit, 7) && number_in(s, data, size)) return MATTERS;
    if (blob_matters(s, data, size, depth, &m) || packed_places(s, data, size, true)) return MATTERS;
    if ((digest && begins_with(s->digests, data, size)) || digests_matter(s, data, size)) return MATTERS;
    int said = rows_of(some_bits(0, size) & ~(m.high | m.control), 8) ? runs_matter(s, data, size, depth) : DULL;
    return said & MATTERS ? said : said | protobuf_matters(s, data, size, depth);
}

/* What was decoded; there is room for 64 bytes behind it. */
int decoded_matters(sieve *s, bytes data, int64_t size, int depth) {
    static const uint64_t sizes = 1ull << 4 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 16 | 1 << 20 | 1 << 24 | 1 << 28 | 1ull << 32 | 1ull << 48;
    if (size < 2) return DULL;
    if (depth > DEEPEST || size > LONGEST) return MATTERS;
    if (size <= WIDTH) return few_decoded_matter(s, data, size, size == 64 || sizes >> size & 1, depth);
    uint8_t lower[LONGEST + WIDTH];
    lower_case(lower, data, size);
    memset(lower + size, 0, 8);
    if (is_text(data, size, 0, 0)) {
        masks m = {0};
        uint32_t kinds = 0;
        for (int64_t at = 0; at < size; at++) kinds |= CLASS[data[at]];
        return text_matters(s, data, lower, size, (int)kinds, &m, false, depth);
    }
    if (has_text(s->texts, lower, size, true) || has_text(s->raw, lower, size, true) || has_text(s->outputs, lower, size, true) ||
        number_in(s, data, size))
        return MATTERS;
    if (digests_matter(s, data, size) || blob_matters(s, data, size, depth, NULL) || packed_places(s, data, size, true)) return MATTERS;
    int said = runs_matter(s, data, size, depth);
    return said & MATTERS ? said : said | protobuf_matters(s, data, size, depth);
}

int leaf_matters(sieve *s, bytes data, bytes lower, int64_t size, int kinds, const masks *m, bool bare) {
    int said = text_matters(s, data, lower, size, kinds, m, bare, 0);
    return said & MATTERS ? said | words_matter(s, data, lower, size) : said; /* for it may be a part of more, too */
}
