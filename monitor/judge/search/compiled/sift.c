#include "sift.h"
#include <math.h>

static bool begins_with(const table *t, bytes data, int64_t size) {
    uint64_t word = 0;
    if (!t->used) return false;
    memcpy(&word, data, size < 8 ? (size_t)size : 8);
    return has(t, mixed(word));
}

static bool has_short(const grams *g, bytes lower, int64_t at, int64_t size) {
    const table *t = &g->windows;
    if (!in(g->twos, (uint32_t)lower[at] | (uint32_t)lower[at + 1] << 8)) return false;
    for (int window = 2; g->sizes & 0x0C && window < 4 && at + window <= size; window++)
        if (g->sizes >> window & 1 && has_window(t, lower, at, window, 0, size)) return true;
    if (g->sizes & 0x70 && at + 4 <= size && may(&g->firsts, four(load4(lower + at))))
        for (int window = 4; window < SHORT && at + window <= size; window++)
            if (g->sizes >> window & 1 && has_window(t, lower, at, window, 0, size)) return true;
    return false;
}

/* Whether any text of seven bytes or more stands in the bytes, but for numbers. */
static bool has_long(const grams *g, bytes lower, int64_t size) {
    bool some_long = g->sizes >> LONG & 1 && size >= LONG, some_middle = g->sizes >> SHORT & 3 && size >= SHORT;
    if (some_long || some_middle)
        for (int64_t at = 0; at + 4 <= size; at += 4)
            if (((some_long && at + 8 <= size && may(&g->eights, eight(load8(lower + at)))) ||
                 (some_middle && may(&g->fours, four(load4(lower + at))))) &&
                has_long_text(g, lower, at, 0, size))
                return true;
    return false;
}

/* The same for shorter ones; loose: they may begin anywhere, not only with a word. */
static bool has_any_short(const grams *g, bytes lower, int64_t size, bool loose) {
    for (int64_t first = 0; g->sizes & 0x7C && first + 2 <= size; first++) {
        int sort = sort_of(lower[first]);
        if ((loose || !first || !sort || lower[first] >= 0xC0 || sort != sort_of(lower[first - 1])) &&
            g->sorts >> sort & 1 && has_short(g, lower, first, size))
            return true;
    }
    return false;
}

bool has_text(const grams *g, bytes lower, int64_t size, bool loose) {
    return g->sizes && (has_long(g, lower, size) || has_any_short(g, lower, size, loose));
}

/* Of a word whose letters may be of either case: those of two bytes, such as é, are left out. */
uint64_t word_hash(bytes lower, int64_t size) {
    uint8_t pure[PARTS + 1];
    int length = 0;
    bool two = false;
    for (int64_t at = 0; at < size; at++) two |= 0xC2 <= lower[at] && lower[at] < 0xE0;
    if (!two) return hash(lower, (int)size);
    for (int64_t at = 0; at < size && length < PARTS; at++) {
        if (0xC2 <= lower[at] && lower[at] < 0xE0)
            at++;
        else
            pure[length++] = lower[at];
    }
    return hash(pure, length);
}

/* --- numbers in text --- */

/* Whether groups of digits of which the last ends here are a number that is looked for. */
static bool grouped(sieve *s, bytes data, int64_t start, int64_t stop) {
    uint8_t last[24];
    int number = 0;
    for (int64_t at = stop - 1; at >= start && number < 24; at--) {
        if (is_digit(data[at])) {
            /* (0), which stands for nothing abroad */
            if (data[at] == '0' && at > start && data[at - 1] == '(' && at + 1 < stop && data[at + 1] == ')') {
                at--;
                continue;
            }
            last[23 - number++] = data[at];
            if (number >= 7 && (at == start || !is_digit(data[at - 1]))) {
                uint64_t word = 0;
                bytes first = last + 24 - (number > 8 ? 8 : number);
                for (int i = 0; first + i < last + 24; i++) word |= (uint64_t)first[i] << 8 * i;
                if (has(s->digits, mixed(word)) || has_number(s->texts, last, 24 - number, 24, 1, 0, false)) return true;
            }
        } else if (!(CLASS[data[at]] & (SEPARATOR | SPACE)))
            break;
    }
    return false;
}

static double digits_value(bytes data, int64_t start, int64_t stop) {
    double value = 0;
    for (; start < stop; start++) value = value * 10 + (data[start] - '0');
    return value;
}

/* Digits behind a point or a comma: what they are worth, how many they are, where they end. */
static double fraction(bytes data, int64_t at, int64_t size, int *decimals, int64_t *end) {
    uint64_t value = 0;
    for (*decimals = 0; at < size && is_digit(data[at]); at++, ++*decimals)
        if (*decimals < 17) value = value * 10 + (uint64_t)(data[at] - '0');
    *end = at;
    if (*decimals > 17) *decimals = 17;
    return (double)value / TENS[*decimals];
}

