/* Whether a decompressor might find something in a few bytes: deflate, Brotli, LZ4 and Snappy without a header. */

#include "sift.h"

/* Up to 25 bits of a stream that starts with the lowest bit of a byte. */
static int bits(bytes data, int64_t size, int64_t first, int number) {
    int64_t at = first >> 3;
    uint64_t value = 0;
    for (int i = 0; i < 4 && at + i < size; i++) value |= (uint64_t)data[at + i] << 8 * i;
    return (int)(value >> (first & 7) & ((1u << number) - 1));
}

bool deflates(bytes data, int64_t size) {
    int kind = data[0] >> 1 & 3;
    if (kind == 0) return size >= 5 && (little(data + 1, 2) ^ little(data + 3, 2)) == 0xFFFF;
    if (kind != 2) return kind == 1;
    if (size < 12 || bits(data, size, 3, 5) > 29 || bits(data, size, 8, 5) > 29) return false;
    int weight = 0; /* whether the code of the code lengths is complete */
    for (int number = bits(data, size, 13, 4) + 3; number >= 0; number--) {
        int length = bits(data, size, 17 + 3 * number, 3);
        if (length) weight += 128 >> length;
    }
    return weight == 128;
}

/* Whether the first block uses the fixed code; text: it must hold text and, if marked as the last, end the data. */
bool fixed_code(bytes data, int64_t size, bool text) {
    int64_t done = 0, at = 3, most = 8 * size;
    while (at + 7 <= most) {
        int code = 0;
        for (int i = 0; i < 7; i++) code = code << 1 | bits(data, size, at + i, 1);
        at += 7;
        if (code == 0) return !text || (done > 1 && (!(data[0] & 1) || (at + 7) >> 3 == size));
        int symbol = code - 1;
        if (code >= 0x18) {
            code = code << 1 | bits(data, size, at++, 1);
            if (code < 0xC0) {
                if (text && CLASS[code - 0x30] & CONTROL) return false;
                done++;
                continue;
            }
            if (code >= 0xC8) { /* nine bits: not ASCII */
                at++, done++;
                continue;
            }
            symbol = code - 0xC0 + 23;
        }
        if (symbol > 28) return false;
        int extra = symbol < 8 || symbol == 28 ? 0 : (symbol >> 2) - 1;
        int length = symbol < 8 ? symbol + 3 : symbol == 28 ? 258 : ((4 + (symbol & 3)) << extra) + 3;
        if (extra) length += bits(data, size, at, extra);
        at += extra;
        if (at + 5 > most) return false;
        code = 0;
        for (int i = 0; i < 5; i++) code = code << 1 | bits(data, size, at + i, 1);
        extra = code < 4 ? 0 : (code >> 1) - 1;
        if (code > 29 || at + 5 + extra > most) return false;
        int back = code < 4 ? code + 1 : ((2 + (code & 1)) << extra) + 1 + bits(data, size, at + 5, extra);
        if (back > done) return false;
        at += 5 + extra;
        done += length;
    }
    return false;
}

/* Whether there may be a zlib stream, without its header. */
bool streams(bytes data, int64_t size) {
    return size > 0 && deflates(data, size) && ((data[0] >> 1 & 3) != 1 || size > 64 || fixed_code(data, size, false));
}

/* A stream whose first block states a plausible length; a short stream has one block type. */
bool brotli(uint64_t head, int64_t size) {
    int at = !(head & 1) ? 1 : head & 14 ? 4 : 7;
    bool wrong = at == 7 && (head >> 4 & 7) == 1; /* large windows */
    head >>= at;
    bool last = head & 1;
    wrong |= last & (bool)(head & 2); /* it is empty */
    head >>= 1 + last;
    int nibbles = (int)(head & 3) + 4;
    wrong |= nibbles == 7; /* only data to be skipped */
    int64_t length = (int64_t)(head >> 2 & ((1ull << 4 * nibbles) - 1)) + 1;
    head >>= 2 + 4 * nibbles;
    bool as_it_is = !last && head & 1;
    head >>= !last;
    return !wrong & (length >= 8) & (as_it_is ? length < size : (length <= 64 * size) & ((size >= 64) | !(head & 7)));
}

/* The same for a stream with one block type, read up to the code of the literals, which must be complete. */
bool brotli_code(bytes data, int64_t size) {
    int64_t at = !(data[0] & 1) ? 1 : data[0] & 14 ? 4 : 7;
    int last = bits(data, size, at, 1), space = 32, codes = 0;
    at += 1 + last;
    at += 2 + 4 * (bits(data, size, at, 2) + 4);
    if (!last && bits(data, size, at++, 1)) return true; /* stored */
    at += 3 + 2 + 4 + 2;                                 /* block types, distances, context mode */
    if (bits(data, size, at, 2)) return true;            /* several codes */
    int skipped = bits(data, size, at + 2, 2);
    at += 4;
    if (skipped == 1) { /* one to four letters */
        int letters = bits(data, size, at, 2) + 1, seen[4];
        for (int i = 0; i < letters; i++) {
            seen[i] = bits(data, size, at + 2 + 8 * i, 8);
            for (int j = 0; j < i; j++)
                if (seen[i] == seen[j]) return false;
        }
        return true;
    }
    for (int i = skipped; i < 18 && space > 0; i++) { /* lengths of the code in which the lengths are written */
        static const uint8_t lengths[] = {0, 4, 3, 2, 0, 4, 3, 1, 0, 4, 3, 2, 0, 4, 3, 5}, wide[] = {2, 2, 2, 3, 2, 2, 2, 4, 2, 2, 2, 3, 2, 2, 2, 4};
        int next = bits(data, size, at, 4);
        at += wide[next];
        if (lengths[next]) space -= 32 >> lengths[next], codes++;
    }
    return codes == 1 || space == 0;
}

bool lz4(bytes data, int64_t size) {
    int64_t literals = data[0] >> 4, at = 1;
    if (literals == 15) {
        for (; at < size && data[at] == 255; at++) literals += 255;
        if (at >= size) return false;
        literals += data[at++];
    }
    int64_t after = at + literals, stop = after;
    if (after > size || (after + 2 > size && after < size)) return false;
    if (after < size && (little(data + after, 2) < 1 || little(data + after, 2) > literals)) return false;
    while (stop > at && data[stop - 1] & 0x80) stop--; /* a character may be cut in two */
    return is_text(data + at, stop - at);
}

/* A block whose parts add up to the length that it states; it begins with literals. */
bool snappy(bytes data, int64_t size) {
    int64_t length = 0, at = 0, done = 0;
    for (int shift = 0; at < 5 && at + 2 < size; shift += 7) {
        length |= (int64_t)(data[at] & 0x7F) << shift;
        if (data[at++] < 0x80) break;
    }
    if (length < 1 || length > 24 * size || data[at] & 3) return false;
    while (at < size) {
        int tag = data[at++], kind = tag & 3, wide = 0;
        int64_t part = (tag >> 2) + 1;
        if (kind == 0) {
            if (part > 60) {
                wide = (int)part - 60;
                if (at + wide > size) return false;
                part = little(data + at, wide) + 1;
            }
            at += wide + part;
        } else {
            wide = kind == 1 ? 1 : kind == 2 ? 2 : 4;
            if (at + wide > size) return false;
            int64_t back = little(data + at, wide) | (kind == 1 ? tag >> 5 << 8 : 0);
            if (kind == 1) part = (tag >> 2 & 7) + 4;
            if (back < 1 || back > done) return false;
            at += wide;
        }
        done += part;
        if (done > length || at > size) return false;
    }
    return done == length;
}
