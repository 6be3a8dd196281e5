/* Reads JSON texts as decode/documents/json_documents.py does, and writes down the leaves that matter, with the way to
   each. */

#if defined(__linux__) || defined(__APPLE__)
#define _DEFAULT_SOURCE
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "remembered.h"
#include "sift.h"
#include <stddef.h>

enum { LEVELS = 300, NEIGHBOURS = 12, RECENT = 16 };
enum { LEAF = 0 }; /* a value; also KEY, a key that may be data itself, and ARRAY, a list that may be the bytes of a text */

/* One step to a leaf: the bytes of a key, or INDEX and the number. */
typedef struct {
    int64_t start, end;
} step;

typedef struct {
    int64_t start, end, what, first_step, steps, said, because, token, document;
} found;

typedef struct {
    found *leaves;
    step *steps;
    spot *spots;
    int64_t most_leaves, most_steps, most_spots, leaves_found, steps_found, spots_found;
    int64_t end, documents, too_many; /* first byte not read; documents begun; whether there was too little room */
} page;

_Static_assert(sizeof(step) == 8 * STEP_FIELDS, "steps are read by sieve.py");
_Static_assert(sizeof(found) == 8 * LEAF_FIELDS, "leaves are read by sieve.py");
_Static_assert(sizeof(page) == PAGE_BYTES, "a page is made by sieve.py");

/* What is known of one open object or list. */
typedef struct {
    bool object;
    int64_t begun, number, small, letters; /* members of a list that are small numbers, or letters; -1: others too */
    step member;
} level;

typedef struct {
    int64_t start, end, token, container;
    step member;
} neighbour;

static bool write_down(page *p, found leaf, const level *levels, int depth) {
    if (p->leaves_found >= p->most_leaves || p->steps_found + depth > p->most_steps) {
        p->too_many = 1;
        return false;
    }
    leaf.first_step = p->steps_found, leaf.steps = depth, leaf.document = p->documents - 1;
    p->leaves[p->leaves_found++] = leaf;
    for (int i = 1; i <= depth; i++) p->steps[p->steps_found++] = levels[i].member;
    return true;
}

static bool telling_key(bytes data, int64_t size, int kinds) {
    int digits = 0, hexadecimal = 0;
    if (size >= 33 || kinds & (HIGH | TELLING)) return true;
    if (size < 5 || !(kinds & DIGIT || size >= 8)) return false;
    for (int64_t at = 0; at < size; at++) {
        digits = is_digit(data[at]) ? digits + 1 : 0;
        hexadecimal = HEX[data[at]] != 255 ? hexadecimal + 1 : 0;
        if (digits >= 5 || hexadecimal >= 8) return true;
    }
    return false;
}

/* Whether the small numbers, or the letters, of a list are bytes or a text that matters. */
static bool array_matters(sieve *s, bytes data, int64_t size) {
    uint8_t out[LONGEST + WIDTH];
    int64_t length = 0;
    bool quoted = false;
    for (int64_t at = 0; at < size; at++) {
        if (length >= LONGEST) return true;
        if (data[at] == '"')
            quoted = !quoted;
        else if (quoted)
            out[length++] = data[at];
        else if (is_digit(data[at])) {
            int value = 0;
            bool negative = at && data[at - 1] == '-';
            for (; at < size && is_digit(data[at]); at++) value = (value * 10 + data[at] - '0') & 0xFFF;
            out[length++] = (uint8_t)(negative ? -value : value);
            at--;
        }
    }
    return decoded_matters(s, out, length, 1);
}

static bool is_real(bytes data, int64_t size) { /* such as 1.3800138E10, which stands for another number */
    for (int64_t at = 0; at < size; at++)
        if ((data[at] | 32) == 'e') return true;
    return size >= 24 || (size >= 9 && !memcmp(data + size - 2, ".0", 2));
}

static bool says_nothing(bytes data, int64_t size) {
    static const char *words[] = {"true", "false", "null", "undefined", "NaN"};
    for (int i = 0; i < 5; i++)
        if (strlen(words[i]) == (size_t)size && !memcmp(words[i], data, (size_t)size)) return true;
    return false;
}

enum { LONGEST_LEAF = 1 << 20 }; /* a longer one is read in full */

