#ifdef __linux__
#define _DEFAULT_SOURCE
#include <sys/mman.h>
#endif

#include "tables.h"

enum { LEAST = 16, SEGMENTS = 256, WHOLE = 1 << 12 }; /* most entries of a table with one segment */
enum { AT_ONCE = 4 }; /* hashes that are moved with each new entry, so that no call has to move all */

/* This many zeroed words; large numbers of them in large pages, because lookups go anywhere. */
static uint64_t *zeros(uint64_t words) {
#ifdef MADV_HUGEPAGE
    enum { LARGE_PAGE = 2 << 20 };
    uint64_t size = 8 * words;
    void *made = NULL;
    if (size > LARGE_PAGE / 2 - 1) {
        size = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
        if (posix_memalign(&made, LARGE_PAGE, size)) return NULL;
        madvise(made, size, MADV_HUGEPAGE);
        return memset(made, 0, size);
    }
#endif
    return calloc(words, 8);
}

void table_clear(table *t) {
    for (uint64_t i = 0; t->segments && i <= t->mask; i++) free(t->segments[i].places), free(t->segments[i].more);
    for (uint64_t i = 0; t->crowds && i <= t->crowd_mask; i++) free(t->crowds[i].slots), free(t->crowds[i].more);
    free(t->segments), free(t->some), free(t->wider), free(t->crowds);
}

static bool make(segment *s, uint64_t size, bool windows) {
    *s = (segment){calloc(size, sizeof *s->places), windows ? calloc(size, sizeof *s->more) : NULL, size, 0};
    if (s->places && (s->more || !windows)) return true;
    free(s->places), free(s->more);
    *s = (segment){0};
    return false;
}

static void enter_place(segment *s, uint64_t entry, uint32_t more) {
    uint64_t at = begin(s, entry);
    while (s->places[at]) at = next(s, at);
    s->places[at] = entry, s->used++;
    if (s->more) s->more[at] = more;
}

/* Enlarge a segment; up to five of six places may be used. */
static bool grow(segment *s, bool windows) {
    segment grown;
    if (!make(&grown, s->size / 3 * 4 + LEAST, windows)) return false;
    for (uint64_t i = 0; i < s->size; i++)
        if (s->places[i]) enter_place(&grown, s->places[i], s->more ? s->more[i] : 0);
    free(s->places), free(s->more);
    *s = grown;
    return true;
}

/* Divide one segment into many. */
static bool divide(table *t) {
    table many = {.segments = calloc(SEGMENTS, sizeof(segment)), .mask = SEGMENTS - 1};
    segment *one = t->segments;
    bool good = many.segments != NULL;
    for (int i = 0; i < SEGMENTS && good; i++) good = make(many.segments + i, LEAST, t->windows);
    for (uint64_t i = 0; i < one->size && good; i++) {
        segment *s = many.segments + (one->places[i] >> SLOT_BITS & many.mask);
        if (!one->places[i]) continue;
        good = 6 * (s->used + 1) <= 5 * s->size || grow(s, t->windows);
        if (good) enter_place(s, one->places[i], one->more ? one->more[i] : 0);
    }
    if (!good) {
        table_clear(&many);
        return false;
    }
    free(one->places), free(one->more), free(one);
    t->segments = many.segments, t->mask = many.mask;
    return true;
}

static inline void note_hash(uint64_t *some, uint64_t mask, uint64_t h) {
    uint64_t hash = some_hash(h);
    some[hash >> 32 & mask] |= some_bits_of(hash);
}

static void note_some(table *t, uint64_t h) {
    note_hash(t->some, t->some_mask, h);
    if (t->wider) note_hash(t->wider, 2 * t->some_mask + 1, h);
}

/* Make eight to sixteen bits for each entry; there are fewer until all entries are noted in the new words. */
static bool more_bits(table *t) {
    if (!t->some) return t->some_mask = LEAST - 1, (t->some = zeros(LEAST)) != NULL;
    t->noted = 0;
    return (t->wider = zeros(2 * (t->some_mask + 1))) != NULL;
}

