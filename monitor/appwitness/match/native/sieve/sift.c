/* Whether what is looked for stands in some bytes, or is all of them. */

#include "sift.h"

bool begins_with(const table *t, bytes data, int64_t size) {
    uint64_t word = 0;
    if (!t->used) return false;
    memcpy(&word, data, size < 8 ? (size_t)size : 8);
    return has(t, mixed(word));
}

/* Prefetch for begins_with of eight bytes or more. */
void soon_begins(const table *t, bytes data) { soon(t, mixed(load8(data)), false); }

bool has_short(const grams *g, bytes lower, int64_t at, int64_t size) {
    const table *t = &g->windows;
    if (!in(g->looks->twos, (uint32_t)lower[at] | (uint32_t)lower[at + 1] << 8)) return false;
    for (int window = 2; g->sizes & 0x0C && window < 4 && at + window <= size; window++)
        if (g->sizes >> window & 1 && has_window(t, lower, at, window, 0, size)) return true;
    if (g->sizes & 0x70 && at + 4 <= size && may(&g->looks->firsts, four(load4(lower + at))))
        for (int window = 4; window < SHORT && at + window <= size; window++)
            if (g->sizes >> window & 1 && has_window(t, lower, at, window, 0, size)) return true;
    return false;
}

/* Whether any text of seven bytes or more stands in the bytes, numbers excepted. Eight bytes after them may be read. */
bool has_long(const grams *g, bytes lower, int64_t size) {
    if (!(g->sizes >> SHORT)) return false;
    for (int64_t block = 0; block + 4 <= size; block += 256) {
        uint64_t some = 0;
        for (int i = 0; i < 64 && block + 4 * i + 4 <= size; i++) some |= (uint64_t)may_be_long(g->looks, lower + block + 4 * i) << i;
        for (; some; some &= some - 1)
            if (has_long_text(g, lower, block + 4 * first_of(some), 0, size)) return true;
    }
    return false;
}

/* The same for an even number of up to 64 hex digits, whose bytes are `out`; four bytes after those may be read. */
bool has_long_hex(const grams *g, bytes lower, int64_t size, bytes out) {
    const looks *l = g->looks;
    uint64_t some = 0;
    if (!(g->sizes >> SHORT)) return false;
    for (int64_t at = 0; at + 4 <= size; at += 4) {
        uint32_t word = load4(out + at / 2);
        some |= (uint64_t)(may(&l->hexes, four(word)) | in(l->hex_fours, word & 0xFFFF)) << at;
    }
    for (; some; some &= some - 1) {
        int at = first_of(some);
        bool any = false;
        for (int first = at < 3 ? 0 : at - 3; first <= at; first++) any |= may(&l->hex_sevens, seven(lower + first));
        if (any && has_long_text(g, lower, at, 0, size)) return true;
    }
    return false;
}

/* The same for shorter texts; loose: they may begin anywhere, not only where a word does. */
bool has_any_short(const grams *g, bytes lower, int64_t size, bool loose) {
    for (int64_t first = 0; g->sizes & 0x7C && first + 2 <= size; first++) {
        int sort = sort_of(lower[first]);
        if ((loose || !first || !sort || lower[first] >= 0xC0 || sort != sort_of(lower[first - 1])) &&
            g->sorts >> sort & 1 && has_short(g, lower, first, size))
            return true;
    }
    return false;
}

bool has_text(const grams *g, bytes lower, int64_t size, bool loose) {
    return g->sizes && (has_long(g, lower, size) || has_any_short(g, lower, size, loose));
}

/* The hash of a word, the same in upper and lower case: letters of two bytes, such as é, are left out. */
static uint64_t word_hash(bytes lower, int64_t size) {
    uint8_t pure[PARTS + 1];
    int length = 0;
    bool two = false;
    if (size <= 8 && !((size < 4 ? lower[size - 1] | lower[0] | lower[size / 2] : load4(lower) | load4(lower + size - 4)) & 0x80808080u))
        return hash(lower, (int)size);
    for (int64_t at = 0; at < size; at++) two |= 0xC2 <= lower[at] && lower[at] < 0xE0;
    if (!two) return hash(lower, (int)size);
    for (int64_t at = 0; at < size && length < PARTS; at++) {
        if (0xC2 <= lower[at] && lower[at] < 0xE0)
            at++;
        else
            pure[length++] = lower[at];
    }
    return hash(pure, length);
}