/* Degrees, minutes and seconds with colons or blanks between; times of day are written alike. */
static void sexagesimal(sieve *s, bytes data, int64_t at, int64_t size) {
    double degrees = 0, scale = 1, unit = 1;
    int parts = 0;
    while (parts < 3 && at < size && is_digit(data[at])) {
        int64_t stop = at;
        while (stop < size && is_digit(data[stop])) stop++;
        if (stop - at > 3) break;
        double value = digits_value(data, at, stop);
        unit = 1 / scale;
        at = stop;
        if (at + 1 < size && data[at] == '.' && is_digit(data[at + 1])) {
            int decimals;
            value += fraction(data, at + 1, size, &decimals, &at);
            unit = 1 / TENS[decimals] / scale;
        }
        degrees += value / scale;
        scale *= 60;
        if (++parts > 1) either_near(s, degrees, unit);
        if (at < size && (data[at] == ':' || data[at] == ' ')) at++;
    }
}

/* Degrees, minutes and seconds without anything between: +311418.10, as in ISO 6709. */
static void packed_degrees(sieve *s, bytes data, int64_t at, int64_t stop, int64_t size) {
    int decimals = 0, digits = (int)(stop - at);
    int64_t end;
    double part = stop < size && data[stop] == '.' ? fraction(data, stop + 1, size, &decimals, &end) : 0;
    for (int wide = 2; wide < 4; wide++) {
        int rest = digits - wide;
        if (rest != 2 && rest != 4) continue;
        double degrees = digits_value(data, at, at + wide), minutes = digits_value(data, at + wide, at + wide + 2);
        if (rest == 4)
            degrees += (minutes + (digits_value(data, at + wide + 2, stop) + part) / 60) / 60;
        else
            degrees += (minutes + part) / 60;
        either_near(s, degrees, 1 / TENS[decimals] / (rest == 4 ? 3600 : 60));
    }
}

/* Whether a number goes on with a power of ten, and ends there. */
static bool exponent(bytes data, int64_t at, int64_t size) {
    if (at >= size || (data[at] | 32) != 'e') return false;
    at += at + 1 < size && (data[at + 1] == '+' || data[at + 1] == '-') ? 2 : 1;
    int64_t first = at;
    while (at < size && is_digit(data[at])) at++;
    return at > first && at - first <= 2 && (at == size || !is_letter(data[at]));
}

static int numbers_matter(sieve *s, bytes data, bytes lower, int64_t size, int kinds) {
    int64_t spots = s->spots_found, last_end = -1;
    bool apart = true; /* something else than separators since the last digits */
    for (int64_t at = 0; at < size; at++) {
        if (!is_digit(data[at])) {
            apart |= !(CLASS[data[at]] & (SEPARATOR | SPACE));
            continue;
        }
        int64_t stop = at + 1;
        while (stop < size && is_digit(data[stop])) stop++;
        if (stop - at >= 7 && s->texts->sizes && has_number(s->texts, lower, at, stop, 0, size, false)) return MATTERS;
        if (stop - at >= 24 && !at && stop == size) return MATTERS; /* a digest as one long number */
        if (!apart && last_end >= 0 && kinds & (SEPARATOR | SPACE) && grouped(s, data, 0, stop)) return MATTERS;
        apart = false, last_end = stop;
        uint8_t left = at ? data[at - 1] : 0, right = stop < size ? data[stop] : 0;
        uint8_t next = stop + 1 < size ? data[stop + 1] : 0;
        if (!at && exponent(data, stop, size)) return MATTERS; /* 13800138e3 */
        if (s->number_of_places) {
            if (stop - at == 10 || stop - at == 19) {
                uint64_t whole = 0;
                for (int64_t i = at; i < stop; i++) whole = whole * 10 + (uint64_t)(data[i] - '0');
                bits_near(s, whole, (int)(stop - at));
            }
            if ((left == '+' || left == '-') && stop - at >= 4 && stop - at <= 7) packed_degrees(s, data, at, stop, size);
            if (right == '.' && is_digit(next) && stop - at <= 8) {
                int decimals;
                int64_t end;
                double value = digits_value(data, at, stop) + fraction(data, stop + 1, size, &decimals, &end);
                if (left != '.' && left != '_' && !is_letter(left)) number_near(s, value, decimals);
                if (left == ' ' || (end < size && (data[end] == ' ' || is_letter(data[end]))))
                    either_near(s, value, 1 / TENS[decimals]); /* with a hemisphere */
                if (end + 1 < size && data[end] == ',' && memchr("NSEW", data[end + 1], 4)) return MATTERS;
                if (exponent(data, end, size)) return MATTERS; /* 1.3800138E10 */
                at = end - 1, last_end = end;
                continue;
            }
            if (right == ',' && is_digit(next) && stop - at <= 3 && left != ',') {
                int decimals;
                int64_t end;
                double value = digits_value(data, at, stop) + fraction(data, stop + 1, size, &decimals, &end);
                if (decimals >= 2) either_near(s, value, 1 / TENS[decimals]);
            }
            if (right == '/' && next == '1' && stop + 2 < size && data[stop + 2] == ',') return MATTERS; /* EXIF */
            if ((right == ':' || right == ' ') && is_digit(next) && stop - at <= 3) sexagesimal(s, data, at, size);
            if (stop - at >= 4 && stop - at <= 12 && !is_letter(right) && right != '_' && !is_letter(left) &&
                left != '_' && left != '.' && !(right == '.' && is_digit(next)))
                number_near(s, digits_value(data, at, stop), 0);
        }
        at = stop - 1;
    }
    return s->spots_found > spots ? PLACED : DULL;
}

