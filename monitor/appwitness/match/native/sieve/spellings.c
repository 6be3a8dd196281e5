/* Ways to write a text, or a field of one: escapes, other bases, letters with separators. */

#include "sift.h"
#include <math.h>

static int utf_8(uint32_t unit, uint8_t *out) {
    if (unit < 0x80) return out[0] = (uint8_t)unit, 1;
    if (unit < 0x800) return out[0] = (uint8_t)(0xC0 | unit >> 6), out[1] = (uint8_t)(0x80 | (unit & 63)), 2;
    out[0] = (uint8_t)(0xE0 | unit >> 12), out[1] = (uint8_t)(0x80 | (unit >> 6 & 63));
    return out[2] = (uint8_t)(0x80 | (unit & 63)), 3;
}

/* Whether a digit of a script other than Arabic begins: Persian, Indian, Thai, Lao, Tibetan, Khmer, Burmese. */
static bool other_digit(uint8_t first, uint8_t second, uint8_t third) {
    if (first == 0xDB) return second >= 0xB0 && second <= 0xB9;
    if (first == 0xE1) return (second == 0x9F && third >= 0xA0 && third <= 0xA9) || (second == 0x81 && third <= 0x89);
    return (second & 1 && second >= 0xA5 && second <= 0xB5 && third >= 0xA6 && third <= 0xAF) ||
           ((second == 0xB9 || second == 0xBB) && third >= 0x90 && third <= 0x99) || (second == 0xBC && third >= 0xA0 && third <= 0xA9);
}

/* For a letter of text misread as latin-1 or cp1252, its size if it stands for a continuation byte of UTF-8; else 0. */
static int further(bytes data, int64_t size) {
    if (size < 2) return 0;
    switch (data[0]) {
        case 0xC2: return 2;
        case 0xC5: return data[1] && strchr("\x92\x93\xA0\xA1\xB8\xBD\xBE", data[1]) ? 2 : 0;
        case 0xC6: return data[1] == 0x92 ? 2 : 0;
        case 0xCB: return data[1] == 0x86 || data[1] == 0x9C ? 2 : 0;
        case 0xE2: return size > 2 && (data[1] == 0x80 || data[1] == 0x82 || data[1] == 0x84) ? 3 : 0;
        default: return 0;
    }
}

/* Whether the letter at C3 begins a UTF-8 character that was misread as letters. */
static bool taken_for_latin(bytes data, int64_t size) {
    uint8_t lead = size > 1 ? data[1] | 0x40 : 0;
    int more = lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    int64_t at = 2;
    for (int step; more && (step = further(data + at, size - at)); more--) at += step;
    return at > 2 && !more;
}

/* Whether there is a code point such as `U+674E` anywhere. */
static bool code_points(bytes data, int64_t size) {
    bytes end = data + size;
    for (bytes plus = memchr(data, '+', (size_t)size); plus; plus = memchr(plus + 1, '+', (size_t)(end - plus - 1)))
        if (plus > data && plus[-1] == 'U' && plus + 4 < end && HEX[plus[1]] != 255 && HEX[plus[2]] != 255 && HEX[plus[3]] != 255) return true;
    return false;
}

