#include "sift.h"
#include <math.h>

static bool begins_with(const table *t, bytes data, int64_t size) {
    uint64_t word = 0;
    if (!t->used) return false;
    for (int at = 0; at < 8 && at < size; at++) word |= (uint64_t)data[at] << 8 * at;
    return has(t, mixed(word));
}

static bool has_short(const grams *g, bytes lower, int64_t size) {
    if (g->sizes & 0x0C)
        for (int window = 2; window < 4 && window <= size; window++)
            if (g->sizes >> window & 1 && has(&g->windows, hash(lower, window))) return true;
    if (g->sizes & 0x70 && size >= 4 && may(&g->firsts, bit_of(load4(lower), 0)))
        for (int window = 4; window < SHORT && window <= size; window++)
            if (g->sizes >> window & 1 && has(&g->windows, hash(lower, window))) return true;
    return false;
}

static int sort_of(uint8_t byte) { return is_letter(byte) ? 1 : is_digit(byte) ? 2 : byte >= 0x80 ? 3 : 0; }

/* Whether any text stands in the bytes, but for numbers; loose: short ones may begin anywhere, not only with a word. */
static bool has_text(const grams *g, bytes lower, int64_t size, bool loose) {
    if (!g->sizes) return false;
    bool some_long = g->sizes >> LONG & 1 && size >= LONG, some_middle = g->sizes >> SHORT & 3 && size >= SHORT;
    if (some_long || some_middle)
        for (int64_t at = 0; at + 4 <= size; at += 4) {
            uint32_t word = load4(lower + at);
            if (some_long && at + 8 <= size && may(&g->eights, bit_of(word, load4(lower + at + 4))))
                for (int64_t first = at < 3 ? 0 : at - 3; first <= at && first + LONG <= size; first++)
                    if (may(&g->sevens, bit_of(load4(lower + first), load4(lower + first + 3))) &&
                        has(&g->windows, hash(lower + first, LONG)))
                        return true;
            if (some_middle && may(&g->fours, bit_of(word, 0)))
                for (int64_t first = at < 3 ? 0 : at - 3; first <= at && first + SHORT <= size; first++)
                    if (may(&g->sevens, bit_of(load4(lower + first), load4(lower + first + 3))) &&
                        (has(&g->windows, hash(lower + first, SHORT)) ||
                         (first + MIDDLE <= size && has(&g->windows, hash(lower + first, MIDDLE)))))
                        return true;
        }
    for (int64_t first = 0; g->sizes & 0x7C && first + 2 <= size; first++) {
        if (!in(g->twos, (uint32_t)lower[first] | (uint32_t)lower[first + 1] << 8)) continue;
        int sort = sort_of(lower[first]);
        if ((loose || !first || !sort || lower[first] >= 0xC0 || sort != sort_of(lower[first - 1])) &&
            has_short(g, lower + first, size - first))
            return true;
    }
    return false;
}

/* Whether a number that is looked for ends where these digits end, or, as in an IMEI with its software version, two
   before; loose: up to three before, for in binary data a digit may follow by chance. */
static bool has_number(const grams *g, bytes lower, int64_t start, int64_t end, bool loose) {
    static const int sizes[] = {LONG, MIDDLE, SHORT};
    for (int back = 0; back < 4 && end - back >= start + 7; back += loose ? 1 : 2) {
        int64_t stop = end - back;
        if (!in(g->endings, seven_digits(lower + stop))) continue;
        for (int i = 0; i < 3; i++)
            if (stop - sizes[i] >= start && has(&g->windows, hash(lower + stop - sizes[i], sizes[i]))) return true;
    }
    return false;
}