/* Whether a text of seven bytes or more stands around a position, in either of two sets with the same first looks. */
static bool either_has_long(const grams *one, const grams *other, bytes lower, int64_t at, int64_t size) {
    bool any = false;
    for (int64_t first = at < 3 ? 0 : at - 3; first <= at; first++) any |= may(&one->looks->sevens, seven(lower + first));
    return any && (has_long_text(one, lower, at, 0, size) || has_long_text(other, lower, at, 0, size));
}

/* Whether a text stands in up to 64 bytes that are not text themselves: the first looks of `raw` include those of
   `texts`. */
bool few_have_text(const sieve *s, bytes lower, int64_t size) {
    const grams *g = s->texts, *raw = s->raw;
    uint64_t some = 0;
    for (int64_t at = 0; at + 4 <= size; at += 4) some |= (uint64_t)may_be_long(raw->looks, lower + at) << at;
    for (; some; some &= some - 1) {
        if (either_has_long(raw, g, lower, first_of(some), size)) return true;
    }
    if (raw->looks->sizes & 0x7C) {
        if (raw->looks->sizes & 0x0C)
            for (int64_t at = 0; at + 2 <= size; at++)
                some |= (uint64_t)in(raw->looks->twos, (uint32_t)lower[at] | (uint32_t)lower[at + 1] << 8) << at;
        else
            for (int64_t at = 0; at + 4 <= size; at++) some |= (uint64_t)may(&raw->looks->firsts, four(load4(lower + at))) << at;
        for (; some; some &= some - 1) {
            int at = first_of(some);
            if (has_short(raw, lower, at, size) || has_short(g, lower, at, size)) return true;
        }
    }
    return has_text(s->outputs, lower, size, true);
}

/* Whether a number stands as it is in data that is not text. */
bool number_in(const sieve *s, bytes data, int64_t size) {
    for (int64_t at = 0, stop; at < size; at = stop + 1) {
        for (stop = at; stop < size && is_digit(data[stop]);) stop++;
        if (stop - at >= 7 && (has_number(s->texts, data, at, stop, 1, 0, true) || has_number(s->raw, data, at, stop, 1, 0, true)))
            return true;
    }
    return false;
}

/* Whether there are several digests, or one with a few bytes before or after it. */
bool has_digests(const sieve *s, bytes data, int64_t size) {
    static const int whole[] = {16, 20, 28, 32, 48, 64};
    if (size <= 16) return false;
    if (begins_with(s->digests, data, 8)) return true;
    if (size % 10 == 0 && size >= 30) /* in a row, truncated to ten bytes */
        for (int64_t at = 10; at < size; at += 10)
            if (begins_with(s->digests, data + at, 8)) return true;
    for (int i = 0; i < 6 && size > whole[i]; i++) {
        if (size <= whole[i] + 64 && begins_with(s->digests, data + size - whole[i], 8)) return true;
        if (size < 2 * whole[i] || size % whole[i]) continue;
        for (int64_t at = whole[i]; at < size; at += whole[i])
            if (begins_with(s->digests, data + at, 8)) return true;
    }
    return false;
}

/* --- words --- */

static inline uint32_t word_head(bytes lower, int64_t size) {
    return (uint32_t)(((uint32_t)lower[0] | (uint32_t)lower[1] << 8 | (uint32_t)size << 16) * 0x9E3779B1u) >> 16;
}

/* Words that are part of a value, or the name of a cell. */
bool has_word(const sieve *s, bytes lower, int64_t size) {
    if (size > 1 && !((lower[0] | lower[1]) & 0x80)) {
        if (!in(s->word_heads, word_head(lower, size))) return false;
    } else if (!(s->word_sizes[lower[0]] >> (size < 63 ? size : 63) & 1))
        return false;
    uint64_t h = word_hash(lower, size);
    return in(s->some_words, h >> 45) && has(&s->words, h);
}