/* Whether anything is escaped, or there is a document or markup inside. */
bool escaped(bytes data, int64_t size, int kinds, bool punycode) {
    if (kinds & BRACKET || (kinds & AMPERSAND && kinds & SEMICOLON)) return true;
    if (kinds & PLUS && code_points(data, size)) return true;
    if (!(kinds & (ESCAPE | HIGH | EQUAL)) && !(punycode && kinds & RUN_MARK)) return false;
    for (int64_t at = 0; at < size; at++) {
        uint8_t byte = data[at], next = at + 1 < size ? data[at + 1] : 0, third = at + 2 < size ? data[at + 2] : 0;
        switch (byte) {
            case '\\': case '<': case 0xCC: case 0xCD: case 0xEF:
                return true;
            case 0xC3:
                if (taken_for_latin(data + at, size - at)) return true;
                break;
            case 0xC2:
                if (next == 0xA0 || next == 0xB0 || next == 0xBA || next == 0xB2 || next == 0xB3 || next == 0xB9) return true;
                break;
            case 0xCB:
                if (next == 0x9A) return true;
                break;
            case 0xD9:
                if (0xA0 <= next && next <= 0xA9) return true;
                break;
            case 0xDB: case 0xE0: case 0xE1:
                if (other_digit(byte, next, third)) return true;
                break;
            case 0xE2: /* dashes and spaces, superscript and circled digits, keycaps */
                if (next == 0x80 || next == 0x81 || next == 0x88) return true;
                if ((next == 0x82 && third < 0x8A) || (next == 0x83 && third == 0xA3) || next == 0x91 || next == 0x93) return true;
                break;
            case 0xE5: /* degrees */
                if (next == 0xBA && third == 0xA6 && at && is_digit(data[at - 1])) return true;
                break;
            case 0xF0: /* mathematical letters and digits */
                if (next == 0x9D && third >= 0x90) return true;
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

static bool base85(bytes data, int64_t size) {
    uint8_t out[4100];
    if (size < 10 || size > 4096) return false;
    for (int alphabet = 0; alphabet < 2; alphabet++) {
        int64_t length = 0;
        int follow = 0; /* bytes still missing from a character */
        bool text = true;
        for (int64_t at = 0; at < size && text; at += 5) {
            uint64_t value = 0;
            for (int64_t i = at; i < at + 5; i++) { /* padded with the highest digit */
                uint8_t letter = i < size ? alphabet ? data[i] - 33 : BASE85[data[i]] : 84;
                text &= letter < 85;
                value = value * 85 + letter;
            }
            text &= value < 1ull << 32;
            for (int shift = 24; shift >= 0 && text && length < at / 5 * 4 + (size - at < 5 ? size - at - 1 : 4); shift -= 8) {
                uint8_t byte = out[length++] = (uint8_t)(value >> shift);
                bool follows = (byte & 0xC0) == 0x80;
                text &= !(CLASS[byte] & CONTROL) & (follows == (follow > 0));
                follow = follows ? follow - 1 : byte < 0x80 ? 0 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
            }
        }
        if (text && is_text(out, length)) return true;
    }
    return false;
}

/* Whether all of a leaf is a number that is looked for, in base 32 or 36. */
static bool other_base(sieve *s, bytes data, int64_t size) {
    if (size < 7 || size > 13) return false;
    for (int base = 32; base <= 36; base += 4) {
        uint64_t number = 0;
        int64_t at = 0;
        for (; at < size; at++) {
            int value = is_digit(data[at]) ? data[at] - '0' : (data[at] | 32) - 'a' + 10;
            if (value >= base) break;
            number = number * (uint64_t)base + (uint64_t)value;
        }
        if (at < size || number < 1000000000) continue;
        uint8_t digits[24];
        int first = 24;
        for (; number; number /= 10) digits[--first] = (uint8_t)('0' + number % 10);
        if (has_number(s->texts, digits, first, 24, 1, 0, false)) return true;
    }
    return false;
}

/* Whether an output of the app's own transforms stands in a few bytes, after which 64 may be written. */
static bool is_output(sieve *s, uint8_t *out, int64_t size) {
    lower_case(out, out, size);
    memset(out + size, 0, 8);
    return has_text(s->outputs, out, size, true);
}

/* Whether all of a leaf is such an output as one number, in base 10 or 36; negative if its first bit was taken for a
   sign. */
static bool numbered(sieve *s, bytes data, int64_t size) {
    enum { MOST_BYTES = 40 };
    bool negative = size && data[0] == '-';
    if (!s->outputs->sizes || size < 17 || size > 50 + negative) return false;
    for (uint32_t base = 10; base <= 36; base += 26) {
        uint8_t out[MOST_BYTES + WIDTH] = {0};
        int64_t at = negative;
        for (; at < size; at++) {
            uint32_t carry = is_digit(data[at]) ? (uint32_t)(data[at] - '0') : is_letter(data[at]) ? (uint32_t)((data[at] | 32) - 'a' + 10) : base;
            if (carry >= base) break;
            for (int i = MOST_BYTES - 1; i >= 0; i--, carry >>= 8) out[i] = (uint8_t)(carry += out[i] * base);
        }
        if (at < size) continue;
        for (int i = MOST_BYTES - 1, carry = negative; i >= 0 && negative; i--) carry += (uint8_t)~out[i], out[i] = (uint8_t)carry, carry >>= 8;
        if (is_output(s, out, MOST_BYTES)) return true;
    }
    return false;
}

/* Prefetch for a digest that is written as a UUID. */
void soon_whole(const sieve *s, bytes data) {
    uint8_t digits[32], out[16];
    memcpy(digits, data, 8), memcpy(digits + 8, data + 9, 4), memcpy(digits + 12, data + 14, 4);
    from_hex(out, digits, 8);
    soon_begins(s->digests, out);
}

/* Whether a known digest may begin like this in unpadded hex, in which each byte below 16 is one digit: `lost` digits
   are missing in all. Sixteen digits may be read. */
static bool unpadded(const table *t, bytes digits, int lost, uint8_t *out, int made) {
    if (made == 8) return begins_with(t, out, 8);
    out[made] = HEX[digits[0]];
    if (lost && unpadded(t, digits + 1, lost - 1, out, made + 1)) return true;
    out[made] = (uint8_t)(HEX[digits[0]] << 4 | HEX[digits[1]]);
    return digits[0] != '0' && unpadded(t, digits + 2, lost, out, made + 1);
}

/* Digests that are all of a leaf but not a run: as a UUID, or in hex without the leading zeros of the digest or of each
   byte. */
bool whole_digest(sieve *s, bytes data, int64_t size) {
    uint8_t out[16 + WIDTH];
    int digits = 0;
    if (size == 36 && data[8] == '-' && data[13] == '-') {
        int wanted = s->outputs->sizes ? 32 : 16;
        for (int at = 0; digits < wanted && at < 36; at++) {
            if (data[at] == '-') continue;
            if (HEX[data[at]] == 255) return false;
            out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] | HEX[data[at]] : HEX[data[at]] << 4);
            digits++;
        }
        return digits == wanted && (begins_with(s->digests, out, 8) || (wanted == 32 && is_output(s, out, 16)));
    }
    for (int whole = 32; whole <= 64; whole += whole == 32 ? 8 : 24) {
        int lost = whole - (int)size, most = whole == 64 ? 6 : 5;
        if (lost < 1 || lost > most) continue;
        for (int at = 0; at < size; at++)
            if (HEX[data[at]] == 255) return false;
        if (unpadded(s->digests, data, lost, out, 0)) return true;
        if (lost > 2) continue;
        for (digits = 0; digits < 16; digits++) {
            uint8_t value = digits < lost ? 0 : HEX[data[digits - lost]];
            if (value == 255) return false;
            out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] | value : value << 4);
        }
        if (begins_with(s->digests, out, 8)) return true;
    }
    return false;
}