/* --- the end of a string --- */

#ifdef __SSE2__
static inline uint64_t marks_of(bytes at) {
    uint64_t found = 0;
    for (int i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(at + 16 * i));
        __m128i mark = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        found |= bits_of(mark) << 16 * i;
    }
    return found;
}
#endif

/* The next quote or backslash, or the end. */
static inline int64_t next_mark(reader *r, bytes data, int64_t size, int64_t at) {
#ifdef __SSE2__
    for (;;) {
        if (at - r->block < WIDTH) {
            uint64_t rest = r->marks >> (at - r->block);
            if (rest) return at + first_of(rest);
            at = r->block + WIDTH;
        }
        if (at + WIDTH > size) break;
        r->block = at, r->marks = marks_of(data + at);
    }
#else
    (void)r;
#endif
    while (at < size && data[at] != '"' && data[at] != '\\') at++;
    return at < size ? at : size;
}

/* For one to four digits, if no text is that short. */
static int few_digits_matter(sieve *s, bytes data, int64_t size) {
    int64_t spots = s->spots_found, value = 0;
    if (has_word(s, data, size)) return BESIDE;
    if (size < 4 || !s->number_of_places) return DULL;
    for (int64_t at = 0; at < size; at++) value = value * 10 + data[at] - '0';
    number_near(s, (double)value, 0);
    return s->spots_found > spots ? PLACED : DULL;
}

/* Whether two short numbers of one object or list are parts of a cut value. */
static bool parts_matter(const sieve *s, bytes data, int64_t start, int64_t end, const neighbour *other) {
    int64_t second = other->end - other->start;
    return second >= 1 && second <= 4 && two_matter(s, data + start, end - start, data + other->start, second);
}

enum { BEHIND = 1 << 20 };

/* Release the pages of a mapped file that were read. */
static int64_t release(bytes data, int64_t from, int64_t to) {
#ifdef MADV_DONTNEED
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = ((uintptr_t)data + (uintptr_t)from) / page * page;
    uintptr_t last = ((uintptr_t)data + (uintptr_t)to) / page * page;
    if (first >= (uintptr_t)data && last > first) madvise((void *)first, last - first, MADV_DONTNEED);
#else
    (void)data, (void)from;
#endif
    return to;
}

/* The state of reading a text. */
typedef struct {
    sieve *s;
    page *p;
    bytes data;
    level levels[LEVELS + 2];
    int64_t containers[LEVELS + 2], container; /* the numbers of the open ones, and the last number that was assigned */
    neighbour recent[RECENT];
    int64_t seen, pending, pending_of; /* leaves read; how many of the next ones matter as well, and in which container */
    found cause;
    int depth;
    bool keyed; /* whether the key of the next value was read */
} reading;

/* A value begins: its name is the key before it, or the next index in its list. */
static inline void name_value(reading *r) {
    level *own = r->levels + r->depth;
    if (!own->object)
        own->member = (step){INDEX, own->number++};
    else if (!r->keyed)
        own->member = (step){KEYLESS, 0};
    r->keyed = false;
}

/* Count what a list consists of: small numbers, letters. */
static inline void count_value(reading *r, bool small, bool letter) {
    level *own = r->levels + r->depth;
    own->small = small && own->small >= 0 ? own->small + 1 : -1;
    own->letters = letter && own->letters >= 0 ? own->letters + 1 : own->letters >= 5 ? own->letters : -1;
}

/* Write down the leaves before one whose neighbours matter. */
static bool neighbours_matter(reading *r, const found *leaf) {
    level *own = r->levels + r->depth;
    step member = own->member;
    for (int64_t back = r->seen < NEIGHBOURS ? 0 : r->seen - NEIGHBOURS; back < r->seen; back++) {
        const neighbour *other = r->recent + back % RECENT;
        if (other->container != r->containers[r->depth]) continue;
        own->member = other->member;
        found beside = {other->start, other->end, LEAF, 0, 0, leaf->said, leaf->start, other->token, 0};
        if (!write_down(r->p, beside, r->levels, r->depth)) return false;
    }
    own->member = member;
    r->pending = NEIGHBOURS + 1, r->pending_of = r->containers[r->depth], r->cause = *leaf;
    return true;
}