/* Whether two short numbers are parts of a cut value. */
bool two_matter(const sieve *s, bytes one, int64_t size, bytes other, int64_t other_size) {
    uint8_t both[16];
    if (size + other_size > 8) return false;
    for (int turn = 0; turn < 2; turn++) {
        memcpy(both + (turn ? other_size : 0), one, (size_t)size);
        memcpy(both + (turn ? 0 : size), other, (size_t)other_size);
        if (has_word(s, both, size + other_size)) return true;
    }
    return false;
}

int words_matter(sieve *s, bytes data, bytes lower, int64_t size) {
    if (!s->words.used) return DULL;
    if (size <= PARTS && has_word(s, lower, size)) return BESIDE;
    int64_t first = 0;
    for (int64_t at = 0; at <= size; at++) {
        if (at < size && CLASS[data[at]] & (LOWER | UPPER | DIGIT | HIGH)) continue;
        if (at - first >= 2 && at - first <= PARTS && at - first < size && has_word(s, lower + first, at - first)) return BESIDE;
        first = at + 1;
    }
    return DULL;
}

/* The same for up to 64 bytes. */
int few_words_matter(sieve *s, bytes lower, int64_t size, const masks *m) {
    if (!s->words.used) return DULL;
    if (has_word(s, lower, size)) return BESIDE;
    uint64_t letters = m->letter | m->digit | m->high;
    for (uint64_t rest = letters; rest;) {
        int first = first_of(rest);
        uint64_t behind = ~(letters >> first);
        int length = behind ? first_of(behind) : 64 - first;
        if (length >= 2 && length < size && has_word(s, lower + first, length)) return BESIDE;
        rest &= ~some_bits(first, length);
    }
    return DULL;
}

/* --- the whole sieve --- */

PUBLIC sieve *sieve_new(const grams *texts, const grams *raw, const grams *outputs, const table *digests, const table *digits,
                         const struct packed *packed) {
    letters_begin();
    sieve *s = calloc(1, sizeof *s);
    if (s) s->texts = texts, s->raw = raw, s->outputs = outputs, s->digests = digests, s->digits = digits, s->packed = packed;
    return s;
}

PUBLIC void sieve_free(sieve *s) {
    table_clear(&s->words), table_clear(&s->strips), free(s->places);
    free(s->reader.lower);
    free(s);
}

/* A number of one to four digits, distinct for each number of digits. */
uint32_t short_number(bytes data, int64_t size) {
    uint32_t number = 0, before = 0;
    for (int64_t at = 0; at < size; at++) number = number * 10 + (uint32_t)(data[at] - '0'), before = before * 10 + 1;
    return number + before - 1;
}

static bool add_word(sieve *s, bytes lower, int64_t size) {
    uint64_t h = word_hash(lower, size);
    set(s->some_words, (uint32_t)(h >> 45));
    uint64_t sizes = 3ull << (size < 62 ? size : 62); /* in upper case, a letter may be a byte longer or shorter */
    if (size > 1) sizes |= 1ull << (size < 64 ? size - 1 : 62);
    for (int first = lower[0] < 0x80 ? lower[0] : 0x80; first <= (lower[0] < 0x80 ? lower[0] : 0xFF); first++)
        s->word_sizes[first] |= sizes;
    for (int64_t other = size - 1; size > 1 && !((lower[0] | lower[1]) & 0x80) && other <= size + 1; other++)
        set(s->word_heads, word_head(lower, other));
    bool digits = size <= 4;
    for (int64_t at = 0; at < size; at++) digits &= is_digit(lower[at]);
    if (digits) set(s->short_words, short_number(lower, size));
    return table_put(&s->words, h, 0, 0); /* whose word it is does not matter */
}

/* Words in lower case that follow each other. */
PUBLIC bool sieve_add_words(sieve *s, bytes words, const int32_t *sizes, int64_t number) {
    bytes first = words;
    for (int64_t i = 0; i < number; first += sizes[i++]) soon(&s->words, word_hash(first, sizes[i]), true);
    for (int64_t i = 0; i < number; words += sizes[i++])
        if (!add_word(s, words, sizes[i])) return false;
    return true;
}

/* A number that is one part of a value: short ones are looked up in pairs, as words. */
PUBLIC void sieve_add_short(sieve *s, bytes digits, int64_t size) { set(s->short_numbers, short_number(digits, size)); }