/* Hex with separators between its bytes. */
bool spaced(bytes data, int64_t size) {
    for (int64_t at = 2; at + 8 < size; at++) {
        uint8_t mark = data[at];
        if ((mark == ' ' || mark == ':' || mark == '-' || mark == ',' || mark == '+') && data[at + 3] == mark && data[at + 6] == mark &&
            HEX[data[at - 1]] != 255 && HEX[data[at - 2]] != 255 && HEX[data[at + 1]] != 255 && HEX[data[at + 2]] != 255)
            return true;
    }
    for (int group = 4; group <= 16; group *= 2) { /* groups of four, eight or sixteen */
        if (size < (group == 4 ? 14 : 17) || !memchr(" :-", data[group], 3) || (group == 4 && data[9] != data[4])) continue;
        int64_t at = 0;
        while (at < size && (at % (group + 1) == group ? data[at] == data[group] : HEX[data[at]] != 255)) at++;
        if (at == size) return true;
    }
    for (int64_t at = 0; at + 6 < size; at++)
        if (data[at] == '0' && data[at + 1] == 'x' && HEX[data[at + 2]] != 255 && HEX[data[at + 3]] != 255)
            for (int64_t next = at + 4; next < at + 7 && next + 1 < size; next++)
                if (data[next] == '0' && data[next + 1] == 'x') return true;
    return false;
}