/* Whether there may be a number that matters in up to 64 bytes. */
static bool some_number(const sieve *s, bytes data, int64_t size, uint32_t kinds, const masks *m) {
    uint64_t digit = m->digit;
    for (uint64_t rest = rows_of(digit, 7) & begins(digit); rest; rest &= rest - 1) {
        int first = first_of(rest);
        uint64_t behind = ~(digit >> first);
        if (has_number(s->texts, data, first, first + (behind ? first_of(behind) : 64 - first), 0, size, false)) return true;
    }
    if (digit & 1) { /* 13800138e3 */
        int64_t stop = first_of(~digit | 1ull << 63);
        if ((stop < size && (data[stop] | 32) == 'e') || (stop == size && size >= 24)) return true;
    }
    if (kinds & ~(LOWER | UPPER | DIGIT)) {
        uint64_t apart = 0, marks = 0;
        for (uint64_t other = some_bits(0, size) & ~(m->letter | digit | m->high); other; other &= other - 1) {
            uint64_t bit = other & -other;
            uint8_t byte = data[first_of(other)];
            if (CLASS[byte] & (SEPARATOR | SPACE)) apart |= bit;
            if (byte == '.' || byte == ',' || byte == '/' || byte == ':' || byte == ' ') marks |= bit;
        }
        if (rows_of(digit | apart, 8)) return true;
        if (s->number_of_places && digit & marks >> 1 & digit >> 2) return true;
    }
    if (s->number_of_places)
        for (uint64_t four = rows_of(digit, 4) & begins(digit) & ~(m->letter << 1); four; four &= four - 1) {
            int first = first_of(four);
            uint64_t behind = ~(digit >> first);
            int64_t stop = first + (behind ? first_of(behind) : 64 - first);
            if (stop >= size || !is_letter(data[stop])) return true;
        }
    return false;
}

/* --- runs --- */

static int base64_matters(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + 8 + WIDTH];
    if (size / 4 * 3 > LONGEST) return MATTERS;
    if (size % 4 == 1) size--;
    int64_t length = size * 3 / 4, at = 0;
    for (int64_t first = 0; first < size; first += 4, at += 3) {
        uint32_t word = 0;
        for (int i = 0; i < 4; i++) word = word << 6 | (first + i < size ? BASE64[data[first + i]] : 0);
        out[at] = (uint8_t)(word >> 16), out[at + 1] = (uint8_t)(word >> 8), out[at + 2] = (uint8_t)word;
    }
    return decoded_matters(s, out, length, depth + 1);
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
        bool skipped = digits && size < 40 && !odd && !is_text(out, length, 0, 0);
        if (skipped) return said;
        if (!odd || size > 16) said |= decoded_matters(s, out, length, depth + 1);
        if (said & MATTERS || (size > 14 && !odd)) return said;
    } else if (odd && size > 16 && hexadecimal == size - 1 && HEX[data[0]] == 255) {
        uint8_t out[LONGEST + WIDTH];
        if (size / 2 > LONGEST) return MATTERS;
        for (at = 0; at < size / 2; at++) out[at] = (uint8_t)(HEX[data[1 + 2 * at]] << 4 | HEX[data[2 + 2 * at]]);
        said |= decoded_matters(s, out, size / 2, depth + 1);
    }
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

