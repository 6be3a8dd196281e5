/* Runs of letters, digits and +/_-, as whatever they may be: hex, base32, base64. */

#include "sift.h"

/* Whether bytes may begin a text, or what gzip, zlib or zstd packed. */
static inline bool may_be_head(bytes out) {
    bool packed = (out[0] == 0x1F && out[1] == 0x8B) || (out[0] == 0x28 && out[1] == 0xB5) || out[0] == 0x78;
    return packed || (out[0] - ' ' < 95u && out[1] - ' ' < 95u && (out[2] - ' ' < 95u || out[0] == '{' || out[0] == '[' || out[0] == 'P'));
}

/* Whether base64 may begin behind a letter or two or three of its own: how it begins is known, or is what the app's own
   transforms gave out. */
static bool behind_letters(const sieve *s, bytes data, int64_t size) {
    enum { HEAD = 24, TEXT = 15 };
    if (size < 24) return false;
    for (int before = 1; before < 4; before++) {
        uint8_t out[HEAD + WIDTH];
        int length = 0, wanted = s->outputs->sizes ? HEAD : TEXT, plain = 0;
        for (int64_t at = before; length < wanted && at + 4 <= size; at += 4) {
            if (length == 3 && !s->outputs->sizes && !may_be_head(out)) break;
            uint32_t word = (uint32_t)(BASE64[data[at]] << 18 | BASE64[data[at + 1]] << 12 | BASE64[data[at + 2]] << 6 | BASE64[data[at + 3]]);
            out[length++] = (uint8_t)(word >> 16), out[length++] = (uint8_t)(word >> 8), out[length++] = (uint8_t)word;
        }
        if (length == 3) continue;
        while (plain < TEXT && out[plain] >= ' ' && out[plain] <= '~') plain++;
        uint32_t two = (uint32_t)out[0] << 8 | out[1];
        if (plain == TEXT || (two == 0x1F8B && out[2] == 8) || (two == 0x28B5 && out[2] == 0x2F) || (two == 0x504B && out[2] == 3) ||
            ((two == 0x7801 || two == 0x785E || two == 0x789C || two == 0x78DA) && (out[2] & 6) != 6) || (plain > 1 && (plain > 2 || out[2] > 0xC1) && memchr("{[", out[0], 2) && memchr("\"{[", out[1], 3)))
            return true;
        if (!s->outputs->sizes) continue;
        lower_case(out, out, length);
        memset(out + length, 0, 8);
        if (has_text(s->outputs, out, length, true)) return true;
    }
    return false;
}

static int base64_matters(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + 8 + WIDTH];
    if (size / 4 * 3 > LONGEST) return MATTERS;
    if (behind_letters(s, data, size)) return MATTERS;
    if (size % 4 == 1) size--;
    int64_t length = size * 3 / 4, at = 0;
    for (int64_t first = 0; first < size; first += 4, at += 3) {
        uint8_t last[4] = {'A', 'A', 'A', 'A'};
        bytes four = data + first;
        if (first + 4 > size) four = memcpy(last, four, (size_t)(size - first));
        uint32_t word = (uint32_t)(BASE64[four[0]] << 18 | BASE64[four[1]] << 12 | BASE64[four[2]] << 6 | BASE64[four[3]]);
        out[at] = (uint8_t)(word >> 16), out[at + 1] = (uint8_t)(word >> 8), out[at + 2] = (uint8_t)word;
    }
    return decoded_matters(s, out, length, depth + 1);
}

/* Hex beside other letters: a digest behind a word, or one that was cut, beside a mark. */
static int hex_parts_matter(sieve *s, bytes data, int64_t size, int depth) {
    int said = DULL;
    for (int64_t at = 15; at < size && !(said & MATTERS); at += 16) { /* every row of 16 has one of these */
        if (HEX[data[at]] == 255) continue;
        int64_t first = at, stop = at;
        while (first > 0 && HEX[data[first - 1]] != 255) first--;
        while (stop < size && HEX[data[stop]] != 255) stop++;
        bool marked = (!first || CLASS[data[first - 1]] & RUN_MARK) && (stop == size || CLASS[data[stop]] & RUN_MARK);
        int64_t length = (stop - first) / 2;
        if (length >= 16 || (marked && (stop - first == 16 || stop - first == 20))) {
            uint8_t out[LONGEST + WIDTH];
            if (length > LONGEST) return MATTERS;
            for (int64_t i = 0; i < length; i++) out[i] = (uint8_t)(HEX[data[first + 2 * i]] << 4 | HEX[data[first + 2 * i + 1]]);
            said |= decoded_matters(s, out, length, depth + 1);
        }
        while (at + 16 < stop) at += 16;
    }
    return said;
}