/* Whether up to 64 bytes may be hex with separators. */
bool may_be_spaced(bytes data, bytes lower, int64_t size, const masks *m) {
    uint64_t mark = m->blank;
    for (uint64_t other = some_bits(0, size) & ~(m->letter | m->digit | m->high | m->blank); other; other &= other - 1) {
        uint8_t byte = data[first_of(other)];
        if (byte == ':' || byte == '-' || byte == ',' || byte == '+') mark |= other & -other;
    }
    if (mark & mark >> 3 & mark >> 6 & m->hex >> 1 & m->hex >> 2) return true;
    if (mark >> 4 & mark >> 9 & 1 && size >= 14) return true;
    if ((mark >> 8 | mark >> 16) & 1 && size >= 17 && (size != 36 || data[13] != '-') && (m->hex | mark) == some_bits(0, size)) return true;
    if (m->digit & m->letter >> 1) {
        uint64_t prefix = m->digit & where(lower, size, 'x') >> 1; /* 0x, twice */
        if (prefix & (prefix - 1)) return true;
    }
    return false;
}

/* Bytes or characters as numbers with a separator between any two: 12,-33, 26446 21326. Returns the size of the decoded
   bytes, at most LONGEST; 0 if they are no such numbers. */
int64_t from_codes(uint8_t *out, bytes data, int64_t size) {
    int64_t at = 0, length = 0, numbers = 0;
    for (; at < size; numbers++) {
        bool negative = data[at] == '-';
        int64_t first = at += negative;
        uint32_t value = 0;
        for (; at < size && at < first + 6 && is_digit(data[at]); at++) value = value * 10 + (uint32_t)(data[at] - '0');
        if (at == first || at == first + 6 || (negative && value > 128) || length + 4 > LONGEST) return 0;
        if (negative || value < 256)
            out[length++] = (uint8_t)(negative ? -value : value);
        else
            length += utf_8(value < 0x10000 ? value : 0xFFFD, out + length);
        if (at == size) continue;
        if (!memchr(" ,;|", data[at], 4)) return 0;
        at += data[at] == ',' && at + 1 < size && data[at + 1] == ' ' ? 2 : 1;
        if (at == size) return 0;
    }
    if (numbers < 4 || (numbers < 8 && !is_text(out, length))) return 0;
    return length;
}

static bool all_hex(bytes data, int64_t size) {
    for (int64_t at = 0; at < size; at++)
        if (HEX[data[at]] == 255) return false;
    return true;
}

/* Something that is all of a leaf, or of a form field in it; kinds: of its letters, or zero. */
static bool field_matters(sieve *s, bytes data, int64_t size, int kinds) {
    if (!kinds || kinds & EQUAL) {
        kinds = 0;
        while (size && data[size - 1] == '=') size--;
        for (int64_t at = 0; at < size; at++) kinds |= CLASS[data[at]];
    }
    kinds &= STOP - 1;
    if (size >= 30 && size <= 63 && whole_digest(s, data, size)) return true;
    if (numbered(s, data, size)) return true;
    if (size >= 24 && kinds & DIGIT && all_hex(data, size)) return false; /* too long to be all hex by chance */
    if (!(kinds & ~(LOWER | UPPER | DIGIT)) && kinds & DIGIT && kinds & (LOWER | UPPER) && other_base(s, data, size)) return true;
    return !(kinds & (SPACE | HIGH)) && (kinds & (ODD | EQUAL) || (kinds & LOWER && kinds & UPPER)) && base85(data, size);
}

bool fields_matter(sieve *s, bytes data, int64_t size, int kinds) {
    if (!(kinds & SPACE) && field_matters(s, data, size, kinds)) return true;
    int64_t first = 0;
    for (int64_t at = 0; kinds & EQUAL && at <= size; at++) {
        if (at < size && !memchr("=&; ", data[at], 4)) continue;
        if (at - first >= 6 && at - first < size && field_matters(s, data + first, at - first, 0)) return true;
        first = at + 1;
    }
    return false;
}
