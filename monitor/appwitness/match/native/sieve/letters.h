/* The kinds of bytes: letters, digits, marks; text or not. */

#ifndef LETTERS_H
#define LETTERS_H

#include "../index/tables.h"

enum {
    LOWER = 1, UPPER = 2, DIGIT = 4, RUN_MARK = 8, SPACE = 16, POINT = 32, ODD = 64, HIGH = 128,
    ESCAPE = 256, CONTROL = 512, BRACKET = 1024, AMPERSAND = 2048, SEMICOLON = 4096, SEPARATOR = 8192, EQUAL = 16384, PLUS = 32768,
    STOP = 65536, TELLING = 131072, BETWEEN = 262144 /* STOP ends a bare word of JSON, TELLING makes a key worth a look, BETWEEN stands between words */
};

extern uint32_t CLASS[256];
extern uint64_t MAGIC[1024]; /* the two bytes with which a format that has a signature may begin */
extern uint8_t BASE64[256], HEX[256], BASE32[256], BASE85[256]; /* 255: not a digit */

void letters_begin(void);

static inline bool is_letter(uint8_t byte) { return (uint8_t)((byte | 32) - 'a') < 26; }
static inline uint8_t lowered(uint8_t byte) { return (uint8_t)(byte - 'A') < 26 ? byte | 32 : byte; }

/* Whether bytes are UTF-8 without control characters, which is what decoding takes for text. */
bool is_text(bytes data, int64_t size);
bool is_word(bytes data, int64_t size);

#endif