static void note_a_segment(table *t) {
    const segment *s = t->segments + t->noted;
    for (uint64_t at = 0; at < s->size; at++)
        if (s->places[at]) note_hash(t->wider, 2 * t->some_mask + 1, s->places[at]);
    if (t->noted++ < t->mask) return;
    free(t->some);
    t->some = t->wider, t->wider = NULL, t->some_mask = 2 * t->some_mask + 1;
}

static bool have_place(table *t, uint64_t h) {
    if (!t->segments && !(t->segments = calloc(1, sizeof(segment)))) return false;
    if (t->used == WHOLE && !t->mask && !divide(t)) return false;
    if ((!t->some || (t->used >= 8 * (t->some_mask + 1) && !t->wider)) && !more_bits(t)) return false;
    if (t->wider && t->used % (t->used / (4 * (t->mask + 1)) + 1) == 0) note_a_segment(t); /* all are noted before there are a quarter more entries */
    segment *s = t->segments + (h >> SLOT_BITS & t->mask);
    return 6 * (s->used + 1) <= 5 * s->size || grow(s, t->windows);
}

/* The crowd of a word, or the place for it. */
static crowd *crowd_of(const table *t, uint64_t word) {
    uint64_t at = word * 0x9E3779B97F4A7C15u >> 32 & t->crowd_mask;
    while (t->crowds[at].slots && t->crowds[at].word != word) at = (at + 1) & t->crowd_mask;
    return t->crowds + at;
}

static bool more_crowds(table *t) {
    table more = {.crowd_mask = t->crowds ? 2 * t->crowd_mask + 1 : LEAST - 1};
    more.crowds = calloc(more.crowd_mask + 1, sizeof *more.crowds);
    if (!more.crowds) return false;
    for (uint64_t i = 0; t->crowds && i <= t->crowd_mask; i++)
        if (t->crowds[i].slots) *crowd_of(&more, t->crowds[i].word) = t->crowds[i];
    free(t->crowds);
    t->crowds = more.crowds, t->crowd_mask = more.crowd_mask;
    return true;
}

static bool put_into_crowd(table *t, uint64_t word, uint32_t slot, uint32_t more) {
    if ((!t->crowds || 2 * t->crowds_used > t->crowd_mask) && !more_crowds(t)) return false;
    crowd *c = crowd_of(t, word);
    /* entries of a slot come together: it can only be among the last */
    for (uint32_t at = c->number; at && c->slots[at - 1] == slot; at--)
        if (!c->more || c->more[at - 1] == more) return true;
    if (c->number == c->room) {
        uint32_t room = c->room ? 2 * c->room : LEAST;
        uint32_t *slots = realloc(c->slots, room * sizeof *slots), *mores = t->windows ? realloc(c->more, room * sizeof *mores) : NULL;
        t->crowds_used += !c->slots && slots;
        if (slots) c->slots = slots, c->word = word;
        if (mores) c->more = mores;
        if (!slots || (t->windows && !mores)) return false;
        c->room = room;
    }
    c->slots[c->number] = slot;
    if (c->more) c->more[c->number] = more;
    c->number++;
    t->used++;
    return true;
}

bool another_of_a_crowd(entries *e) {
    if (!e->t->crowds) return false;
    if (!e->others) e->others = crowd_of(e->t, e->word);
    uint32_t at = e->met - TOGETHER;
    if (at >= e->others->number) return false;
    e->slot = e->others->slots[at], e->more = e->others->more ? e->others->more[at] : 0;
    e->met++;
    return true;
}

bool table_put(table *t, uint64_t h, uint32_t slot, uint32_t more) {
    if (!have_place(t, h)) return false;
    uint64_t entry = (h >> SLOT_BITS << SLOT_BITS) | (slot + 1);
    segment *s = t->segments + (h >> SLOT_BITS & t->mask);
    uint64_t at = begin(s, h);
    int met = 0;
    for (; s->places[at] && met < TOGETHER; at = next(s, at)) {
        if (s->places[at] == entry && (!s->more || s->more[at] == more)) return true;
        met += s->places[at] >> SLOT_BITS == h >> SLOT_BITS;
    }
    if (met == TOGETHER) return put_into_crowd(t, h >> SLOT_BITS, slot + 1, more);
    s->places[at] = entry, s->used++;
    if (s->more) s->more[at] = more;
    t->used++;
    note_some(t, h);
    return true;
}