/* A run in a text of up to 64 bytes: what it cannot be is not tried. */
static int few_run_matters(sieve *s, bytes data, int first, int length, const masks *m, int depth) {
    uint64_t all = some_bits(first, length), letter = m->letter & all, capital = m->upper & all, some = m->some & all;
    if (letter == all && length < 16 && (capital == 0 || capital == all || capital == 1ull << first)) return DULL;
    bool long_32 = length >= 16 && (rows_of(capital | some, 16) || rows_of((letter & ~capital) | some, 16));
    if (!long_32 && length % 2 == 0 && length > 14 && letter && (m->hex & all) == all) { /* only hex */
        uint8_t out[WIDTH / 2 + WIDTH], digits[WIDTH + 16];
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

/* --- texts --- */

static int utf_8(uint32_t unit, uint8_t *out) {
    if (unit < 0x80) return out[0] = (uint8_t)unit, 1;
    if (unit < 0x800) return out[0] = (uint8_t)(0xC0 | unit >> 6), out[1] = (uint8_t)(0x80 | (unit & 63)), 2;
    out[0] = (uint8_t)(0xE0 | unit >> 12), out[1] = (uint8_t)(0x80 | (unit >> 6 & 63));
    return out[2] = (uint8_t)(0x80 | (unit & 63)), 3;
}

/* A text that may be UTF-7, in which only Chinese, Japanese and Korean letters are looked for. */
static int utf_7_matters(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + WIDTH];
    int64_t length = 0, units = 0;
    if (size > LONGEST / 2) return size <= 4096 ? MATTERS : DULL;
    for (int64_t at = 0; at < size; at++) {
        if (data[at] >= 0x80) return DULL;
        if (data[at] != '+') {
            out[length++] = data[at];
            continue;
        }
        uint32_t word = 0;
        int bits = 0;
        if (at + 1 < size && data[at + 1] == '-') out[length++] = '+';
        for (at++; at < size && BASE64[data[at]] != 255 && data[at] != '-' && data[at] != '_'; at++) {
            word = word << 6 | BASE64[data[at]];
            if ((bits += 6) < 16) continue;
            uint32_t unit = word >> (bits -= 16) & 0xFFFF;
            if (!((0x2E80 <= unit && unit <= 0xD7A3) || 0xF900 <= unit || (0x20 <= unit && unit < 0x80))) return DULL;
            length += utf_8(unit, out + length);
            units += unit >= 0x80;
        }
        if (bits >= 6 || word & ((1u << bits) - 1)) return DULL;
        if (at < size && data[at] != '-') at--;
    }
    return units ? decoded_matters(s, out, length, depth + 1) : DULL;
}

/* Whether something is written in escapes, or is a document or markup of its own. */
static bool escaped(bytes data, int64_t size, int kinds, bool punycode) {
    if (kinds & BRACKET || (kinds & AMPERSAND && kinds & SEMICOLON)) return true;
    if (!(kinds & (ESCAPE | HIGH | EQUAL)) && !(punycode && kinds & RUN_MARK)) return false;
    for (int64_t at = 0; at < size; at++) {
        uint8_t byte = data[at], next = at + 1 < size ? data[at + 1] : 0, third = at + 2 < size ? data[at + 2] : 0;
        switch (byte) {
            case '\\': case '<': case 0xCC: case 0xCD: case 0xEF:
                return true;
            case 0xC2:
                if (next == 0xA0 || next == 0xB0 || next == 0xBA) return true;
                break;
            case 0xCB:
                if (next == 0x9A) return true;
                break;
            case 0xD9:
                if (0xA0 <= next && next <= 0xA9) return true;
                break;
            case 0xE2:
                if (next == 0x80 || next == 0x81 || next == 0x88) return true;
                break;
            case 0xE3:
                if (next == 0x80 && third == 0x80) return true;
                break;
            case '%':
                if ((HEX[next] != 255 && HEX[third] != 255) || next == 'u') return true;
                break;
            case '=': /* quoted-printable, =?utf-8?B? */
                if (next == '\n' || next == '\r' || next == '?') return true;
                if (HEX[next] != 255 && HEX[third] != 255 &&
                    ((at + 3 < size && data[at + 3] == '=') || (next == '3' && third == 'D') ||
                     (next == '4' && third == '0') || (next == '2' && third == 'B')))
                    return true;
                break;
            case '+':
                if (at && is_letter(data[at - 1]) && is_letter(next) && kinds & EQUAL) return true; /* a=Ann+Lee */
                break;
            case 'x': case 'X':
                if ((next | 32) == 'n' && third == '-') return true; /* xn-- */
        }
    }
    return false;
}

static inline uint32_t word_head(bytes lower, int64_t size) {
    return (uint32_t)(((uint32_t)lower[0] | (uint32_t)lower[1] << 8 | (uint32_t)size << 16) * 0x9E3779B1u) >> 16;
}

/* Words that are a part of a value, or the name of a cell. */
bool has_word(const sieve *s, bytes lower, int64_t size) {
    if (size > 1 && !((lower[0] | lower[1]) & 0x80)) {
        if (!in(s->word_heads, word_head(lower, size))) return false;
    } else if (!(s->word_sizes[lower[0]] >> (size < 63 ? size : 63) & 1))
        return false;
    uint64_t h = word_hash(lower, size);
    return in(s->some_words, h >> 45) && has(&s->words, h);
}

/* Whether two short numbers are parts of a value that was cut. */
bool two_matter(const sieve *s, bytes one, int64_t size, bytes other, int64_t other_size) {
    uint8_t both[16];
    if (size + other_size > 8) return false;
    for (int turn = 0; turn < 2; turn++) {
        memcpy(both + (turn ? other_size : 0), one, (size_t)size);
        memcpy(both + (turn ? 0 : size), other, (size_t)other_size);
        if (has_word(s, both, size + other_size)) return true;
    }
    return false;
}

static int words_matter(sieve *s, bytes data, bytes lower, int64_t size) {
    if (!s->words.used) return DULL;
    if (size <= PARTS && has_word(s, lower, size)) return BESIDE;
    int64_t first = 0;
    for (int64_t at = 0; at <= size; at++) {
        if (at < size && CLASS[data[at]] & (LOWER | UPPER | DIGIT | HIGH)) continue;
        if (at - first >= 2 && at - first <= PARTS && at - first < size && has_word(s, lower + first, at - first)) return BESIDE;
        first = at + 1;
    }
    return DULL;
}

/* The same of up to 64 bytes. */
static int few_words_matter(sieve *s, bytes lower, int64_t size, const masks *m) {
    if (!s->words.used) return DULL;
    if (has_word(s, lower, size)) return BESIDE;
    uint64_t letters = m->letter | m->digit | m->high;
    for (uint64_t rest = letters; rest;) {
        int first = first_of(rest);
        uint64_t behind = ~(letters >> first);
        int length = behind ? first_of(behind) : 64 - first;
        if (length >= 2 && length < size && has_word(s, lower + first, length)) return BESIDE;
        rest &= ~some_bits(first, length);
    }
    return DULL;
}

static bool base58(bytes data, int64_t size) {
    if (size < 11 || size > 1024) return false;
    double top = 0;
    for (int64_t at = 0; at < size; at++)
        if (BASE58[data[at]] == 255) return false;
    for (int64_t at = 0; at < 9; at++) top = top * 58 + BASE58[data[at]];
    if (top == 0 || is_word(data, size)) return false;
    double bits = log2(top) + (double)(size - 9) * log2(58);
    int64_t lead = (int64_t)exp2(bits - 8 * (floor(bits / 8) + 1 - 4));
    for (int shift = 24; shift > 0; shift -= 8) {
        uint8_t byte = (uint8_t)(lead >> shift);
        if (byte < 0x80 && CLASS[byte] & CONTROL) return false;
    }
    if (size > 180) return true;
    uint8_t out[140] = {0};
    for (int64_t at = 0; at < size; at++) {
        uint32_t carry = BASE58[data[at]];
        for (int i = 139; i >= 0; i--, carry >>= 8) out[i] = (uint8_t)(carry += out[i] * 58u);
    }
    int first = 0;
    while (first < 140 && !out[first]) first++;
    return is_text(out + first, 140 - first, 0, 0);
}

static bool base85(bytes data, int64_t size) {
    uint8_t out[4100];
    if (size < 10 || size > 4096) return false;
    for (int alphabet = 0; alphabet < 2; alphabet++) {
        int64_t length = 0;
        bool text = true;
        for (int64_t at = 0; at < size && text; at += 5) {
            uint64_t value = 0;
            for (int64_t i = at; i < at + 5; i++) { /* filled with the highest digit */
                uint8_t letter = i < size ? alphabet ? data[i] - 33 : BASE85[data[i]] : 84;
                text &= letter < 85;
                value = value * 85 + letter;
            }
            text &= value < 1ull << 32;
            for (int shift = 24; shift >= 0 && text && length < at / 5 * 4 + (size - at < 5 ? size - at - 1 : 4); shift -= 8) {
                out[length++] = (uint8_t)(value >> shift);
                text &= !(CLASS[out[length - 1]] & CONTROL);
            }
            text &= at || length < 4 || out[0] < 0x80 || (0xC2 <= out[0] && out[0] <= 0xF4);
        }
        if (text && is_text(out, length, 0, 0)) return true;
    }
    return false;
}

/* Whether all of a leaf is a number that is looked for, in 32, 36 or 62 digits. */
static bool other_base(sieve *s, bytes data, int64_t size) {
    static const int bases[] = {32, 36, 62, 62};
    if (size < 6 || size > 13) return false;
    for (int way = 0; way < 4; way++) {
        uint64_t number = 0;
        int64_t at = 0;
        for (; at < size; at++) {
            uint8_t byte = data[at];
            int small = way == 2 ? 36 : 10, capital = way == 3 ? 36 : 10;
            int value = is_digit(byte) ? byte - '0' : byte >= 'a' ? byte - 'a' + small : byte - 'A' + capital;
            if (value >= bases[way]) break;
            number = number * (uint64_t)bases[way] + (uint64_t)value;
        }
        if (at < size || number < 1000000000) continue;
        uint8_t digits[24];
        int first = 24;
        for (; number; number /= 10) digits[--first] = (uint8_t)('0' + number % 10);
        if (has_number(s->texts, digits, first, 24, 1, 0, false)) return true;
    }
    return false;
}

/* Digests that are all of a leaf and no run: as UUID, or in hex without their leading noughts. */
static bool whole_digest(sieve *s, bytes data, int64_t size) {
    uint8_t out[8];
    int digits = 0;
    if (size == 36 && data[8] == '-' && data[13] == '-') {
        for (int at = 0; digits < 16 && at < 18; at++) {
            if (data[at] == '-') continue;
            if (HEX[data[at]] == 255) return false;
            out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] | HEX[data[at]] : HEX[data[at]] << 4);
            digits++;
        }
        return digits == 16 && begins_with(s->digests, out, 8);
    }
    for (int whole = 32; whole <= 64; whole += whole == 32 ? 8 : 24) {
        int lost = whole - (int)size;
        if (lost < 1 || lost > 2) continue;
        for (digits = 0; digits < 16; digits++) {
            uint8_t value = digits < lost ? 0 : HEX[data[digits - lost]];
            if (value == 255) return false;
            out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] | value : value << 4);
        }
        if (begins_with(s->digests, out, 8)) return true;
    }
    return false;
}

