#include "letters.h"

uint32_t CLASS[256];
bool MAGIC[256];
uint8_t BASE64[256], HEX[256], BASE32[256], BASE58[256], BASE85[256];

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
    values(BASE58, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", false);
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
    kind(ODD, "!#$%&'()*;<>?@[]^`{|}~\\\"");
    kind(ESCAPE, "\\%<");
    kind(BRACKET, "{[");
    kind(AMPERSAND, "&");
    kind(SEMICOLON, ";");
    kind(SEPARATOR, "() .-/+_|:,");
    static const uint8_t marks[] = {0x00, 0x04, 0x1F, 0x28, 0x2D, 0x37, 0x42, 0x45, 0x4C, 0x4F, 0x50,
                                    0x52, 0x53, 0x5D, 0x62, 0x82, 0x89, 0xEF, 0xFD, 0xFE, 0xFF};
    for (size_t i = 0; i < sizeof marks; i++) MAGIC[marks[i]] = true;
    for (int byte = 8; byte < 0x80; byte += 16) MAGIC[byte] = true;
    kind(LOWER, SMALL);
}

static inline uint8_t turned(uint8_t byte, uint8_t mask, int way) {
    return way == 0 ? byte ^ mask : way == 1 ? (uint8_t)(byte - 1) : (uint8_t)(byte << 4 | byte >> 4);
}

bool is_text(bytes data, int64_t size, uint8_t mask, int way) {
    for (int64_t at = 0; at < size;) {
        uint8_t byte = turned(data[at++], mask, way);
        if (byte < 0x80) {
            if (CLASS[byte] & CONTROL) return false;
            continue;
        }
        if (byte < 0xC2 || byte > 0xF4) return false;
        int more = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
        if (at + more > size) return false;
        uint8_t second = turned(data[at], mask, way);
        if ((byte == 0xE0 && second < 0xA0) || (byte == 0xED && second > 0x9F) || (byte == 0xF0 && second < 0x90) ||
            (byte == 0xF4 && second > 0x8F))
            return false;
        for (; more; more--)
            if ((turned(data[at++], mask, way) & 0xC0) != 0x80) return false;
    }
    return true;
}

/* Whether a run of letters, digits and +/_- is words, a number or a UUID, in which no decoder looks for anything. */
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
    /* words, each of which may begin with a capital, with one mark between: [A-Z]?[a-z]+([/_+-][A-Z]?[a-z]*)* */
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
