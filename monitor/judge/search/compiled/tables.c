#include "tables.h"

static bool grow(table *t) {
    uint64_t size = t->places ? 2 * (t->mask + 1) : 256;
    uint64_t *places = calloc(size, sizeof *places), *some = calloc(size / 16, sizeof *some);
    if (!places || !some) {
        free(places), free(some);
        return false;
    }
    table grown = {places, some, size - 1, t->used};
    for (uint64_t i = 0; t->places && i <= t->mask; i++) {
        uint64_t entry = t->places[i];
        if (!entry) continue;
        uint64_t at = begin(&grown, entry);
        while (places[at]) at = (at + 1) & grown.mask;
        places[at] = entry;
        uint64_t bit = some_bit(&grown, entry);
        some[bit >> 6] |= 1ull << (bit & 63);
    }
    free(t->places), free(t->some);
    *t = grown;
    return true;
}

bool table_put(table *t, uint64_t h, uint32_t slot) {
    if ((!t->places || 2 * (t->used + 1) > t->mask + 1) && !grow(t)) return false;
    uint64_t entry = (h >> SLOT_BITS << SLOT_BITS) | (slot + 1);
    uint64_t at = begin(t, h);
    for (; t->places[at]; at = (at + 1) & t->mask)
        if (t->places[at] == entry) return true;
    t->places[at] = entry;
    t->used++;
    uint64_t bit = some_bit(t, h);
    t->some[bit >> 6] |= 1ull << (bit & 63);
    return true;
}

/* Append what is entered under a hash; the number of rows, which may be more than there is room for. */
int64_t collect(const table *t, uint64_t h, row *out, int64_t most, int64_t found, int64_t start, int size) {
    if (!count(t, h, 1)) return found;
    for (uint64_t at = begin(t, h); t->places[at]; at = (at + 1) & t->mask)
        if (t->places[at] >> SLOT_BITS == h >> SLOT_BITS) {
            if (found < most) out[found] = (row){(int64_t)(t->places[at] & SLOT_MASK) - 1, start, size};
            found++;
        }
    return found;
}

PUBLIC table *table_new(void) { return calloc(1, sizeof(table)); }

PUBLIC void table_free(table *t) {
    free(t->places), free(t->some);
    free(t);
}

/* Words: eight bytes each, one after the other. */
PUBLIC bool table_put_words(table *t, bytes words, int64_t number, uint32_t slot) {
    for (int64_t i = 0; i < number; i++)
        if (!table_put(t, mixed(load8(words + 8 * i)), slot)) return false;
    return true;
}

PUBLIC int64_t table_find_words(const table *t, bytes words, int64_t number, row *out, int64_t most) {
    int64_t found = 0;
    for (int64_t i = 0; i < number; i++) found = collect(t, mixed(load8(words + 8 * i)), out, most, found, i, 0);
    return found;
}

static bool resize(sieve_bits *sieve, int shift) {
    uint64_t *bits = calloc((size_t)1 << (32 - shift - 6), 8);
    if (!bits) return false;
    free(sieve->bits);
    sieve->bits = bits, sieve->shift = shift;
    for (uint64_t i = 0; i < sieve->number; i++) set(bits, sieve->kept[i] >> shift);
    return true;
}

static bool keep(sieve_bits *sieve, uint32_t hash) {
    if (sieve->number == sieve->room) {
        uint64_t room = sieve->room ? 2 * sieve->room : 1024;
        uint32_t *kept = realloc(sieve->kept, room * sizeof *kept);
        if (!kept) return false;
        sieve->kept = kept, sieve->room = room;
    }
    sieve->kept[sieve->number++] = hash;
    set(sieve->bits, hash >> sieve->shift);
    return sieve->number * 8 < 1ull << (32 - sieve->shift) || sieve->shift < 4 || resize(sieve, sieve->shift - 1);
}

PUBLIC grams *grams_new(void) {
    grams *g = calloc(1, sizeof *g);
    if (!g || !(g->endings = calloc(10000000 / 64 + 1, 8)) || !(g->twos = calloc(1024, 8))) return NULL;
    sieve_bits *sieves[] = {&g->eights, &g->fours, &g->sevens, &g->firsts};
    for (int i = 0; i < 4; i++)
        if (!resize(sieves[i], 14)) return NULL;
    return g;
}

PUBLIC void grams_free(grams *g) {
    sieve_bits *sieves[] = {&g->eights, &g->fours, &g->sevens, &g->firsts};
    for (int i = 0; i < 4; i++) free(sieves[i]->bits), free(sieves[i]->kept);
    free(g->endings), free(g->twos), free(g->windows.places);
    free(g);
}

static bool all_digits(bytes text, int size) {
    for (int at = 0; at < size; at++)
        if (!is_digit(text[at])) return false;
    return true;
}

/* Enter one text of two bytes at least; where its window begins, -1 when there is no memory.

   numbers: digits in it stand in no longer number, but for three digits behind it. */