/* Append the entries of a hash; returns the number of rows, which may be more than there is room for. */
int64_t collect(const table *t, uint64_t h, row *out, int64_t most, int64_t found, int64_t start, int size) {
    if (!has(t, h)) return found;
    for (entries e = entries_of(t, h); another(&e); found++)
        if (found < most) out[found] = (row){(int64_t)e.slot - 1, start, size};
    return found;
}

/* The same for a window, if the text that it belongs to stands around it. */
static int64_t windows_at(const table *t, bytes lower, int64_t start, int size, int64_t end, row *out, int64_t most, int64_t found) {
    uint64_t h = hash(lower + start, size);
    if (!has(t, h)) return found;
    for (entries e = entries_of(t, h); another(&e);) {
        if (!whole(e.more, lower, start, 0, end)) continue;
        if (found < most) out[found] = (row){(int64_t)e.slot - 1, start, size};
        found++;
    }
    return found;
}

PUBLIC int search_abi(void) { return SEARCH_ABI; }

PUBLIC table *table_new(void) { return calloc(1, sizeof(table)); }

PUBLIC void table_free(table *t) {
    table_clear(t);
    free(t);
}

/* Words: eight bytes each, one after the other. */
PUBLIC bool table_put_words(table *t, bytes words, int64_t number, uint32_t slot) {
    for (int64_t i = 0; i < number; i++) soon(t, mixed(load8(words + 8 * i)), true);
    for (int64_t i = 0; i < number; i++)
        if (!table_put(t, mixed(load8(words + 8 * i)), slot, 0)) return false;
    return true;
}

PUBLIC int64_t table_find_words(const table *t, bytes words, int64_t number, row *out, int64_t most) {
    int64_t found = 0;
    for (int64_t i = 0; i < number; i++) found = collect(t, mixed(load8(words + 8 * i)), out, most, found, i, 0);
    return found;
}

/* The same for the eight bytes at every position. */
PUBLIC int64_t table_find_anywhere(const table *t, bytes data, int64_t size, row *out, int64_t most) {
    enum { AHEAD = 16 };
    int64_t found = 0;
    for (int64_t at = 0; at + 8 <= size; at++) {
        if (at + AHEAD + 8 <= size) soon(t, mixed(load8(data + at + AHEAD)), false);
        found = collect(t, mixed(load8(data + at)), out, most, found, at, 0);
    }
    return found;
}

/* The same for texts of any size, one after the other. */
PUBLIC bool table_put_texts(table *t, bytes texts, const int32_t *sizes, int64_t number, uint32_t slot) {
    bytes first = texts;
    for (int64_t i = 0; i < number; first += sizes[i++]) soon(t, hash(first, sizes[i]), true);
    for (int64_t i = 0; i < number; texts += sizes[i++])
        if (!table_put(t, hash(texts, sizes[i]), slot, 0)) return false;
    return true;
}

PUBLIC int64_t table_find_texts(const table *t, bytes texts, const int32_t *sizes, int64_t number, row *out, int64_t most) {
    int64_t found = 0;
    for (int64_t i = 0; i < number; texts += sizes[i++]) found = collect(t, hash(texts, sizes[i]), out, most, found, i, 0);
    return found;
}

static inline void enter(uint64_t *words, int shift, uint64_t hash) {
    words[hash >> shift] |= 1ull << (hash >> 8 & 63) | 1ull << (hash >> 14 & 63);
}

/* Move some of the kept entries to the larger words, which replace the old ones at the end. */
static void move(sieve_bits *sieve) {
    for (int i = 0; i < AT_ONCE && sieve->moved < sieve->number; i++)
        enter(sieve->wider, sieve->shift - 1, sieve->kept[sieve->moved++]);
    if (sieve->moved < sieve->number) return;
    free(sieve->words);
    sieve->words = sieve->wider, sieve->wider = NULL, sieve->shift--;
}

