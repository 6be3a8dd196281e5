/* JSON words without quotes: most are short numbers, which a few lookups rule out. */

#include "sift.h"

#define EACH(byte) (0x0101010101010101u * (byte))

/* The number of leading digits in eight bytes. */
static inline int leading_digits(uint64_t word) {
    uint64_t off = word ^ EACH('0'), others = (((off & EACH(0x7F)) + EACH(0x76)) | off) & EACH(0x80);
    return others ? first_of(others) >> 3 : 8;
}

/* The value of one to eight digits. */
static inline uint64_t few_digits(bytes data, int number) {
    uint64_t x = (load8(data) ^ EACH('0')) << (64 - 8 * number);
    x = x * 10 + (x >> 8);
    return ((x & 0xFF000000FF) * 0xF424000000064u + (x >> 16 & 0xFF000000FF) * 0x271000000001u) >> 32;
}

static inline uint64_t digits_worth(bytes data, int number) {
    if (number <= 8) return few_digits(data, number);
    return few_digits(data, number - 8) * 100000000 + few_digits(data + number - 8, 8);
}

static bool may_end(const grams *g, bytes data, int number, int least) {
    for (int end = number; end >= least && end >= number - 2; end -= 2)
        if (in(g->looks->fives, five_digits(data + end)) && in(g->looks->endings, seven_digits(data + end))) return true;
    return false;
}

/* For five digits or more. */
static int digits_matter(sieve *s, bytes data, int number) {
    const grams *g = s->texts;
    int64_t spots = s->spots_found;
    if (number >= 7 && may_end(g, data, number, 7) && has_number(g, data, 0, number, 0, number, false)) return MATTERS;
    if (number < 7 && g->sorts & 4 && g->sizes & 0x7C && has_short(g, data, 0, number)) return MATTERS;
    if (s->number_of_places) {
        uint64_t value = digits_worth(data, number);
        if (number == 10) bits_near(s, value, number);
        if (number <= 12) number_near(s, (double)value, 0);
    }
    if (has_text(s->outputs, data, number, true)) return MATTERS;
    return (s->spots_found > spots ? PLACED : DULL) | (has_word(s, data, number) ? BESIDE : DULL);
}

/* For digits, a point, digits; the point is not at the beginning. */
static int real_matters(sieve *s, bytes data, int point, int decimals) {
    const grams *g = s->texts;
    int number = point + 1 + decimals;
    int64_t spots = s->spots_found;
    if (number >= SHORT && has_long(g, data, number)) return MATTERS;
    if (has_text(s->outputs, data, number, true)) return MATTERS;
    if (g->sizes & 0x7C) {
        if (g->sorts & 4 && has_short(g, data, 0, number)) return MATTERS;
        if (g->sorts & 1 && has_short(g, data, point, number)) return MATTERS;
        if (g->sorts & 4 && decimals > 1 && has_short(g, data, point + 1, number)) return MATTERS;
    }
    if (s->number_of_places) {
        double value = (double)few_digits(data, point) + (double)few_digits(data + point + 1, decimals) / TENS[decimals];
        number_near(s, value, decimals);
    }
    bool word = s->words.used && (has_word(s, data, number) || (point > 1 && has_word(s, data, point)) ||
                                  (decimals > 1 && has_word(s, data + point + 1, decimals)));
    return (s->spots_found > spots ? PLACED : DULL) | (word ? BESIDE : DULL);
}

/* Read the word at `at`, after which 32 bytes may be read; returns where it ends, and in `found` whether it matters; 0
   if it is not one of the ordinary words. */
int64_t bare_matters(sieve *s, bytes data, int64_t at, word_read *found) {
    bytes word = data + at;
    int number = leading_digits(load8(word)), decimals = 0;
    if (number == 8) number += leading_digits(load8(word + 8));
    if (!number) {
        uint32_t four = load4(word);
        bool wrong = four == load4((bytes) "fals") && word[4] == 'e';
        if (!wrong && four != load4((bytes) "true") && four != load4((bytes) "null")) return 0;
        if (!(CLASS[word[4 + wrong]] & STOP)) return 0;
        *found = (word_read){DULL, 0, true};
        return at + 4 + wrong;
    }
    if (word[number] == '.' && number < 7) {
        decimals = leading_digits(load8(word + number + 1));
        if (!decimals || decimals > 6 || !(CLASS[word[number + 1 + decimals]] & STOP)) return 0;
        if (number + decimals >= 7 && !s->number_of_places) return 0; /* groups of digits */
        *found = (word_read){real_matters(s, word, number, decimals), 0, false};
        return at + number + 1 + decimals;
    }
    if (number > 15 || !(CLASS[word[number]] & STOP)) return 0;
    *found = (word_read){DULL, 0, false};
    if (number > 4)
        found->said = digits_matter(s, word, number);
    else {
        static const uint32_t before[] = {0, 0, 10, 110, 1110};
        if (s->texts->sizes & 0x1C) return 0;
        uint32_t value = (uint32_t)few_digits(word, number);
        found->few = value + before[number] + 1;
        if (in(s->short_words, found->few - 1))
            found->said = BESIDE;
        else if (number == 4 && s->number_of_places) {
            int64_t spots = s->spots_found;
            number_near(s, value, 0);
            if (s->spots_found > spots) found->said = PLACED;
        }
    }
    return at + number;
}
