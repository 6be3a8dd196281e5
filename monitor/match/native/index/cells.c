/* Names the cells that hold a place, as `geo.systems.cells` and `columns` name them; it must name the
   same, for what is found is explained by them; a test holds the two against each other. */

#include "cells.h"
#include <math.h>
#include <stdio.h>

enum {
    STEM = 10,   /* letters by which a name is known; of digits, which say less: */
    STEM_OF_DIGITS = 16,
    FINEST = 30, /* level of S2 */
};

static void name(names *n, const void *text, int size) {
    if (n->number == NAMES) return;
    memcpy(n->texts + n->filled, text, (size_t)size);
    n->filled += size, n->sizes[n->number++] = size;
}

static void number_name(names *n, const char *format, int64_t number) {
    char text[NAME];
    name(n, text, snprintf(text, sizeof text, format, (long long)number));
}

/* The bits of two numbers in turn. */
static uint64_t woven(uint64_t even, uint64_t odd) {
    uint64_t both = 0;
    for (int bit = 0; bit < 32; bit++) both |= (even >> bit & 1) << 2 * bit | (odd >> bit & 1) << (2 * bit + 1);
    return both;
}

static uint64_t part_of(double share, int bits) {
    double size = (double)(1ll << bits), at = share * size;
    return (uint64_t)(at < size - 1 ? at : size - 1);
}

static uint64_t interleaved(double lat, double lon, int bits, double north) {
    return woven(part_of((lat + north) / (2 * north), bits), part_of((lon + 180) / 360, bits));
}

static void geohashes(names *n, double lat, double lon) {
    char text[12];
    uint64_t bits = interleaved(lat, lon, 30, 90);
    for (int at = 0; at < 12; at++) text[at] = "0123456789bcdefghjkmnpqrstuvwxyz"[bits >> (55 - 5 * at) & 31];
    for (int size = 6; size <= 12; size++) name(n, text, size);
}

/* Names of tiles, and the columns that they stand in. */
static void tiles(names *n, double lat, double lon, bool columns) {
    enum { DIGITS = 22, WIDEST = 16, FIRST_COLUMN = 15 };
    const double turn = 3.141592653589793;
    char text[DIGITS];
    double north = log(tan(turn / 4 + lat * (turn / 180) / 2)) / turn;
    uint64_t x = part_of((lon + 180) / 360, DIGITS), y = part_of((1 - north) / 2, DIGITS), bits = woven(x, y);
    for (int at = 0; at < DIGITS; at++) text[at] = (char)('0' + (bits >> 2 * (DIGITS - 1 - at) & 3));
    for (int size = WIDEST; size <= DIGITS; size++) name(n, text, size);
    for (int zoom = FIRST_COLUMN; columns && zoom <= DIGITS; zoom++) number_name(n, "%lld", (int64_t)(x >> (DIGITS - zoom)));
}

/* A number of whole cells: one that is a millionth too small, or less, is the next. */
static int64_t whole_cells(double cells) {
    double whole = floor(cells);
    return (int64_t)whole + (cells - whole >= 1 - 5e-7);
}

static void plus_codes(names *n, double lat, double lon) {
    static const char letters[] = "23456789cfghjmpqrvwx";
    char text[12] = {0};
    int64_t south = whole_cells((lat + 90) * 2.5e7), west = whole_cells((lon + 180) * 8.192e6);
    text[8] = '+', text[11] = letters[south % 3125 / 625 * 4 + west % 1024 / 256];
    south /= 3125, west /= 1024;
    for (int pair = 4; pair >= 0; pair--, south /= 20, west /= 20) {
        char *at = text + 2 * pair + (pair == 4);
        at[0] = letters[south % 20], at[1] = letters[west % 20];
    }
    name(n, text, 9), name(n, text, 11), name(n, text, 12);
}

/* A side of the cube, bent so that its cells come out of about one size. */
static double curved(double side) { return side >= 0 ? 0.5 * sqrt(1 + 3 * side) : 1 - 0.5 * sqrt(1 - 3 * side); }

static uint64_t along(double side) {
    double at = curved(side) * (1 << FINEST);
    return at <= 0 ? 0 : at < (1 << FINEST) - 1 ? (uint64_t)at : (1 << FINEST) - 1;
}