/* Replace the words by eight times as many without using the entries: each word is copied into eight. */
static bool spread(sieve_bits *sieve) {
    uint64_t number = (uint64_t)1 << (64 - sieve->shift), *words = zeros(8 * number);
    if (!words) return false;
    for (uint64_t i = 0; i < 8 * number; i++) words[i] = sieve->words[i / 8];
    free(sieve->words), free(sieve->kept);
    sieve->words = words, sieve->shift -= 3, sieve->kept = NULL, sieve->room = 0;
    return true;
}

static bool keep(sieve_bits *sieve, uint64_t hash) {
    enum { KEPT = 1 << 20, LOWEST = 36 };
    if (sieve->wider) move(sieve); /* the move began with at most half of KEPT entries, and ends long before there are KEPT */
    if (sieve->number >= KEPT) {
        sieve->number += !may(sieve, hash);
        enter(sieve->words, sieve->shift, hash);
        return sieve->number < (uint64_t)sieve->most << (64 - sieve->shift) || sieve->shift < LOWEST + 3 || spread(sieve);
    }
    if (sieve->number == sieve->room) {
        uint64_t room = sieve->room ? 2 * sieve->room : 1024;
        uint64_t *kept = realloc(sieve->kept, room * sizeof *kept);
        if (!kept) return false;
        sieve->kept = kept, sieve->room = room;
    }
    sieve->kept[sieve->number++] = hash;
    enter(sieve->words, sieve->shift, hash);
    if (sieve->wider || sieve->number < (uint64_t)sieve->most << (64 - sieve->shift)) return true;
    if (sieve->number >= KEPT) return spread(sieve);
    sieve->moved = 0;
    return (sieve->wider = zeros((uint64_t)2 << (64 - sieve->shift))) != NULL;
}

static void looks_free(looks *l) {
    sieve_bits *sieves[] = {&l->eights, &l->strange, &l->hexes, &l->hex_sevens, &l->fours, &l->sevens, &l->firsts};
    for (int i = 0; i < 7; i++) free(sieves[i]->words), free(sieves[i]->wider), free(sieves[i]->kept);
    free(l->endings), free(l->fives), free(l->twos), free(l->hex_fours), free(l);
}

static looks *looks_new(void) {
    looks *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    sieve_bits *sieves[] = {&l->eights, &l->strange, &l->hexes, &l->hex_sevens, &l->fours, &l->sevens, &l->firsts};
    l->endings = zeros(10000000 / 64 + 1), l->fives = calloc(100000 / 64 + 1, 8), l->twos = calloc(1024, 8), l->hex_fours = calloc(1024, 8);
    bool all = l->endings && l->fives && l->twos && l->hex_fours;
    for (int i = 0; i < 7 && all; i++) sieves[i]->most = i ? 4 : 8, sieves[i]->shift = 54, all = (sieves[i]->words = zeros(1024)) != NULL;
    if (all) return l;
    looks_free(l);
    return NULL;
}

/* wider: another set that this one is part of; both share their first looks. */
PUBLIC grams *grams_new(grams *wider) {
    grams *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->windows.windows = true, g->part = wider, g->looks = wider ? wider->looks : looks_new();
    if (g->looks) return g;
    free(g);
    return NULL;
}

PUBLIC void grams_free(grams *g) {
    if (!g->part) looks_free(g->looks);
    table_clear(&g->windows);
    free(g);
}

static bool all_digits(bytes text, int size) {
    for (int at = 0; at < size; at++)
        if (!is_digit(text[at])) return false;
    return true;
}

/* The bytes of hex digits, the first byte lowest; false if there is anything else. */
static bool from_digits(bytes text, int size, uint32_t *value) {
    *value = 0;
    for (int at = 0; at < size; at++) {
        uint8_t letter = (uint8_t)(text[at] - 'a');
        if (!is_digit(text[at]) && letter > 5) return false;
        *value |= (uint32_t)(is_digit(text[at]) ? text[at] - '0' : letter + 10) << 4 * (at ^ 1);
    }
    return true;
}