/* Of a word whose letters may be of either case: those of two bytes, such as é, are left out. */
uint64_t word_hash(bytes lower, int64_t size) {
    uint64_t h = 0x9E3779B97F4A7C15u;
    for (int64_t at = 0; at < size; at++) {
        if (0xC2 <= lower[at] && lower[at] < 0xE0)
            at++;
        else
            h = (h ^ lower[at]) * 0x100000001B3u;
    }
    return mixed(h);
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
                if (has(s->digits, mixed(word)) || has_number(s->texts, last, 24 - number, 24, false)) return true;
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
    double value = 0, scale = 1;
    for (*decimals = 0; at < size && is_digit(data[at]); at++, ++*decimals)
        if (*decimals < 17) value += (data[at] - '0') * (scale /= 10);
    *end = at;
    if (*decimals > 17) *decimals = 17;
    return value;
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
            unit = pow(10, -decimals) / scale;
        }
        degrees += value / scale;
        scale *= 60;
        if (++parts > 1) either_near(s, degrees, unit);
        if (at < size && (data[at] == ':' || data[at] == ' ')) at++;
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
        if (stop - at >= 7 && s->texts->sizes && has_number(s->texts, lower, at, stop, false)) return MATTERS;
        if (stop - at >= 24 && !at && stop == size) return MATTERS; /* a digest as one long number */
        if (!apart && last_end >= 0 && kinds & (SEPARATOR | SPACE) && grouped(s, data, 0, stop)) return MATTERS;
        apart = false, last_end = stop;
        uint8_t left = at ? data[at - 1] : 0, right = stop < size ? data[stop] : 0;
        uint8_t next = stop + 1 < size ? data[stop + 1] : 0;
        if (!at && exponent(data, stop, size)) return MATTERS; /* 13800138e3 */
        if (s->number_of_places) {
            if (right == '.' && is_digit(next) && stop - at <= 8) {
                int decimals;
                int64_t end;
                double value = digits_value(data, at, stop) + fraction(data, stop + 1, size, &decimals, &end);
                if (left != '.' && left != '_' && !is_letter(left)) number_near(s, value, decimals);
                if (left == ' ' || (end < size && (data[end] == ' ' || is_letter(data[end]))))
                    either_near(s, value, pow(10, -decimals)); /* with a hemisphere */
                if (end + 1 < size && data[end] == ',' && memchr("NSEW", data[end + 1], 4)) return MATTERS;
                if (exponent(data, end, size)) return MATTERS; /* 1.3800138E10 */
                at = end - 1, last_end = end;
                continue;
            }
            if (right == ',' && is_digit(next) && stop - at <= 3 && left != ',') {
                int decimals;
                int64_t end;
                double value = digits_value(data, at, stop) + fraction(data, stop + 1, size, &decimals, &end);
                if (decimals >= 2) either_near(s, value, pow(10, -decimals));
            }
            if (right == '/' && next == '1' && stop + 2 < size && data[stop + 2] == ',') return MATTERS; /* EXIF */
            if ((right == ':' || right == ' ') && is_digit(next) && stop - at <= 3) sexagesimal(s, data, at, size);
            if (stop - at >= 4 && stop - at <= 11 && !is_letter(right) && right != '_' && !is_letter(left) &&
                left != '_' && left != '.' && !(right == '.' && is_digit(next)))
                number_near(s, digits_value(data, at, stop), 0);
        }
        at = stop - 1;
    }
    return s->spots_found > spots ? PLACED : DULL;
}

/* --- runs --- */

