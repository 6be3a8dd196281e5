/* Where a text may contain hex, base32 and base64, and how to decode them. */

#include "sift.h"

static inline bool is_printable(uint8_t byte) { return (uint8_t)(byte - ' ') < 95; }

/* Whether bytes may begin a text, or a stream of gzip, zlib or zstd. */
static inline bool may_be_head(bytes out) {
    bool packed = (out[0] == 0x1F && out[1] == 0x8B) || (out[0] == 0x28 && out[1] == 0xB5) || out[0] == 0x78;
    return packed || (is_printable(out[0]) && is_printable(out[1]) && (is_printable(out[2]) || out[0] == '{' || out[0] == '[' || out[0] == 'P'));
}

/* Whether base64 may begin after one to three other letters: its beginning is known, or is an output of the app's own
   transforms. */
bool behind_letters(const sieve *s, bytes data, int64_t size) {
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

/* Decode a run as base64; two bytes beyond the output may be written. */
int64_t from_base64(uint8_t *out, bytes data, int64_t size) {
    if (size % 4 == 1) size--;
    int64_t length = size * 3 / 4, at = 0;
    for (int64_t first = 0; first < size; first += 4, at += 3) {
        uint8_t last[4] = {'A', 'A', 'A', 'A'};
        bytes four = data + first;
        if (first + 4 > size) four = memcpy(last, four, (size_t)(size - first));
        uint32_t word = (uint32_t)(BASE64[four[0]] << 18 | BASE64[four[1]] << 12 | BASE64[four[2]] << 6 | BASE64[four[3]]);
        out[at] = (uint8_t)(word >> 16), out[at + 1] = (uint8_t)(word >> 8), out[at + 2] = (uint8_t)word;
    }
    return length;
}

/* Decode pairs of hex digits; nothing after them is read. */
void from_any_hex(uint8_t *out, bytes data, int64_t pairs) {
    for (int64_t i = 0; i < pairs; i++) out[i] = (uint8_t)(HEX[data[2 * i]] << 4 | HEX[data[2 * i + 1]]);
}

int64_t from_base32(uint8_t *out, bytes data, int64_t size) {
    uint32_t word = 0;
    int bits = 0, length = 0;
    for (int64_t at = 0; at < size; at++) {
        word = word << 5 | BASE32[data[at]];
        if ((bits += 5) >= 8) out[length++] = (uint8_t)(word >> (bits -= 8));
    }
    return length;
}

/* The next run of eight base64 letters or more after the one that ends at r->stop. */
bool next_run(bytes data, int64_t size, span *r) {
    for (int64_t at = r->stop + 8; at < size; at += 8) {
        if (BASE64[data[at]] == 255) continue;
        int64_t first = at, stop = at + 1;
        while (first > 0 && BASE64[data[first - 1]] != 255) first--;
        while (stop < size && BASE64[data[stop]] != 255) stop++;
        if (stop - first >= 8) return *r = (span){first, stop}, true;
        at = stop;
    }
    return false;
}

/* The next 16 bytes or more in a row of one sort, after those that end at r->stop; one of them must be at an examined
   position. */
static inline bool next_row(bytes data, int64_t size, span *r, bool of_sort(uint8_t)) {
    for (int64_t at = r->stop | 15; at < size; at += 16) {
        if (!of_sort(data[at])) continue;
        int64_t first = at, stop = at;
        while (first > 0 && of_sort(data[first - 1])) first--;
        while (stop < size && of_sort(data[stop])) stop++;
        if (stop - first >= 16) return *r = (span){first, stop}, true;
    }
    return false;
}

static inline bool is_hex(uint8_t byte) { return HEX[byte] != 255; }

/* Hex beside other letters: a digest after a word, or a truncated one beside a mark. */
bool next_hex(bytes data, int64_t size, span *r) {
    while (next_row(data, size, r, is_hex)) {
        bool marked = (!r->first || CLASS[data[r->first - 1]] & RUN_MARK) && (r->stop == size || CLASS[data[r->stop]] & RUN_MARK);
        int64_t digits = r->stop - r->first;
        if (digits >= 32 || (marked && (digits == 16 || digits == 20))) return true;
    }
    return false;
}

static inline bool is_starred(uint8_t byte) { return CLASS[byte] & (LOWER | UPPER | DIGIT) || byte == '*' || byte == '-'; }

/* base64 in the alphabet of Tencent's signatures: * for a plus, - for a slash, _ for padding. */
bool next_starred(bytes data, int64_t size, span *r) { return next_row(data, size, r, is_starred); }

/* Translate such a run to ordinary base64 letters; false if it may be ordinary base64 already. */
bool unstarred(uint8_t *out, bytes data, int64_t size, span r) {
    bool star = false;
    for (int64_t i = r.first; i < r.stop; i++) {
        star |= data[i] == '*';
        *out++ = data[i] == '*' ? '+' : data[i] == '-' ? '/' : data[i];
    }
    return star || (r.stop < size && data[r.stop] == '_');
}

static inline bool digit_of_32(uint8_t byte) { return '2' <= byte && byte <= '7'; }
static inline bool capital_of_32(uint8_t byte) { return CLASS[byte] & UPPER || digit_of_32(byte); }
static inline bool small_of_32(uint8_t byte) { return CLASS[byte] & LOWER || digit_of_32(byte); }

/* base32 in upper case, or in lower case with digits. */
bool next_base32(bytes data, int64_t size, bool small, span *r) {
    if (!small) return next_row(data, size, r, capital_of_32);
    while (next_row(data, size, r, small_of_32))
        for (int64_t at = r->first; at < r->stop; at++)
            if (is_digit(data[at])) return true;
    return false;
}