/* The id of the finest cell of S2 that holds a point: a face of the cube, then the place on its Hilbert curve. */
static uint64_t s2_cell(double lat, double lon) {
    static const int of[6][2] = {{1, 2}, {0, 2}, {0, 1}, {2, 1}, {2, 0}, {1, 0}};
    static const int signs[6][2] = {{1, 1}, {-1, 1}, {-1, -1}, {1, 1}, {1, -1}, {-1, -1}};
    static const int positions[4][4] = {{0, 1, 3, 2}, {0, 3, 1, 2}, {2, 3, 1, 0}, {2, 1, 3, 0}}, turns[4] = {1, 0, 0, 3};
    const double degree = 3.141592653589793 / 180;
    double phi = lat * degree, theta = lon * degree;
    double point[3] = {cos(phi) * cos(theta), cos(phi) * sin(theta), sin(phi)};
    int axis = 0;
    for (int one = 1; one < 3; one++)
        if (fabs(point[one]) > fabs(point[axis])) axis = one;
    int face = axis + 3 * (point[axis] < 0), turn = face & 1;
    uint64_t sides[2], found = (uint64_t)face;
    for (int side = 0; side < 2; side++) sides[side] = along(signs[face][side] * point[of[face][side]] / point[axis]);
    for (int bit = FINEST - 1; bit >= 0; bit--) {
        int place = positions[turn][2 * (sides[0] >> bit & 1) + (sides[1] >> bit & 1)];
        found = found << 2 | (uint64_t)place;
        turn ^= turns[place];
    }
    return found << 1 | 1;
}

/* The ids of the cells of S2 that hold a point, as tokens; or as all else that they are written as. */
static void s2_names(names *n, uint64_t finest, bool as_tokens) {
    static const int levels[] = {14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, FINEST};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        uint64_t last = 1ull << 2 * (FINEST - levels[i]), cell = (finest & (0 - last)) | last;
        char text[NAME];
        int size = snprintf(text, sizeof text, "%016llx", (unsigned long long)cell);
        while (as_tokens && text[size - 1] == '0') size--;
        name(n, text, size);
        if (as_tokens) continue;
        number_name(n, "%llu", (int64_t)cell);
        if (cell >> 63) number_name(n, "%lld", (int64_t)cell);
    }
}

static int stem_of(bytes text, int size) {
    for (int at = 0; at < size; at++)
        if (!is_digit(text[at])) return size < STEM ? size : STEM;
    return size < STEM_OF_DIGITS ? size : STEM_OF_DIGITS;
}

bool cells_of(names *n, table *stems, double lat, double lon, int system, bytes further, const int32_t *sizes, int64_t number,
              uint32_t place) {
    n->number = n->filled = 0;
    if (system == BD09MC) return true; /* metres */
    geohashes(n, lat, lon);
    if (fabs(lat) < 85) tiles(n, lat, lon, system != BD09);
    plus_codes(n, lat, lon);
    uint64_t cell = system == BD09 ? 0 : s2_cell(lat, lon); /* whose maps have tiles of their own */
    if (cell) s2_names(n, cell, true);
    if (system == WGS84) {
        const double north[] = {85.05112878, 90}; /* where Redis ends */
        for (int i = 0; i < 2; i++)
            if (fabs(lat) < north[i]) number_name(n, "%lld", (int64_t)interleaved(lat, lon, 26, north[i]));
    }
    for (int64_t i = 0; i < number; further += sizes[i++]) name(n, further, sizes[i]);
    int32_t short_sizes[NAMES];
    uint8_t short_texts[NAMES * NAME];
    int64_t filled = 0, at = 0;
    for (int64_t i = 0; i < n->number; at += n->sizes[i++]) {
        short_sizes[i] = stem_of(n->texts + at, n->sizes[i]);
        memcpy(short_texts + filled, n->texts + at, (size_t)short_sizes[i]);
        filled += short_sizes[i];
    }
    if (!table_put_texts(stems, short_texts, short_sizes, n->number, place)) return false;
    if (cell) s2_names(n, cell, false);
    return true;
}