/* Whether all of a leaf is base32 with its digits first, and comes out as text. */
static bool base32hex(bytes data, int64_t size) {
    uint8_t out[LONGEST + WIDTH];
    uint32_t word = 0;
    int bits = 0, length = 0;
    while (size && data[size - 1] == '=') size--;
    if (size < 8 || size > LONGEST) return false;
    for (int64_t at = 0; at < size; at++) {
        uint8_t value = is_digit(data[at]) ? data[at] - '0' : (uint8_t)((data[at] | 32) - 'a' + 10);
        if (value > 31) return false;
        word = word << 5 | value;
        if ((bits += 5) < 8) continue;
        uint8_t byte = out[length++] = (uint8_t)(word >> (bits -= 8));
        if (CLASS[byte] & CONTROL || ((byte & 0xC0) == 0x80 && (length < 2 || out[length - 2] < 0x80))) return false;
        if (length > 1 && out[length - 2] >= 0xC0 && (byte & 0xC0) != 0x80) return false;
    }
    return is_text(out, length, 0, 0);
}

/* Hex with something between its bytes, letters with something between them. */
static bool spaced(bytes data, int64_t size) {
    for (int64_t at = 2; at + 8 < size; at++) {
        uint8_t mark = data[at];
        if ((mark == ' ' || mark == ':' || mark == '-' || mark == ',' || mark == '+') && data[at + 3] == mark && data[at + 6] == mark &&
            HEX[data[at - 1]] != 255 && HEX[data[at - 2]] != 255 && HEX[data[at + 1]] != 255 && HEX[data[at + 2]] != 255)
            return true;
    }
    if (size >= 14 && memchr(" :-", data[4], 3) && data[9] == data[4]) { /* groups of four */
        int64_t at = 0;
        while (at < size && (at % 5 == 4 ? data[at] == data[4] : HEX[data[at]] != 255)) at++;
        if (at == size) return true;
    }
    for (int64_t at = 0; at + 6 < size; at++)
        if (data[at] == '0' && data[at + 1] == 'x' && HEX[data[at + 2]] != 255 && HEX[data[at + 3]] != 255)
            for (int64_t next = at + 4; next < at + 7 && next + 1 < size; next++)
                if (data[next] == '0' && data[next + 1] == 'x') return true;
    if (size < 9 || !memchr(" ._-", data[1], 4)) return false;
    for (int64_t at = 3; at < size && at < 12; at += 2)
        if (data[at] != data[1]) return false;
    return true;
}

