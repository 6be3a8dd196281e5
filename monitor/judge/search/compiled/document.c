/* Reads JSON texts as decode/documents.py does, and writes down the leaves that matter, with the way to each. */

#include "sift.h"

enum { LEVELS = 300, NEIGHBOURS = 12, REMEMBERED = 1024 };
enum { LEAF, KEY, ARRAY }; /* a value, a key that may be data itself, a list that may be the bytes of a text */
enum { INDEX = -2, KEYLESS = -1 };

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
    int64_t end, documents, too_many; /* first byte that was not read, documents begun, whether there was no room */
} page;

/* What is known of one object or list that is being read. */
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
    uint8_t out[LONGEST];
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

/* Whether two short numbers of one object or list are parts of a value that was cut. */
static bool parts_matter(const sieve *s, bytes data, int64_t start, int64_t end, const neighbour *other) {
    uint8_t both[16];
    int64_t first = end - start, second = other->end - other->start;
    if (second < 1 || second > 4) return false;
    for (int turn = 0; turn < 2; turn++) {
        memcpy(both + (turn ? second : 0), data + start, (size_t)first);
        memcpy(both + (turn ? 0 : first), data + other->start, (size_t)second);
        if (has(&s->words, word_hash(both, first + second))) return true;
    }
    return false;
}

/* Read the documents at `at`. Whether all went well; else something is written in a way that only the slow reading
   understands, or more matters than there is room for. */
PUBLIC bool sieve_read(sieve *s, bytes data, bytes lower, int64_t size, int64_t at, page *p) {
    level levels[LEVELS + 2] = {0};
    int64_t containers[LEVELS + 2] = {0}, container = 0;
    neighbour recent[NEIGHBOURS] = {0};
    step dull[REMEMBERED] = {0};
    int64_t seen = 0, pending = 0, pending_of = 0;
    found cause = {0};
    int depth = 0;
    bool keyed = false;
    s->punycode = false;
    for (bytes x = memchr(lower, 'x', (size_t)size); x && x + 4 <= lower + size && !s->punycode;
         x = memchr(x + 1, 'x', (size_t)(lower + size - x - 1)))
        s->punycode = !memcmp(x, "xn--", 4);
    s->spots = p->spots, s->spots_most = p->most_spots, s->spots_found = 0;
    while (at < size) {
        uint8_t byte = data[at];
        if (CLASS[byte] & SPACE || byte == ',' || (byte == ':' && depth)) {
            at++;
            continue;
        }
        if (!depth) { /* between documents */
            if (byte != '{' && byte != '[') break;
            p->documents++;
        }
        if (CLASS[byte] & CONTROL || byte == '\'') return false;
        level *own = levels + depth;
        if (byte == '}' || byte == ']') {
            at++, depth--;
            if (!own->object && (own->small >= 6 || own->letters >= 5)) {
                s->leaf = own->begun;
                if (array_matters(s, data + own->begun, at - own->begun) &&
                    !write_down(p, (found){own->begun, at, ARRAY, 0, 0, MATTERS, own->begun, own->begun, 0}, levels, 0))
                    return false;
            }
            keyed = false;
            p->end = at;
            continue;
        }
        bool opens = byte == '{' || byte == '[', bare = false;
        int64_t token = at, start = at, stop = at;
        int kinds = 0;
        if (opens)
            at++;
        else if (byte == '"') {
            for (start = ++at; at < size && data[at] != '"'; at++) {
                kinds |= CLASS[data[at]];
                if (data[at] == '\\' && ++at < size) kinds |= CLASS[data[at]] & (HIGH | CONTROL);
            }
            if (at >= size) return false; /* cut short */
            stop = at++;
        } else {
            bare = true;
            for (; at < size && !(CLASS[data[at]] & STOP); at++) kinds |= CLASS[data[at]];
            stop = at;
        }
        if (kinds & CONTROL) return false; /* no text */
        if (depth && own->object && !keyed && !opens) {
            own->member = (step){start, stop};
            keyed = true;
            if (!telling_key(data + start, stop - start, kinds)) continue;
            s->leaf = start;
            int said = kinds & ESCAPE ? MATTERS : leaf_matters(s, data + start, lower + start, stop - start, kinds, false);
            if (said && !write_down(p, (found){start, stop, KEY, 0, 0, said, start, token, 0}, levels, depth)) return false;
            continue;
        }
        if (depth && own->object) {
            if (!keyed) own->member = (step){KEYLESS, 0};
            keyed = false;
        } else if (depth)
            own->member = (step){INDEX, own->number++};
        if (opens) {
            if (depth >= LEVELS) return false;
            own->small = own->letters = -1;
            levels[++depth] = (level){byte == '{', token, 0, 0, 0, {0, 0}};
            containers[depth] = ++container;
            continue;
        }
        bool small = bare && kinds & DIGIT && stop - start <= 4, letter = !bare && stop > start && stop - start <= 4;
        own->small = small && own->small >= 0 ? own->small + 1 : -1;
        own->letters = letter && own->letters >= 0 ? own->letters + 1 : own->letters >= 5 ? own->letters : -1;
        if (start == stop || (bare && says_nothing(data + start, stop - start))) continue;
        s->leaf = start;
        bool plain = bare && !is_real(data + start, stop - start);
        step *same = NULL; /* the same text before it */
        if (!bare && (kinds & (STOP - 1)) != DIGIT && stop - start >= 4 && stop - start <= 64) {
            same = dull + (hash(lower + start, (int)(stop - start)) & (REMEMBERED - 1));
            if (same->end - same->start == stop - start && !memcmp(data + same->start, data + start, (size_t)(stop - start)))
                kinds = 0;
        }
        int said = !kinds ? DULL : leaf_matters(s, data + start, lower + start, stop - start, kinds, plain);
        if ((kinds & (STOP - 1)) == DIGIT && stop - start <= 4 && in(s->short_numbers, short_number(data + start, stop - start)))
            for (int64_t back = seen < NEIGHBOURS ? 0 : seen - NEIGHBOURS; back < seen; back++) {
                const neighbour *other = recent + back % NEIGHBOURS;
                if (other->container == containers[depth] && is_digit(data[other->start]) &&
                    parts_matter(s, data, start, stop, other))
                    said |= BESIDE;
            }
        if (same && !said) *same = (step){start, stop};
        found leaf = {start, stop, LEAF, 0, 0, said, start, token, 0};
        if (said & (BESIDE | PLACED)) {
            for (int64_t back = seen < NEIGHBOURS ? 0 : seen - NEIGHBOURS; back < seen; back++) {
                neighbour *other = recent + back % NEIGHBOURS;
                if (other->container != containers[depth]) continue;
                step member = own->member;
                own->member = other->member;
                if (!write_down(p, (found){other->start, other->end, LEAF, 0, 0, said, start, other->token, 0}, levels, depth))
                    return false;
                own->member = member;
            }
            pending = NEIGHBOURS + 1, pending_of = containers[depth], cause = leaf;
        }
        if (pending && pending_of == containers[depth]) {
            pending--;
            if (!said) leaf.said = cause.said, leaf.because = cause.because;
        }
        if (leaf.said && !write_down(p, leaf, levels, depth)) return false;
        recent[seen++ % NEIGHBOURS] = (neighbour){start, stop, token, containers[depth], own->member};
    }
    if (depth) p->end = size;
    p->spots_found = s->spots_found;
    p->too_many = s->spots_found > s->spots_most;
    return !p->too_many;
}