static bool all_hex_digits(bytes text, int size) {
    for (int at = 0; at < size; at++)
        if (!is_digit(text[at]) && (uint8_t)(text[at] - 'a') > 5) return false;
    return true;
}

/* Set the bits by which a window is found. */
static bool note(looks *l, bytes text, int best, int size, int window, bool numbers) {
    int end = best + window;
    bytes first = text + best;
    l->sizes |= 1u << window;
    if (window < SHORT) {
        set(l->twos, (uint32_t)first[0] | (uint32_t)first[1] << 8);
        return window < 4 || keep(&l->firsts, four(load4(first)));
    }
    if (numbers && all_digits(first, window) && (end == size || !is_digit(text[end]))) {
        set(l->endings, seven_digits(text + end));
        set(l->fives, five_digits(text + end));
        return true;
    }
    uint32_t digits;
    bool hex = all_hex_digits(text, size); /* else it cannot be in a text that is all hex */
    for (int at = 0; at < 4; at++)
        if (window == LONG) {
            uint64_t word = load8(first + at);
            if (!keep(word & HIGH_BITS ? &l->strange : &l->eights, eight(word))) return false;
            if (hex && from_digits(first + at, 8, &digits) && !keep(&l->hexes, four(digits))) return false;
        } else {
            if (!keep(&l->fours, four(load4(first + at)))) return false;
            if (hex && from_digits(first + at, 4, &digits)) set(l->hex_fours, digits);
        }
    return keep(&l->sevens, seven(first)) && (!hex || keep(&l->hex_sevens, seven(first)));
}

/* Enter one text of two bytes or more; returns the offset of its window, or -1 without memory.

   numbers: its digits are never part of a longer number, except for three more digits after them. */
PUBLIC int grams_add(grams *g, bytes text, int size, uint32_t slot, bool numbers) {
    int window = size >= LONG ? LONG : size >= MIDDLE ? MIDDLE : size;
    int best = 0, fewest = CROWDED + 2;
    for (int number = 2; number >= 0; number--) { /* the end, the middle, the beginning: the one that fewest share */
        int start = (size - window) * number / 2, end = start + window;
        int others = count(&g->windows, hash(text + start, window), CROWDED);
        if (all_digits(text + start, window) && end < size && is_digit(text[end])) others = CROWDED + 1;
        if (others < fewest) best = start, fewest = others;
    }
    uint32_t more = size > 255 ? 0 : (uint32_t)best << 24 | (uint32_t)size << 16 | (uint16_t)(hash(text, size) >> 40);
    if (!table_put(&g->windows, hash(text + best, window), slot, more)) return -1;
    g->sizes |= 1u << window;
    if (window < SHORT) g->sorts |= 1u << sort_of(text[best]);
    return note(g->looks, text, best, size, window, numbers) ? best : -1;
}

/* Enter several texts that follow each other. sizes: twice the size of each, plus one for `numbers`. */
PUBLIC bool grams_add_all(grams *g, bytes texts, const int32_t *sizes, int64_t number, uint32_t slot) {
    for (int64_t i = 0; i < number; texts += sizes[i++] >> 1)
        if (grams_add(g, texts, sizes[i] >> 1, slot, sizes[i] & 1) < 0) return false;
    return true;
}

/* Whether a text with this window stands around it, between two limits; if the lower limit is above the upper one, only
   the window counts. */
bool has_window(const table *t, bytes lower, int64_t start, int size, int64_t low, int64_t high) {
    uint64_t h = hash(lower + start, size);
    if (!has(t, h)) return false;
    for (entries e = entries_of(t, h); another(&e);)
        if (low > high || whole(e.more, lower, start, low, high)) return true;
    return false;
}

/* Whether a text of seven bytes or more, numbers excepted, stands around the four bytes at a position, or the eight. */
bool has_long_text(const grams *g, bytes lower, int64_t at, int64_t low, int64_t high) {
    for (int64_t first = at - 3 < low ? low : at - 3; first <= at && first + SHORT <= high; first++) {
        if (!may(&g->looks->sevens, seven(lower + first))) continue;
        static const int sizes[] = {SHORT, MIDDLE, LONG};
        for (int i = 0; i < 3; i++)
            if (g->sizes >> sizes[i] & 1 && first + sizes[i] <= high &&
                has_window(&g->windows, lower, first, sizes[i], low, high))
                return true;
    }
    return false;
}