/* Whether a number of up to four digits and an earlier one are parts of a value. */
static int numbers_beside(const reading *r, int64_t start, int64_t stop) {
    for (int64_t back = r->seen < NEIGHBOURS ? 0 : r->seen - NEIGHBOURS; back < r->seen; back++) {
        const neighbour *other = r->recent + back % RECENT;
        if (other->container == r->containers[r->depth] && is_digit(r->data[other->start]) &&
            parts_matter(r->s, r->data, start, stop, other))
            return BESIDE;
    }
    return DULL;
}

/* Take a leaf that was read; false if there is no more room. */
static inline bool take(reading *r, int64_t token, int64_t start, int64_t stop, int said) {
    int64_t container = r->containers[r->depth];
    if (said | (int)r->pending) {
        found leaf = {start, stop, LEAF, 0, 0, said, start, token, 0};
        if (said & (BESIDE | PLACED) && !neighbours_matter(r, &leaf)) return false;
        if (r->pending && r->pending_of == container) {
            r->pending--;
            if (!said) leaf.said = r->cause.said, leaf.because = r->cause.because;
        }
        if (leaf.said && !write_down(r->p, leaf, r->levels, r->depth)) return false;
    }
    r->recent[r->seen++ % RECENT] = (neighbour){start, stop, token, container, r->levels[r->depth].member};
    return true;
}

static bool has_punycode(bytes data, int64_t size) {
    bytes end = data + size;
    for (bytes x = memchr(data, '-', (size_t)size); x; x = memchr(x + 1, '-', (size_t)(end - x - 1)))
        if (x >= data + 2 && x + 1 < end && x[1] == '-' && (x[-1] | 32) == 'n' && (x[-2] | 32) == 'x') return true;
    return false;
}

/* An object or list ends before `at`; false if there is no more room. */
static inline bool close_one(reading *r, int64_t at) {
    const level *own = r->levels + r->depth--;
    r->keyed = false;
    r->p->end = at;
    if (own->object || (own->small < 6 && own->letters < 5)) return true;
    r->s->leaf = own->begun;
    return !array_matters(r->s, r->data + own->begun, at - own->begun) ||
           write_down(r->p, (found){own->begun, at, ARRAY, 0, 0, MATTERS, own->begun, own->begun, 0}, r->levels, r->depth);
}

static inline bool open_one(reading *r, int64_t at) {
    name_value(r);
    if (r->depth >= LEVELS) return false;
    r->levels[r->depth].small = r->levels[r->depth].letters = -1;
    r->levels[++r->depth] = (level){r->data[at] == '{', at, 0, 0, 0, {0, 0}};
    r->containers[r->depth] = ++r->container;
    return true;
}

/* Read the documents at `at`. False if something is written in a way that only the slow parser understands, or if more
   matters than there is room for. `mapped`: the bytes are those of a file and can be read again. */
