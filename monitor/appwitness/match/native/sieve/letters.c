#include "letters.h"

uint32_t CLASS[256];
uint64_t MAGIC[1024];
uint8_t BASE64[256], HEX[256], BASE32[256], BASE85[256];

static void kind(uint32_t of, const char *members) {
    for (; *members; members++) CLASS[(uint8_t)*members] |= of;
}

static void values(uint8_t *table, const char *alphabet, bool either_case) {
    memset(table, 255, 256);
    for (int i = 0; alphabet[i]; i++) {
        table[(uint8_t)alphabet[i]] = (uint8_t)i;
        if (either_case && is_letter((uint8_t)alphabet[i])) table[(uint8_t)alphabet[i] ^ 32] = (uint8_t)i;
    }
}

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SMALL "abcdefghijklmnopqrstuvwxyz"

void letters_begin(void) {
    if (CLASS['a']) return;
    values(BASE64, CAPITALS SMALL "0123456789+/", false);
    BASE64['-'] = 62, BASE64['_'] = 63;
    values(HEX, "0123456789abcdef", true);
    values(BASE32, CAPITALS "234567", true);
    values(BASE85, "0123456789" CAPITALS SMALL "!#$%&()*+-;<=>?@^_`{|}~", false);
    for (int byte = 0x80; byte < 0x100; byte++) CLASS[byte] = HIGH;
    for (int byte = 0; byte < 0x20; byte++) CLASS[byte] = byte < 9 || byte > 13 ? CONTROL : SPACE;
    kind(SPACE, " ");
    kind(DIGIT, "0123456789");
    kind(UPPER, CAPITALS);
    kind(RUN_MARK, "+/_-");
    kind(POINT, ".,:");
    kind(EQUAL, "=");
    kind(PLUS, "+");
    kind(STOP, " \t\n\r\v\f\",:[]{}");
    kind(TELLING, "@+%{=: ");
    kind(BETWEEN, " \t\n\r\v\f,:");
    kind(ODD, "!#$%&'()*;<>?@[]^`{|}~\\\"");
    kind(ESCAPE, "\\%<");
    kind(BRACKET, "{[");
    kind(AMPERSAND, "&");
    kind(SEMICOLON, ";");
    kind(SEPARATOR, "() .-/+_|:,");
    set(MAGIC, 0x2D2D); /* of multipart bodies */
    for (uint32_t two = 0; two < 0x8000; two += 31) /* of zlib */
        if ((two >> 8 & 0x8F) == 8) set(MAGIC, two);
    kind(LOWER, SMALL);
}

bool is_text(bytes data, int64_t size) {
    for (int64_t at = 0; at < size;) {
        uint8_t byte = data[at++];
        if (byte < 0x80) {
            if (CLASS[byte] & CONTROL) return false;
            continue;
        }
        if (byte < 0xC2 || byte > 0xF4) return false;
        int more = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
        if (at + more > size) return false;
        uint8_t second = data[at];
        if ((byte == 0xE0 && second < 0xA0) || (byte == 0xED && second > 0x9F) || (byte == 0xF0 && second < 0x90) ||
            (byte == 0xF4 && second > 0x8F))
            return false;
        for (; more; more--)
            if ((data[at++] & 0xC0) != 0x80) return false;
    }
    return true;
}

/* Bytes of the UTF-8 character that begins with a byte of 0x80 or more; zero if there is none. */
static int character(bytes data, int64_t size) {
    int more = data[0] < 0xC2 || data[0] > 0xF4 ? 0 : data[0] < 0xE0 ? 1 : data[0] < 0xF0 ? 2 : 3;
    if (!more || more >= size) return 0;
    if ((data[0] == 0xE0 && data[1] < 0xA0) || (data[0] == 0xED && data[1] > 0x9F) || (data[0] == 0xF0 && data[1] < 0x90) ||
        (data[0] == 0xF4 && data[1] > 0x8F))
        return 0;
    for (int at = 1; at <= more; at++)
        if ((data[at] & 0xC0) != 0x80) return 0;
    return more + 1;
}

/* Whether bytes are UTF-8, and no line ends like those of quoted-printable that continue on the next line. */
PUBLIC bool plain_lines(bytes data, int64_t size) {
    for (int64_t at = 0; at < size;) {
        if (at + 8 <= size && !(load8(data + at) & HIGH_BITS)) {
            at += 8;
            continue;
        }
        int length = data[at] < 0x80 ? 1 : character(data + at, size - at);
        if (!length) return false;
        at += length;
    }
    bytes end = data + size;
    for (bytes line = memchr(data, '\n', (size_t)size); line; line = memchr(line + 1, '\n', (size_t)(end - line - 1)))
        if ((line > data && line[-1] == '=') || (line > data + 1 && line[-1] == '\r' && line[-2] == '=')) return false;
    return true;
}

/* Whether a run of letters, digits and +/_- consists of words, or is a number or a UUID, in which no decoder looks for
   anything. */
bool is_word(bytes data, int64_t size) {
    int kinds = 0;
    int64_t at;
    for (at = 0; at < size; at++) kinds |= CLASS[data[at]];
    if (kinds & DIGIT) {
        if (!(kinds & (LOWER | UPPER))) {
            for (at = 0; at < size; at++)
                if (data[at] == '/' || data[at] == '_') return false;
            return true;
        }
        if (size != 36 || kinds & UPPER) return false;
        for (at = 0; at < size; at++)
            if (at == 8 || at == 13 || at == 18 || at == 23 ? data[at] != '-' : HEX[data[at]] == 255) return false;
        return true;
    }
    if (!(kinds & LOWER)) {
        for (at = 0; at < size; at++)
            if (data[at] != '_' && !(CLASS[data[at]] & UPPER)) return false;
        return true;
    }
    /* words that may each begin with a capital, with one mark between them: [A-Z]?[a-z]+([/_+-][A-Z]?[a-z]*)* */
    at = CLASS[data[0]] & UPPER ? 1 : 0;
    if (at >= size || !(CLASS[data[at]] & LOWER)) return false;
    for (; at < size; at++) {
        if (CLASS[data[at]] & RUN_MARK) {
            if (at + 1 < size && CLASS[data[at + 1]] & UPPER) at++;
        } else if (!(CLASS[data[at]] & LOWER))
            return false;
    }
    return true;
}