static inline bool is_starred(uint8_t byte) { return CLASS[byte] & (LOWER | UPPER | DIGIT) || byte == '*' || byte == '-'; }

/* base64 in the letters that Tencent signs with: * for a plus, - for a stroke, _ for what it is filled up with. */
int starred_matters(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + WIDTH];
    int said = DULL;
    for (int64_t at = 15; at < size && !(said & MATTERS); at += 16) { /* every run of 16 has one of these */
        int64_t first = at, stop = at, length = 0;
        bool star = false;
        while (first > 0 && is_starred(data[first - 1])) first--;
        while (stop < size && is_starred(data[stop])) stop++;
        if (stop - first >= 16 && stop - first <= LONGEST) {
            for (int64_t i = first; i < stop; i++) {
                star |= data[i] == '*';
                out[length++] = data[i] == '*' ? '+' : data[i] == '-' ? '/' : data[i];
            }
            if (star || (stop < size && data[stop] == '_')) said |= base64_matters(s, out, length, depth);
        } else if (stop - first > LONGEST)
            return MATTERS;
        while (at + 16 < stop) at += 16;
    }
    return said;
}

static int base32_matters(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + WIDTH];
    int said = DULL;
    if (size > LONGEST) return MATTERS;
    for (int pass = 0; pass < 2; pass++) {
        int wanted = pass ? LOWER : UPPER;
        for (int64_t at = 15; at < size; at += 16) { /* every run of 16 has one of these letters */
            if (!(CLASS[data[at]] & wanted || ('2' <= data[at] && data[at] <= '7'))) continue;
            int64_t first = at, stop = at, digits = 0;
            while (first > 0 && (CLASS[data[first - 1]] & wanted || ('2' <= data[first - 1] && data[first - 1] <= '7'))) first--;
            while (stop < size && (CLASS[data[stop]] & wanted || ('2' <= data[stop] && data[stop] <= '7'))) stop++;
            if (stop - first >= 16) {
                uint32_t word = 0;
                int bits = 0, length = 0;
                for (int64_t i = first; i < stop; i++) {
                    digits += is_digit(data[i]);
                    word = word << 5 | BASE32[data[i]];
                    if ((bits += 5) >= 8) out[length++] = (uint8_t)(word >> (bits -= 8));
                }
                if (digits || !pass) said |= decoded_matters(s, out, length, depth + 1);
            }
            while (at + 16 < stop) at += 16;
        }
    }
    return said;
}

/* A run of letters, digits and +/_-, as whatever it may be. */
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
        for (at = 0; at < length; at++) out[at] = (uint8_t)(HEX[first[2 * at]] << 4 | HEX[first[2 * at + 1]]);
        bool skipped = digits && size < 40 && !odd && !(12 <= size && size <= 20) && !is_text(out, length, 0, 0);
        if (skipped) return said;
        if (!odd || size > 16) said |= decoded_matters(s, out, length, depth + 1);
        if (said & MATTERS || (size > 14 && !odd)) return said;
    } else if (odd && size > 16 && hexadecimal == size - 1 && HEX[data[0]] == 255) {
        uint8_t out[LONGEST + WIDTH];
        if (size / 2 > LONGEST) return MATTERS;
        for (at = 0; at < size / 2; at++) out[at] = (uint8_t)(HEX[data[1 + 2 * at]] << 4 | HEX[data[2 + 2 * at]]);
        said |= decoded_matters(s, out, size / 2, depth + 1);
    }
    if (kinds & RUN_MARK || size >= 32) said |= hex_parts_matter(s, data, size, depth);
    if (said & MATTERS) return said;
    int marks = 0;
    for (at = 0; at < size; at++) marks |= data[at] == '+' || data[at] == '/' ? 1 : data[at] == '-' || data[at] == '_' ? 2 : 0;
    if (marks != 3) return said | base64_matters(s, data, size, depth);
    for (int pass = 1; pass < 3; pass++) { /* no one text is written in both alphabets */
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

/* A run in a text of up to 64 bytes: what it cannot be is not tried. from_hex_digits: what all of the text stands for, if
   it is nothing but hex. */
int few_run_matters(sieve *s, bytes data, int first, int length, const masks *m, bytes from_hex_digits, int depth) {
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
    for (int64_t at = 7; at < size && !(said & MATTERS);) {
        if (BASE64[data[at]] == 255) {
            at += 8;
            continue;
        }
        int64_t first = at, stop = at + 1;
        while (first > 0 && BASE64[data[first - 1]] != 255) first--;
        while (stop < size && BASE64[data[stop]] != 255) stop++;
        if (stop - first >= 8) said |= run_matters(s, data + first, stop - first, depth);
        at = stop + 8;
    }
    return said;
}