PUBLIC int grams_add(grams *g, bytes text, int size, uint32_t slot, bool numbers) {
    int window = size >= LONG ? LONG : size >= MIDDLE ? MIDDLE : size;
    int best = 0, fewest = CROWDED + 2;
    for (int number = 2; number >= 0; number--) { /* the end, the middle, the beginning: which fewest others share */
        int start = (size - window) * number / 2, end = start + window;
        int others = count(&g->windows, hash(text + start, window), CROWDED);
        if (all_digits(text + start, window) && end < size && is_digit(text[end])) others = CROWDED + 1;
        if (others < fewest) best = start, fewest = others;
    }
    if (!table_put(&g->windows, hash(text + best, window), slot)) return -1;
    g->sizes |= 1u << window;
    int end = best + window;
    bytes first = text + best;
    if (window < SHORT) {
        set(g->twos, (uint32_t)first[0] | (uint32_t)first[1] << 8);
        if (window >= 4 && !keep(&g->firsts, bit_of(load4(first), 0))) return -1;
    }
    else if (numbers && all_digits(first, window) && (end == size || !is_digit(text[end])))
        set(g->endings, seven_digits(text + end));
    else {
        for (int at = 0; at < 4; at++)
            if (!(window == LONG ? keep(&g->eights, bit_of(load4(first + at), load4(first + at + 4)))
                                 : keep(&g->fours, bit_of(load4(first + at), 0))))
                return -1;
        if (!keep(&g->sevens, bit_of(load4(first), load4(first + 3)))) return -1;
    }
    return best;
}

static int64_t number_at(const grams *g, bytes lower, int64_t start, int64_t end, row *out, int64_t most, int64_t found) {
    for (int64_t stop = end - 3 < start + 7 ? start + 7 : end - 3; stop <= end; stop++) {
        if (!in(g->endings, seven_digits(lower + stop))) continue;
        const int sizes[] = {LONG, MIDDLE, SHORT};
        for (int i = 0; i < 3; i++)
            if (stop - sizes[i] >= start)
                found = collect(&g->windows, hash(lower + stop - sizes[i], sizes[i]), out, most, found, stop - sizes[i],
                                sizes[i]);
    }
    return found;
}

/* Every window that stands in the bytes; more than there is room for are only counted. */
PUBLIC int64_t grams_find(const grams *g, bytes lower, int64_t end, row *out, int64_t most) {
    int64_t found = 0, run_end = 0;
    bool some_long = g->sizes >> LONG & 1, some_middle = g->sizes >> SHORT & 3;
    for (int64_t at = 0; at + 4 <= end; at += 4) {
        uint32_t word = load4(lower + at);
        if (at >= run_end && (word & 0xF0F0F0F0u) == 0x30303030u && ((word + 0x06060606u) & 0xF0F0F0F0u) == 0x30303030u) {
            int64_t start = at;
            while (start > 0 && is_digit(lower[start - 1])) start--;
            for (run_end = at + 4; run_end < end && is_digit(lower[run_end]);) run_end++;
            if (run_end - start >= 7) found = number_at(g, lower, start, run_end, out, most, found);
        }
        if (some_long && at + 8 <= end && may(&g->eights, bit_of(word, load4(lower + at + 4))))
            for (int64_t start = at < 3 ? 0 : at - 3; start <= at && start + LONG <= end; start++)
                if (may(&g->sevens, bit_of(load4(lower + start), load4(lower + start + 3)))) found = collect(&g->windows, hash(lower + start, LONG), out, most, found, start, LONG);
        if (some_middle && may(&g->fours, bit_of(word, 0)))
            for (int64_t start = at < 3 ? 0 : at - 3; start <= at && start + SHORT <= end; start++) {
                if (!may(&g->sevens, bit_of(load4(lower + start), load4(lower + start + 3)))) continue;
                found = collect(&g->windows, hash(lower + start, SHORT), out, most, found, start, SHORT);
                if (start + MIDDLE <= end)
                    found = collect(&g->windows, hash(lower + start, MIDDLE), out, most, found, start, MIDDLE);
            }
    }
    for (int64_t start = 0; g->sizes & 0x7C && start + 2 <= end; start++) {
        if (!in(g->twos, (uint32_t)lower[start] | (uint32_t)lower[start + 1] << 8)) continue;
        if (g->sizes & 0x0C)
            for (int size = 2; size < 4; size++)
                if (start + size <= end)
                    found = collect(&g->windows, hash(lower + start, size), out, most, found, start, size);
        if (g->sizes & 0x70 && start + 4 <= end && may(&g->firsts, bit_of(load4(lower + start), 0)))
            for (int size = 4; size < SHORT; size++)
                if (start + size <= end)
                    found = collect(&g->windows, hash(lower + start, size), out, most, found, start, size);
    }
    return found;
}