/* Whether that may be so, of up to 64 bytes. */
static bool may_be_spaced(bytes data, bytes lower, int64_t size, const masks *m) {
    uint64_t mark = m->blank;
    for (uint64_t other = some_bits(0, size) & ~(m->letter | m->digit | m->high | m->blank); other; other &= other - 1) {
        uint8_t byte = data[first_of(other)];
        if (byte == ':' || byte == '-' || byte == ',' || byte == '+') mark |= other & -other;
    }
    if (mark & mark >> 3 & mark >> 6 & m->hex >> 1 & m->hex >> 2) return true;
    if (mark >> 4 & mark >> 9 & 1 && size >= 14) return true;
    if (m->digit & m->letter >> 1) {
        uint64_t prefix = m->digit & where(lower, size, 'x') >> 1; /* 0x, twice */
        if (prefix & (prefix - 1)) return true;
    }
    return data[1] == data[3] && memchr(" ._-", data[1], 4);
}

static bool all_hex(bytes data, int64_t size) {
    for (int64_t at = 0; at < size; at++)
        if (HEX[data[at]] == 255) return false;
    return true;
}

/* What is all of a leaf, or of a field of a form in it. */
static bool field_matters(sieve *s, bytes data, int64_t size) {
    int kinds = 0;
    while (size && data[size - 1] == '=') size--;
    for (int64_t at = 0; at < size; at++) kinds |= CLASS[data[at]];
    kinds &= STOP - 1;
    if (size >= 30 && size <= 63 && whole_digest(s, data, size)) return true;
    if (size >= 24 && kinds & DIGIT && all_hex(data, size)) return false; /* too long to be that by chance */
    if (!(kinds & ~(LOWER | UPPER | DIGIT))) {
        if (base58(data, size) || (kinds & DIGIT && base32hex(data, size))) return true;
        if (kinds & DIGIT && kinds & (LOWER | UPPER) && other_base(s, data, size)) return true;
    }
    return !(kinds & (SPACE | HIGH)) && (kinds & (ODD | EQUAL) || (kinds & LOWER && kinds & UPPER)) && base85(data, size);
}

static bool fields_matter(sieve *s, bytes data, int64_t size, int kinds) {
    if (!(kinds & SPACE) && field_matters(s, data, size)) return true;
    int64_t first = 0;
    for (int64_t at = 0; kinds & EQUAL && at <= size; at++) {
        if (at < size && !memchr("=&; ", data[at], 4)) continue;
        if (at - first >= 6 && at - first < size && field_matters(s, data + first, at - first)) return true;
        first = at + 1;
    }
    return false;
}