static int base64_matters(sieve *s, bytes data, int64_t size, int depth) {
    uint8_t out[LONGEST + 8];
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
    uint8_t out[LONGEST];
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
    if (size >= 16 && hexadecimal < size) {
        said |= base32_matters(s, data, size, depth);
        if (said & MATTERS) return said;
    }
    if (size >= 16 && hexadecimal == size) said |= base32_matters(s, data, size, depth);
    bool digits = !(kinds & (LOWER | UPPER | RUN_MARK));
    if (is_word(data, size) && !(digits && size >= 12 && size % 2 == 0)) return said;
    bool prefixed = size > 2 && data[0] == '0' && (data[1] | 32) == 'x' && hexadecimal == size - 1;
    bool odd = size % 2;
    if (hexadecimal == size || prefixed) {
        uint8_t out[LONGEST];
        bytes first = data + (prefixed ? 2 : odd);
        int64_t length = (size - (first - data)) / 2;
        if (length > LONGEST) return MATTERS;
        for (at = 0; at < length; at++) out[at] = (uint8_t)(HEX[first[2 * at]] << 4 | HEX[first[2 * at + 1]]);
        bool skipped = digits && size < 40 && !odd && !is_text(out, length, 0, 0);
        if (skipped) return said;
        if (!odd || size > 16) said |= decoded_matters(s, out, length, depth + 1);
        if (said & MATTERS || (size > 14 && !odd)) return said;
    } else if (odd && size > 16 && hexadecimal == size - 1 && HEX[data[0]] == 255) {
        uint8_t out[LONGEST];
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

static int runs_matter(sieve *s, bytes data, int64_t size, int depth) {
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
    uint8_t out[LONGEST];
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

/* Words that are a part of a value, or the name of a cell. */
static bool has_word(const sieve *s, bytes lower, int64_t size) {
    if (!(s->word_sizes[lower[0]] >> (size < 63 ? size : 63) & 1)) return false;
    uint64_t h = word_hash(lower, size);
    return in(s->some_words, h >> 45) && has(&s->words, h);
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

static bool base58(bytes data, int64_t size) {
    if (size < 11 || size > 1024) return false;
    double top = 0;
    for (int64_t at = 0; at < size; at++) {
        if (BASE58[data[at]] == 255) return false;
        if (at < 9) top = top * 58 + BASE58[data[at]];
    }
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
        if (has_number(s->texts, digits, first, 24, false)) return true;
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
    uint8_t out[LONGEST];
    uint32_t word = 0;
    int bits = 0, length = 0;
    while (size && data[size - 1] == '=') size--;
    if (size < 8 || size > LONGEST) return false;
    for (int64_t at = 0; at < size; at++) {
        uint8_t value = is_digit(data[at]) ? data[at] - '0' : (uint8_t)((data[at] | 32) - 'a' + 10);
        if (value > 31) return false;
        word = word << 5 | value;
        if ((bits += 5) < 8) continue;
        out[length++] = (uint8_t)(word >> (bits -= 8));
        if (CLASS[out[length - 1]] & CONTROL) return false;
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

/* What is all of a leaf, or of a field of a form in it. */
static bool field_matters(sieve *s, bytes data, int64_t size) {
    int kinds = 0;
    while (size && data[size - 1] == '=') size--;
    for (int64_t at = 0; at < size; at++) kinds |= CLASS[data[at]];
    kinds &= STOP - 1;
    if (size >= 30 && size <= 63 && whole_digest(s, data, size)) return true;
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

static int text_matters(sieve *s, bytes data, bytes lower, int64_t size, int kinds, bool bare, int depth) {
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
    if (has_text(s->texts, lower, size, false) || has_text(s->outputs, lower, size, true)) return MATTERS;
    int said = kinds & DIGIT ? numbers_matter(s, data, lower, size, kinds) : DULL;
    if (said & MATTERS) return said;
    said |= words_matter(s, data, lower, size);
    if (size < 6) return said;
    if (bare) return size >= 30 && size <= 63 && whole_digest(s, data, size) ? MATTERS : said;
    if (kinds & PLUS) said |= utf_7_matters(s, data, size, depth);
    if (size >= 8) said |= runs_matter(s, data, size, depth);
    if (said & MATTERS) return said;
    if (size >= 9 && kinds & (SPACE | RUN_MARK | POINT) && spaced(data, size)) return MATTERS;
    return fields_matter(s, data, size, kinds) ? MATTERS : said;
}

/* --- what is decoded --- */

static int varint_matters(sieve *s, uint64_t value) {
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
    for (int pass = 0; pass < 2; pass++) /* first whether it is one */
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
                default:
                    return DULL;
            }
            if (said & MATTERS) return said;
        }
    return said;
}

int decoded_matters(sieve *s, bytes data, int64_t size, int depth) {
    static const uint64_t sizes = 1ull << 4 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 16 | 1 << 20 | 1 << 24 | 1 << 28 | 1ull << 32 | 1ull << 48;
    if (size < 2) return DULL;
    if (((size < 64 && sizes >> size & 1) || size == 64) && begins_with(s->digests, data, size)) return MATTERS;
    if (depth > DEEPEST || size > LONGEST) return MATTERS;
    uint8_t lower[LONGEST];
    int kinds = 0;
    for (int64_t at = 0; at < size; at++) lower[at] = lowered(data[at]), kinds |= CLASS[data[at]];
    if (!(kinds & CONTROL) && is_text(data, size, 0, 0)) return text_matters(s, data, lower, size, kinds, false, depth);
    if (has_text(s->texts, lower, size, true) || has_text(s->outputs, lower, size, true)) return MATTERS;
    for (int64_t at = 0, stop; kinds & DIGIT && at < size; at = stop + 1) { /* numbers that stand in it as they are */
        for (stop = at; stop < size && is_digit(data[stop]);) stop++;
        if (stop - at >= 7 && has_number(s->texts, data, at, stop, true)) return MATTERS;
    }
    for (int i = 0; i < 6 && size > 16; i++) { /* several digests, or one with a little before or behind it */
        static const int whole[] = {16, 20, 28, 32, 48, 64};
        for (int64_t at = whole[i]; size % whole[i] == 0 && at < size; at += whole[i])
            if (begins_with(s->digests, data + at, 8)) return MATTERS;
        if (size > whole[i] && size <= whole[i] + 64 &&
            (begins_with(s->digests, data, 8) || begins_with(s->digests, data + size - whole[i], 8)))
            return MATTERS;
    }
    if (blob_matters(data, size) || packed_places(s, data, size)) return MATTERS;
    int said = runs_matter(s, data, size, depth);
    return said & MATTERS ? said : said | protobuf_matters(s, data, size, depth);
}

int leaf_matters(sieve *s, bytes data, bytes lower, int64_t size, int kinds, bool bare) {
    return text_matters(s, data, lower, size, kinds, bare, 0);
}

PUBLIC sieve *sieve_new(const grams *texts, const grams *outputs, const table *digests, const table *digits) {
    letters_begin();
    sieve *s = calloc(1, sizeof *s);
    if (s) s->texts = texts, s->outputs = outputs, s->digests = digests, s->digits = digits;
    return s;
}

PUBLIC void sieve_free(sieve *s) {
    free(s->words.places), free(s->words.some), free(s->strips.places), free(s->strips.some), free(s->places);
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
    return table_put(&s->words, h, slot);
}

/* A number that is one part of a value: short ones are looked up two at a time, as words. */
PUBLIC void sieve_add_short(sieve *s, bytes digits, int64_t size) { set(s->short_numbers, short_number(digits, size)); }
