/* Whether a decoder might find something in bytes that are not text: one cheap test for each binary format. */

#include "sift.h"
#include <math.h>

/* Signatures of formats: up to four bytes, and a mask of those that count. */
enum { MOST_HEADS = 128 };
static struct {
    uint32_t head, mask;
} heads[MOST_HEADS];
static int number_of_heads;

/* From now on, anything that begins with these two to four bytes matters, in every sieve; false if there is no room for
   more. */
PUBLIC bool sieve_add_head(bytes head, int64_t size) {
    uint32_t mask = ~0u << (8 * (4 - size)), value = (uint32_t)big(head, (int)size) << (8 * (4 - size));
    for (int i = 0; i < number_of_heads; i++)
        if (heads[i].head == value && heads[i].mask == mask) return true;
    if (number_of_heads == MOST_HEADS) return false;
    letters_begin();
    set(MAGIC, value >> 16);
    heads[number_of_heads].head = value, heads[number_of_heads++].mask = mask;
    return true;
}

/* Whether there is a signature at the beginning or, if a decoder looks for it there, anywhere. */
static bool magic_head(bytes data, int64_t size) {
    uint32_t first = (uint32_t)big(data, 4), two = first >> 16;
    for (int i = 0; i < number_of_heads; i++)
        if ((first & heads[i].mask) == heads[i].head) return true;
    if (two == 0x2D2D) return memchr(data, '\n', (size_t)size); /* the boundary line of a multipart body */
    return (two >> 8 & 0x8F) == 8 && two % 31 == 0 && size >= 8 && streams(data + 2, size - 2);
}

static bool magic(bytes data, int64_t size) {
    if (size < 4) return false;
    if (in(MAGIC, (uint32_t)big(data, 2)) && magic_head(data, size)) return true;
    for (int64_t at = 1; at + 8 < size; at++) {
        if (data[at] != 0x1F && data[at] != 0x28 && data[at] != 0x78) continue;
        if (data[at] == 0x1F && data[at + 1] == 0x8B && data[at + 2] == 8) return true;
        if (data[at] == 0x28 && big(data + at, 4) == 0x28B52FFD) return true;
        if (data[at] == 0x78 && memchr("\x01\x5e\x9c\xda", data[at + 1], 4) && streams(data + at + 2, size - at - 2))
            return true;
    }
    return false;
}

/* WebSocket frames with a mask, gRPC messages, BSON, Thrift: formats that state their length, and do so correctly. */
static bool frames(bytes data, int64_t size) {
    int kind = data[0] & 0x3F;
    if (size >= 7 && (kind == 1 || kind == 2) && data[1] & 0x80) {
        int64_t at = 0;
        bool whole = false;
        while (at + 6 <= size && data[at + 1] & 0x80) {
            whole = data[at] & 0x80;
            int64_t length = data[at + 1] & 0x7F;
            at += 2;
            if (length > 125) {
                int wide = length == 126 ? 2 : 8;
                if (at + wide > size) return false;
                length = big(data + at, wide);
                at += wide;
            }
            if (length < 0 || length > size - at - 4) break;
            at += 4 + length;
        }
        if (at == size && whole) return true;
    }
    int64_t next = 0;
    while (next + 5 < size && data[next] <= 1 && big(data + next + 1, 4) > 0 && big(data + next + 1, 4) <= size - next - 5)
        next += 5 + big(data + next + 1, 4);
    if (next == size) return true;
    if (size > 8 && !data[size - 1]) {
        if (0x15 <= data[0] && data[0] <= 0x1C) return true;
        if (data[3] <= 2 && data[4] && little(data, 4) <= size) return true;
    }
    for (int64_t at = 0; at <= 4 && at + 2 < size; at += 4)
        if (data[at] == 0x82 && memchr("\x21\x41\x61\x81", data[at + 1], 4)) return true;
    return false;
}

/* GB18030 that contains something encoded; plain text in it is found as bytes. */
static bool chinese(bytes data, int64_t size) {
    int pairs = 0, others = 0;
    for (int64_t at = 0; at < size; at++) {
        uint8_t byte = data[at], next = at + 1 < size ? data[at + 1] : 0, third = at + 2 < size ? data[at + 2] : 0;
        if (byte >= 0x80) {
            if (byte == 0x80 || byte == 0xFF || next < 0x30) return false;
            pairs++, at++;
        } else
            others += (byte == '%' && HEX[next] != 255 && (HEX[third] != 255 || next == 'u')) ||
                      (byte == '=' && HEX[next] != 255 && HEX[third] != 255) ||
                      (byte == '&' && (next == '#' || (is_letter(next) && is_letter(third) && memchr(data + at, ';', (size_t)(size - at))))) ||
                      (byte == '\\' && next && memchr("ux\"/nrt", next, 7)) ||
                      (byte == '{' && next == '"' && memchr(data + at, ':', (size_t)(size - at)));
    }
    return pairs > 1 && others;
}