/* Texts of up to 64 bytes, in which nothing of seven bytes or more that is looked for stands as it is. */
static int few_matter(sieve *s, bytes data, bytes lower, int64_t size, uint32_t kinds, const masks *m, bool bare, int depth) {
    const grams *g = s->texts;
    if (g->sizes & 0x7C) { /* short ones, where a word begins */
        uint64_t letter = m->letter, digit = m->digit, high = m->high, other = some_bits(0, size) & ~(letter | digit | high);
        uint64_t first = (g->sorts & 2 ? begins(letter) : 0) | (g->sorts & 4 ? begins(digit) : 0) |
                         (g->sorts & 8 ? high : 0) | (g->sorts & 1 ? other : 0);
        for (; first; first &= first - 1) {
            int at = first_of(first);
            if (at + 2 <= size && (lower[at] < 0x80 || lower[at] >= 0xC0 || !at || lower[at - 1] < 0x80) &&
                in(g->twos, (uint32_t)lower[at] | (uint32_t)lower[at + 1] << 8) && has_short(g, lower, at, size))
                return MATTERS;
        }
    }
    int said = kinds & DIGIT && some_number(s, data, size, kinds, m) ? numbers_matter(s, data, lower, size, (int)kinds) : DULL;
    if (said & MATTERS) return said;
    said |= few_words_matter(s, lower, size, m);
    if (size < 6) return said;
    if (bare) return size >= 30 && size <= 63 && whole_digest(s, data, size) ? MATTERS : said;
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
            said |= few_run_matters(s, data, first, length, m, depth);
            if (said & MATTERS) return said;
        }
    }
    if (size >= 24 && m->hex == some_bits(0, size) && m->digit) /* too long to be anything else by chance */
        return size >= 30 && size <= 63 && whole_digest(s, data, size) ? MATTERS : said;
    if (size >= 9 && kinds & (SPACE | RUN_MARK | POINT) && may_be_spaced(data, lower, size, m) && spaced(data, size)) return MATTERS;
    return fields_matter(s, data, size, (int)kinds) ? MATTERS : said;
}

