/* Numbers in a text: those that are looked for, in any grouping, and those that may be a coordinate. */

#include "sift.h"

/* Whether groups of digits, the last of which ends here, are a number that is looked for. */
static bool grouped(sieve *s, bytes data, int64_t start, int64_t stop) {
    uint8_t last[24];
    int number = 0;
    for (int64_t at = stop - 1; at >= start && number < 24; at--) {
        if (is_digit(data[at])) {
            /* (0), which is not dialled from abroad */
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

/* Digits after a point or a comma: their value, their number, and where they end. */
static double fraction(bytes data, int64_t at, int64_t size, int *decimals, int64_t *end) {
    uint64_t value = 0;
    for (*decimals = 0; at < size && is_digit(data[at]); at++, ++*decimals)
        if (*decimals < 17) value = value * 10 + (uint64_t)(data[at] - '0');
    *end = at;
    if (*decimals > 17) *decimals = 17;
    return (double)value / TENS[*decimals];
}

/* Degrees, minutes and seconds with colons or blanks between them; times of day look the same. */
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

/* Degrees, minutes and seconds without separators: +311418.10, as in ISO 6709. */
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

/* Whether a number continues with a power of ten, and is then the whole text or a field of it. */
static bool exponent(bytes data, int64_t at, int64_t size) {
    if (at >= size || (data[at] | 32) != 'e') return false;
    at += at + 1 < size && (data[at + 1] == '+' || data[at + 1] == '-') ? 2 : 1;
    int64_t first = at;
    while (at < size && is_digit(data[at])) at++;
    return at > first && at - first <= 2 && (at == size || CLASS[data[at]] & (SPACE | POINT | AMPERSAND | SEMICOLON | EQUAL));
}

/* Whether a number is all of a text except for a sign, or an entry of a list. */
static bool apart_from_letters(bytes data, int64_t at, int64_t stop, int64_t size) {
    if (at && data[at - 1] == '-') at--;
    return (!at || memchr(",;| ", data[at - 1], 4)) && (stop == size || memchr(",;| ", data[stop], 4));
}

/* Whether this integer is the first eight bytes of a digest, in either byte order, with or without its sign. */
static bool long_matters(const sieve *s, bytes data, int64_t at, int64_t stop) {
    uint64_t value = 0;
    for (int64_t i = at; i < stop; i++) value = value * 10 + (uint64_t)(data[i] - '0');
    bool negative = at && data[at - 1] == '-';
    for (int way = negative ? 1 : 0; way < 2; way++) {
        uint64_t little = way ? -value : value, big = __builtin_bswap64(little);
        if (begins_with(s->digests, (bytes)&little, 8) || begins_with(s->digests, (bytes)&big, 8)) return true;
    }
    return false;
}

int numbers_matter(sieve *s, bytes data, bytes lower, int64_t size, int kinds) {
    int64_t spots = s->spots_found, last_end = -1;
    bool apart = true; /* whether anything but separators stood between the last digits and here */
    for (int64_t at = 0; at < size; at++) {
        if (!is_digit(data[at])) {
            apart |= !(CLASS[data[at]] & (SEPARATOR | SPACE));
            continue;
        }
        int64_t stop = at + 1;
        while (stop < size && is_digit(data[stop])) stop++;
        if (stop - at >= 7 && s->texts->sizes && has_number(s->texts, lower, at, stop, 0, size, false)) return MATTERS;
        if (stop - at >= 17 && apart_from_letters(data, at, stop, size)) {
            if (stop - at >= 24) return MATTERS; /* a digest as one long number */
            if (stop - at <= 20 && long_matters(s, data, at, stop)) return MATTERS;
        }
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
                if (left == ' ' || (left && memchr("NSEWnsew", left, 8)) || (end < size && (data[end] == ' ' || is_letter(data[end]))))
                    either_near(s, value, 1 / TENS[decimals]); /* with a hemisphere */
                if (end + 1 < size && data[end] == ',' && memchr("NSEW", data[end + 1], 4)) return MATTERS;
                if (stop - at >= 4 && decimals >= 2 && end < size && memchr("NSEW", data[end], 4)) return MATTERS; /* 3113.82N */
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

/* Whether up to 64 bytes may contain a number that matters. */
bool some_number(const sieve *s, bytes data, int64_t size, uint32_t kinds, const masks *m) {
    uint64_t digit = m->digit;
    for (uint64_t rest = rows_of(digit, 7) & begins(digit); rest; rest &= rest - 1) {
        int first = first_of(rest);
        uint64_t behind = ~(digit >> first);
        if (has_number(s->texts, data, first, first + (behind ? first_of(behind) : 64 - first), 0, size, false)) return true;
    }
    if (digit & 1) { /* 13800138e3 */
        int64_t stop = first_of(~digit | 1ull << 63);
        if (stop == size ? size >= 24 : (data[stop] | 32) == 'e' && (rows_of(digit, 10) || exponent(data, stop, size))) return true;
    }
    if (rows_of(digit, 16) & rows_of(digit, 16) >> 1) return true; /* a digest as a number */
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

int varint_matters(sieve *s, uint64_t value) {
    for (int turn = 0; turn < 2; turn++) { /* as it is, and decoded from zigzag */
        uint8_t digits[24];
        int first = 24;
        for (uint64_t rest = value; rest; rest /= 10) digits[--first] = (uint8_t)('0' + rest % 10);
        if (24 - first >= 4 && numbers_matter(s, digits + first, digits + first, 24 - first, DIGIT)) return MATTERS;
        value = value & 1 ? (value + 1) / 2 : value / 2;
    }
    return DULL;
}