/* Whether a stream without a header may begin here that unpacks to text. */
static bool unpacks(bytes data, int64_t size, uint64_t head) {
    uint8_t first = data[0], last = data[size - 1];
    int kind = head >> 1 & 3;
    bool plain = (kind == 0) & (size >= 5) & (((head >> 8 ^ head >> 24) & 0xFFFF) == 0xFFFF);
    bool fixed = (kind == 1) & ((last < 2) | ((last == 0xFF) & !(first & 1)));
    if (plain | fixed | (kind == 2 && size >= 28 && size != 32)) /* in a short text, a code of its own takes more room than it saves */
        if (fixed ? fixed_code(data, size, true) : deflates(data, size)) return true; /* 32 bytes are a digest */
    if (brotli(head, size) && (size >= 64 || brotli_code(data, size))) return true;
    if (size < 8) return false;
    int64_t said = (int64_t)(head & 0xFFFFFFFF);
    if ((8 <= said) & (said <= 255 * size)) return true; /* LZ4 after its length */
    int64_t literals = first >> 4, after = 1 + literals;
    bool reaches = (after == size) | (after + 2 <= size);
    if (first >= 240 || (first >= 16 && reaches && (after == size || (uint64_t)(little(data + after, 2) - 1) < (uint64_t)literals)))
        if (lz4(data, size)) return true;
    return (first >= 0x80 || (first && !(data[1] & 3))) && snappy(data, size);
}

/* Whether up to 64 bytes, with 64 that may be read, contain the first two bytes of a packed stream. */
static inline bool may_hold_packed(bytes data, int64_t size) {
#ifdef __SSE2__
    uint64_t found = 0;
    for (int at = 0; at < size; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(data + at)), next = _mm_loadu_si128((const __m128i *)(data + at + 1));
        __m128i zlib = _mm_or_si128(_mm_or_si128(same_as(next, 0x01), same_as(next, 0x5E)), _mm_or_si128(same_as(next, 0x9C), same_as(next, 0xDA)));
        __m128i gzip = _mm_and_si128(same_as(v, 0x1F), same_as(next, 0x8B)), zstd = _mm_and_si128(same_as(v, 0x28), same_as(next, 0xB5));
        found |= bits_of(_mm_or_si128(_mm_or_si128(gzip, zstd), _mm_and_si128(same_as(v, 0x78), zlib))) << at;
    }
    return found & some_bits(0, size);
#else
    return where(data, size, 0x1F) | where(data, size, 0x28) | where(data, size, 0x78);
#endif
}

/* For eight to 64 bytes: whether unpacks, frames or magic may return true. Few digests and ids pass, so that these
   functions are seldom called for them. */
static inline bool may_be_packed(bytes data, int64_t size, uint64_t head) {
    int first = data[0], second = data[1], last = data[size - 1], kind = first >> 1 & 3, tag = second >> 2;
    bool plain = (kind == 0) & (((head >> 8 ^ head >> 24) & 0xFFFF) == 0xFFFF);
    bool fixed = (kind == 1) & ((last < 2) | ((last == 0xFF) & !(first & 1)));
    bool own_code = (kind == 2) & (size >= 28) & (size != 32);
    uint32_t four = (uint32_t)head;
    int literals = first >> 4, after = 1 + literals;
    bool lz4 = ((four >= 8) & (four <= 255 * size)) | ((first >= 240) & (second + 17 <= size)) |
               ((first >= 16) & ((after == size) | ((after + 2 <= size) & (little(data + after, 2) - 1 < literals))));
    bool snappy = first < 0x80 ? (first > 0) & !(second & 3) & ((tag >= 60) | ((tag < first) & (tag + 3 <= size)))
                               : ((second & 0x7F) <= 24 * size >> 7) & ((second >= 0x80) | !(data[2] & 3));
    int opcode = first & 0x3F;
    bool frame = ((opcode == 1) | (opcode == 2)) & (second >= 0x80) & (((second & 0x7F) >= 126) | ((second & 0x7F) + 6 <= size));
    frame |= ((four & ~1u) == 0) | ((size > 8) & !last & (((uint8_t)(first - 0x15) < 8) | (four <= size)));
    frame |= (first == 0x82) | (data[4] == 0x82);
    return plain | fixed | own_code | lz4 | snappy | frame | brotli(head, size) | in(MAGIC, (uint32_t)(first << 8 | second)) |
           may_hold_packed(data, size);
}

#define EVEN 0x5555555555555555u

/* UTF-16 and UTF-32, recognized by zeros at even and odd positions. */
static bool wide(int64_t even, int64_t odd, int64_t size) {
    if (size % 2) return false;
    return (odd * 5 > size && even * 20 < size) || (even * 5 > size && odd * 20 < size) || (size % 4 == 0 && (even + odd) * 2 > size);
}

/* What six bytes or more may be, by charset or as a stream. m: masks of up to 64 bytes, after which as many may be
   read. */
int blob_of(bytes data, int64_t size, const masks *m) {
    uint64_t head = 0;
    bool control = false;
    if (m) {
        uint64_t zeros = where(data, size, 0);
        head = load8(data) & (size < 8 ? (1ull << 8 * size) - 1 : ~0ull);
        if (zeros & (zeros - 1) && wide(number_of(zeros & EVEN), number_of(zeros & ~EVEN), size)) return SOMETHING;
        control = m->control;
    } else {
        int64_t zeros[2] = {0};
        for (int64_t at = 0; at < size; at++) {
            control |= (CLASS[data[at]] & CONTROL) != 0;
            zeros[at & 1] += !data[at];
        }
        head = load8(data);
        if (wide(zeros[0], zeros[1], size)) return SOMETHING;
    }
    if (!control && chinese(data, size)) return SOMETHING;
    bool packed = !m || size < 8 || may_be_packed(data, size, head);
    if (packed && unpacks(data, size, head)) return SOMETHING;
    return packed ? UNDECIDED : NOTHING;
}

/* Whether bytes are frames, or have a signature. */
bool is_framed(bytes data, int64_t size) { return frames(data, size) || magic(data, size); }