static int text_matters(sieve *s, bytes data, bytes lower, int64_t size, int kinds, const masks *m, bool bare, int depth) {
    kinds &= STOP - 1;
    if (!bare && kinds & ~(LOWER | UPPER | DIGIT | SPACE | POINT) && escaped(data, size, kinds, s->punycode)) return MATTERS;
    if (kinds == DIGIT && size >= 7) { /* nothing but a number */
        int said = numbers_matter(s, data, lower, size, kinds) | (size <= PARTS && has_word(s, lower, size) ? BESIDE : DULL);
        if (has_text(s->outputs, lower, size, true)) return MATTERS;
        if (said & MATTERS || bare || size < 10) return said;
        if (size >= 30 && size <= 63 && whole_digest(s, data, size)) return MATTERS;
        return said | runs_matter(s, data, size, depth);
    }
    if (depth && memchr(data, '\n', (size_t)size)) return MATTERS; /* lines, parts of a mail */
    if (has_long(s->texts, lower, size) || has_text(s->outputs, lower, size, true)) return MATTERS;
    if (size <= WIDTH) return few_matter(s, data, lower, size, (uint32_t)kinds, m, bare, depth);
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

int varint_matters(sieve *s, uint64_t value) {
    for (int turn = 0; turn < 2; turn++) { /* as it is, and zigzag */
        uint8_t digits[24];
        int first = 24;
        for (uint64_t rest = value; rest; rest /= 10) digits[--first] = (uint8_t)('0' + rest % 10);
        if (24 - first >= 4 && numbers_matter(s, digits + first, digits + first, 24 - first, DIGIT)) return MATTERS;
        value = value & 1 ? (value + 1) / 2 : value / 2;
    }
    return DULL;
}

static bool varint(bytes data, int64_t size, int64_t *at, uint64_t *value) {
    *value = 0;
    for (int shift = 0; *at < size && shift < 64; shift += 7) {
        *value |= (uint64_t)(data[*at] & 0x7F) << shift;
        if (data[(*at)++] < 0x80) return true;
    }
    return false;
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
                        if (value % 4 == 0 && value >= 8 && s->number_of_places) said |= MATTERS; /* packed reals */
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
    for (int i = 0; i < 6 && size > whole[i]; i++) {
        if (size <= whole[i] + 64 && begins_with(s->digests, data + size - whole[i], 8)) return true;
        if (size < 2 * whole[i] || size % whole[i]) continue;
        for (int64_t at = whole[i]; at < size; at += whole[i])
            if (begins_with(s->digests, data + at, 8)) return true;
    }
    return false;
}

/* Whether a text stands in up to 64 bytes that are none themselves: what may be one of `texts` may be one of `raw`. */
static bool few_have_text(const sieve *s, bytes lower, int64_t size) {
    const grams *g = s->texts, *raw = s->raw;
    for (int64_t at = 0; at + 4 <= size; at += 4) {
        uint64_t word = load8(lower + at);
        if ((may(&raw->eights, eight(word)) || may(&raw->fours, four((uint32_t)word))) &&
            (has_long_text(raw, lower, at, 0, size) || has_long_text(g, lower, at, 0, size)))
            return true;
    }
    if ((g->sizes | raw->sizes) & 0x7C)
        for (int64_t at = 0; at + 2 <= size; at++)
            if (in(raw->twos, (uint32_t)lower[at] | (uint32_t)lower[at + 1] << 8) &&
                (has_short(raw, lower, at, size) || has_short(g, lower, at, size)))
                return true;
    return has_text(s->outputs, lower, size, true);
}

/* What was decoded; there is room for 64 bytes behind it. */
int decoded_matters(sieve *s, bytes data, int64_t size, int depth) {
    static const uint64_t sizes = 1ull << 4 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 16 | 1 << 20 | 1 << 24 | 1 << 28 | 1ull << 32 | 1ull << 48;
    if (size < 2) return DULL;
    if (((size < 64 && sizes >> size & 1) || size == 64) && begins_with(s->digests, data, size)) return MATTERS;
    if (depth > DEEPEST || size > LONGEST) return MATTERS;
    uint8_t lower[LONGEST + WIDTH];
    bool few = size <= WIDTH;
    masks m = {0};
    if (few)
        m = masks_of(data, size, data + WIDTH, lower);
    else
        lower_case(lower, data, size);
    memset(lower + size, 0, 8);
    if (!(few && has_control(data, &m)) && is_text(data, size, 0, 0)) {
        uint32_t kinds = 0;
        if (few)
            kinds = kinds_of(&m, data, size);
        else
            for (int64_t at = 0; at < size; at++) kinds |= CLASS[data[at]];
        return text_matters(s, data, lower, size, (int)kinds, &m, false, depth);
    }
    if (few ? few_have_text(s, lower, size)
            : has_text(s->texts, lower, size, true) || has_text(s->raw, lower, size, true) || has_text(s->outputs, lower, size, true))
        return MATTERS;
    if (!few || rows_of(m.digit, 7))
        for (int64_t at = 0, stop; at < size; at = stop + 1) { /* numbers that stand in it as they are */
            for (stop = at; stop < size && is_digit(data[stop]);) stop++;
            if (stop - at >= 7 && (has_number(s->texts, data, at, stop, 1, 0, true) || has_number(s->raw, data, at, stop, 1, 0, true)))
                return MATTERS;
        }
    if (digests_matter(s, data, size) || blob_matters(s, data, size, depth, few ? &m : NULL) || packed_places(s, data, size)) return MATTERS;
    int said = runs_matter(s, data, size, depth);
    return said & MATTERS ? said : said | protobuf_matters(s, data, size, depth);
}

int leaf_matters(sieve *s, bytes data, bytes lower, int64_t size, int kinds, const masks *m, bool bare) {
    return text_matters(s, data, lower, size, kinds, m, bare, 0);
}

PUBLIC sieve *sieve_new(const grams *texts, const grams *raw, const grams *outputs, const table *digests, const table *digits) {
    letters_begin();
    sieve *s = calloc(1, sizeof *s);
    if (s) s->texts = texts, s->raw = raw, s->outputs = outputs, s->digests = digests, s->digits = digits;
    return s;
}

PUBLIC void sieve_free(sieve *s) {
    free(s->words.places), free(s->words.some), free(s->strips.places), free(s->strips.some), free(s->places);
    free(s->reader.lower);
    free(s);
}

/* Numbers of one to four digits, each of its own size. */
uint32_t short_number(bytes data, int64_t size) {
    uint32_t number = 0, before = 0;
    for (int64_t at = 0; at < size; at++) number = number * 10 + (uint32_t)(data[at] - '0'), before = before * 10 + 1;
    return number + before - 1;
}

PUBLIC bool sieve_add_word(sieve *s, bytes lower, int64_t size, uint32_t slot) {
    uint64_t h = word_hash(lower, size);
    set(s->some_words, (uint32_t)(h >> 45));
    uint64_t sizes = 3ull << (size < 62 ? size : 62); /* a letter may be a byte longer in the other case */
    if (size > 1) sizes |= 1ull << (size < 64 ? size - 1 : 62);
    for (int first = lower[0] < 0x80 ? lower[0] : 0x80; first <= (lower[0] < 0x80 ? lower[0] : 0xFF); first++)
        s->word_sizes[first] |= sizes;
    for (int64_t other = size - 1; size > 1 && !((lower[0] | lower[1]) & 0x80) && other <= size + 1; other++)
        set(s->word_heads, word_head(lower, other));
    return table_put(&s->words, h, slot, 0);
}

/* A number that is one part of a value: short ones are looked up two at a time, as words. */
PUBLIC void sieve_add_short(sieve *s, bytes digits, int64_t size) { set(s->short_numbers, short_number(digits, size)); }
