/* What is no digest but stands for a value as well: checksums of 32 bits, MurmurHash3, and text as UTF-16. */

#include "checksums.h"
#include "rotations.h"

/* A text of valid UTF-8 as UTF-16, into room for twice its bytes; the bytes written. */
size_t units_of(bytes data, size_t size, bool big, uint8_t *out) {
    size_t made = 0;
    for (size_t at = 0; at < size;) {
        uint8_t head = data[at];
        int more = head < 0x80 ? 0 : head < 0xE0 ? 1 : head < 0xF0 ? 2 : 3;
        uint32_t code = more ? head & (0x3Fu >> more) : head;
        for (at++; more && at < size; more--) code = code << 6 | (data[at++] & 0x3F);
        uint32_t units[2] = {code, 0};
        int number = code >> 16 ? 2 : 1;
        if (number == 2) units[0] = 0xD800 | (code - 0x10000) >> 10, units[1] = 0xDC00 | (code & 0x3FF);
        for (int i = 0; i < number; i++) {
            out[made++] = (uint8_t)(big ? units[i] >> 8 : units[i]);
            out[made++] = (uint8_t)(big ? units[i] : units[i] >> 8);
        }
    }
    return made;
}

static uint32_t crc32(bytes data, size_t size) {
    uint32_t sum = 0xFFFFFFFF;
    for (size_t at = 0; at < size; at++) {
        sum ^= data[at];
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (0xEDB88320 & (0u - (sum & 1)));
    }
    return ~sum;
}

static uint32_t adler32(bytes data, size_t size) {
    uint32_t low = 1, high = 0;
    for (size_t at = 0; at < size; at++) low = (low + data[at]) % 65521, high = (high + low) % 65521;
    return high << 16 | low;
}

static uint32_t murmur3(bytes data, size_t size) {
    uint32_t sum = 0;
    for (size_t at = 0; at < size; at += 4) {
        uint32_t word = 0;
        memcpy(&word, data + at, size - at < 4 ? size - at : 4);
        sum ^= left(word * 0xCC9E2D51, 15) * 0x1B873593;
        if (size - at >= 4) sum = left(sum, 13) * 5 + 0xE6546B64;
    }
    sum ^= (uint32_t)size;
    sum = (sum ^ sum >> 16) * 0x85EBCA6B;
    sum = (sum ^ sum >> 13) * 0xC2B2AE35;
    return sum ^ sum >> 16;
}

/* java.lang.String.hashCode. */
static uint32_t hash_code(bytes data, size_t size) {
    uint32_t sum = 0;
    for (size_t at = 0; at < size;) { /* four bytes are four units at most, of whatever they are */
        uint8_t units[8];
        size_t next = at + 1;
        while (next < size && (data[next] & 0xC0) == 0x80) next++;
        if (next - at > 4) next = at + 4;
        size_t made = units_of(data + at, next - at, true, units);
        for (size_t i = 0; i < made; i += 2) sum = sum * 31 + ((uint32_t)units[i] << 8 | units[i + 1]);
        at = next;
    }
    return sum;
}

void checksums_of(bytes data, size_t size, uint32_t out[CHECKSUMS]) {
    out[0] = crc32(data, size), out[1] = adler32(data, size), out[2] = murmur3(data, size), out[3] = hash_code(data, size);
}

static uint64_t stirred(uint64_t word, uint64_t factor, int by, uint64_t other) { return left8(word * factor, by) * other; }

static uint64_t finished(uint64_t word) {
    word = (word ^ word >> 33) * 0xFF51AFD7ED558CCD;
    word = (word ^ word >> 33) * 0xC4CEB9FE1A85EC53;
    return word ^ word >> 33;
}

/* MurmurHash3 x64 128, seed 0. */
void murmur3_128(bytes data, size_t size, uint8_t *out) {
    const uint64_t first = 0x87C37B91114253D5, second = 0x4CF5AD432745937F;
    uint64_t low = 0, high = 0, rest[2] = {0, 0};
    size_t whole = size & ~(size_t)15;
    for (size_t at = 0; at < whole; at += 16) {
        low ^= stirred(load8(data + at), first, 31, second);
        low = (left8(low, 27) + high) * 5 + 0x52DCE729;
        high ^= stirred(load8(data + at + 8), second, 33, first);
        high = (left8(high, 31) + low) * 5 + 0x38495AB5;
    }
    if (size > whole) memcpy(rest, data + whole, size - whole);
    high ^= stirred(rest[1], second, 33, first);
    low ^= stirred(rest[0], first, 31, second);
    low ^= size, high ^= size;
    low += high, high += low;
    low = finished(low), high = finished(high);
    low += high, high += low;
    memcpy(out, &low, 8), memcpy(out + 8, &high, 8);
}