PUBLIC bool sieve_read(sieve *s, bytes data, int64_t size, int64_t at, bool mapped, page *p) {
    reading now;
    seen_before dull[MOST], keys[KEYS] = {0};
    int64_t number = FEWEST, released = 0;
    reader *r = &s->reader;
    bytes end = data + size;
    memset(&now, 0, offsetof(reading, levels) + sizeof *now.levels);
    memset(&now.containers, 0, sizeof now - offsetof(reading, containers));
    now.s = s, now.p = p, now.data = data;
    while (number < MOST && number * 256 < size) number *= 2;
    memset(dull, 0, (size_t)number * sizeof *dull);
    r->block = -WIDTH;
    if (!have_room(r, 2 * WIDTH)) return false;
    s->punycode = mapped || has_punycode(data, size); /* perhaps: a file is not examined for it */
    s->spots = p->spots, s->spots_most = p->most_spots, s->spots_found = 0;
    while (at < size) {
        uint8_t byte = data[at];
        if (CLASS[byte] & BETWEEN && (byte != ':' || now.depth)) {
            at++;
            continue;
        }
        if (mapped && at - released >= BEHIND) released = release(data, released, at);
        if (!now.depth) { /* between documents */
            if (byte != '{' && byte != '[') break;
            p->documents++;
        }
        if (byte == '{' || byte == '[') {
            if (!open_one(&now, at++)) return false;
            continue;
        }
        if (byte == '}' || byte == ']') {
            if (!close_one(&now, ++at)) return false;
            continue;
        }
        level *own = now.levels + now.depth;
        bool bare = false, strange = false, member = own->object && !now.keyed;
        int64_t token = at, start = at, stop;
        uint32_t kinds = 0;
        masks m = {0};
        if (byte == '"') {
            start = ++at;
            for (at = next_mark(r, data, size, at); at < size && data[at] == '\\'; at = next_mark(r, data, size, at + 2)) {
                strange = true;
                if (at + 2 > size) return false;
            }
            if (at >= size) return false; /* truncated */
            stop = at++;
        } else {
            word_read word;
            s->leaf = start;
            if (!member && at + BARE_ROOM <= size && (stop = bare_matters(s, data, at, &word))) {
                at = stop;
                name_value(&now);
                count_value(&now, !word.nothing && stop - start <= 4, false);
                if (word.few && in(s->short_numbers, word.few - 1)) word.said |= numbers_beside(&now, start, stop);
                if (!word.nothing && !take(&now, token, start, stop, word.said)) return false;
                continue;
            }
            bare = true;
            if (byte == '\'' || CLASS[byte] & CONTROL) return false;
            for (; at < size && !(CLASS[data[at]] & STOP); at++) kinds |= CLASS[data[at]];
            stop = at;
        }
        int64_t length = stop - start;
        seen_before *same = NULL; /* an equal text before it */
        uint64_t h = 0;
        if (member) {
            own->member = (step){start, stop};
            now.keyed = true;
        }
        if (!bare && !strange && length >= 4 && length <= WIDTH) {
            h = brief(data + start, length);
            same = member ? keys + (h & (KEYS - 1)) : dull + (h & (uint64_t)(number - 1));
            if (is_same(same, h, data, start, length, released)) {
                if (member) continue;
                name_value(&now);
                count_value(&now, false, length == 4);
                if (!take(&now, token, start, stop, DULL)) return false;
                continue;
            }
        }
        if (length > LONGEST_LEAF) strange = true;
        if (length <= WIDTH) {
            m = masks_of(data + start, length, end, r->lower);
            if (!bare) kinds = kinds_of(&m, data + start, length);
        } else if (!bare)
            for (int64_t i = start; i < stop; i++) kinds |= CLASS[data[i]];
        if (kinds & CONTROL) return false; /* not text */
        if (length > WIDTH && !strange) {
            if (!have_room(r, length + WIDTH)) return false;
            lower_case(r->lower, data + start, length);
        }
        if (member) {
            if (!telling_key(data + start, length, (int)kinds)) {
                if (same) remember(same, h, start, length);
                continue;
            }
            s->leaf = start;
            int said = kinds & ESCAPE || strange ? MATTERS : leaf_matters(s, data + start, r->lower, length, (int)kinds, &m, false);
            if (said && !write_down(p, (found){start, stop, KEY, 0, 0, said, start, token, 0}, now.levels, now.depth)) return false;
            continue;
        }
        name_value(&now);
        count_value(&now, bare && kinds & DIGIT && length <= 4, !bare && length && length <= 4);
        if (!length || (bare && !(kinds & DIGIT) && says_nothing(data + start, length))) continue;
        s->leaf = start;
        int said = DULL;
        bool digits = (kinds & (STOP - 1)) == DIGIT;
        if (strange)
            said = MATTERS;
        else if (digits && length <= 4 && !(s->texts->sizes & 0x1C))
            said = few_digits_matter(s, data + start, length);
        else if (kinds)
            said = leaf_matters(s, data + start, r->lower, length, (int)kinds, &m, bare && !is_real(data + start, length));
        if (digits && length <= 4 && in(s->short_numbers, short_number(data + start, length)))
            said |= numbers_beside(&now, start, stop);
        if (same && !said && !digits) remember(same, h, start, length);
        if (!take(&now, token, start, stop, said)) return false;
    }
    if (now.depth) p->end = size;
    p->spots_found = s->spots_found;
    p->too_many = s->spots_found > s->spots_most;
    return !p->too_many;
}