/* Whether a known number ends where these digits end, or two digits earlier, as in an IMEI with its software version.
   loose: up to three earlier, because in binary data a digit may follow by chance. */
bool has_number(const grams *g, bytes lower, int64_t start, int64_t end, int64_t low, int64_t high, bool loose) {
    static const int sizes[] = {LONG, MIDDLE, SHORT};
    for (int back = 0; back < 4 && end - back >= start + 7; back += loose ? 1 : 2) {
        int64_t stop = end - back;
        if (!in(g->looks->fives, five_digits(lower + stop)) || !in(g->looks->endings, seven_digits(lower + stop))) continue;
        for (int i = 0; i < 3; i++)
            if (stop - sizes[i] >= start && has_window(&g->windows, lower, stop - sizes[i], sizes[i], low, high)) return true;
    }
    return false;
}

static int64_t number_at(const grams *g, bytes lower, int64_t start, int64_t end, int64_t size, row *out, int64_t most, int64_t found) {
    for (int64_t stop = end - 3 < start + 7 ? start + 7 : end - 3; stop <= end; stop++) {
        if (!in(g->looks->fives, five_digits(lower + stop)) || !in(g->looks->endings, seven_digits(lower + stop))) continue;
        const int sizes[] = {LONG, MIDDLE, SHORT};
        for (int i = 0; i < 3; i++)
            if (stop - sizes[i] >= start)
                found = windows_at(&g->windows, lower, stop - sizes[i], sizes[i], size, out, most, found);
    }
    return found;
}

/* Every text in the bytes, by its window; rows beyond the room for them are only counted. */
PUBLIC int64_t grams_find(const grams *g, bytes lower, int64_t end, row *out, int64_t most) {
    const table *t = &g->windows;
    const looks *l = g->looks;
    int64_t found = 0, run_end = 0;
    bool some_long = g->sizes >> LONG & 1, some_middle = g->sizes >> SHORT & 3;
    for (int64_t at = 0; at + 4 <= end; at += 4) {
        uint32_t word = load4(lower + at);
        if (at >= run_end && (word & 0xF0F0F0F0u) == 0x30303030u && ((word + 0x06060606u) & 0xF0F0F0F0u) == 0x30303030u) {
            int64_t start = at;
            while (start > 0 && is_digit(lower[start - 1])) start--;
            for (run_end = at + 4; run_end < end && is_digit(lower[run_end]);) run_end++;
            if (run_end - start >= 7) found = number_at(g, lower, start, run_end, end, out, most, found);
        }
        bool longer = some_long && at + 8 <= end && may_be_eight(l, load8(lower + at));
        bool middle = some_middle && may(&l->fours, four(word));
        if (!longer && !middle) continue;
        for (int64_t start = at < 3 ? 0 : at - 3; start <= at && start + SHORT <= end; start++) {
            if (!may(&l->sevens, seven(lower + start))) continue;
            if (longer && start + LONG <= end) found = windows_at(t, lower, start, LONG, end, out, most, found);
            if (!middle) continue;
            found = windows_at(t, lower, start, SHORT, end, out, most, found);
            if (start + MIDDLE <= end) found = windows_at(t, lower, start, MIDDLE, end, out, most, found);
        }
    }
    for (int64_t start = 0; g->sizes & 0x7C && start + 2 <= end; start++) {
        if (!in(l->twos, (uint32_t)lower[start] | (uint32_t)lower[start + 1] << 8)) continue;
        if (g->sizes & 0x0C)
            for (int size = 2; size < 4; size++)
                if (start + size <= end) found = windows_at(t, lower, start, size, end, out, most, found);
        if (g->sizes & 0x70 && start + 4 <= end && may(&l->firsts, four(load4(lower + start))))
            for (int size = 4; size < SHORT; size++)
                if (start + size <= end) found = windows_at(t, lower, start, size, end, out, most, found);
    }
    return found;
}
