/* Stretches of large texts and other large data: whether anything may be in one. */

#include "sift.h"

enum { SPOTS = 4096, WRAPPED = 60 };

/* Whether latitude and longitude of one place were both seen, or too many numbers to tell. */
static bool both_seen(const sieve *s) {
    if (s->spots_found > s->spots_most) return true;
    for (int64_t i = 0; i < s->spots_found; i++)
        for (int64_t j = i + 1; j < s->spots_found; j++)
            if (s->spots[i].place == s->spots[j].place && s->spots[i].axis != s->spots[j].axis) return true;
    return false;
}

/* base64 in lines, and lines that continue on the next: something may be split over two lines. */
static bool goes_on(bytes line, int64_t size) {
    while (size && (line[size - 1] == '\r' || line[size - 1] == ' ')) size--;
    if (size && line[size - 1] == '=') return true;
    if (size < WRAPPED || size > 80) return false;
    for (int64_t at = 0; at < size; at++)
        if (BASE64[line[at]] == 255) return false;
    return true;
}

static bool line_matters(sieve *s, bytes line, int64_t size, bytes end) {
    uint32_t kinds = 0;
    masks m = {0};
    reader *r = &s->reader;
    if (size < 2) return false;
    if (size > LONGEST || !have_room(r, size + 2 * WIDTH)) return true;
    if (goes_on(line, size)) return true;
    if (size <= WIDTH) {
        m = masks_of(line, size, end, r->lower);
        kinds = kinds_of(&m, line, size);
    } else {
        for (int64_t at = 0; at < size; at++) kinds |= CLASS[line[at]];
        lower_case(r->lower, line, size);
    }
    return leaf_matters(s, line, r->lower, size, (int)kinds, &m, false) & ~PLACED;
}

/* Data that is not text: unencoded values in it, runs of letters, and streams that begin in it. */
static bool data_matters(sieve *s, bytes data, int64_t size) {
    reader *r = &s->reader;
    if (!have_room(r, size + 2 * WIDTH)) return true;
    lower_case(r->lower, data, size);
    if (has_text(s->texts, r->lower, size, true) || has_text(s->raw, r->lower, size, true) ||
        has_text(s->outputs, r->lower, size, true) || number_in(s, data, size))
        return true;
    for (int64_t at = 0; at + 4 < size; at++)
        if ((data[at] == 0x1F && data[at + 1] == 0x8B && data[at + 2] == 8) ||
            (data[at] == 0x28 && data[at + 1] == 0xB5 && data[at + 2] == 0x2F && data[at + 3] == 0xFD) ||
            (data[at] == 'P' && data[at + 1] == 'K' && data[at + 2] == 3 && data[at + 3] == 4))
            return true;
    return packed_find(s->packed, data, size, NULL, 0) || runs_matter(s, data, size, 0);
}

/* Whether anything may be in a stretch of a larger text, or of other data. */
PUBLIC bool sieve_stretch(sieve *s, bytes data, int64_t size, bool text) {
    spot spots[SPOTS];
    bool said = false;
    s->spots = spots, s->spots_most = SPOTS, s->spots_found = 0;
    s->punycode = true;
    if (text)
        for (int64_t at = 0; at < size && !said;) {
            bytes line = data + at, end = memchr(line, '\n', (size_t)(size - at));
            int64_t length = end ? end - line : size - at;
            said = line_matters(s, line, length, data + size);
            at += length + 1;
        }
    else
        said = data_matters(s, data, size);
    said = said || both_seen(s);
    s->spots = NULL, s->spots_most = s->spots_found = 0;
    return said;
}
