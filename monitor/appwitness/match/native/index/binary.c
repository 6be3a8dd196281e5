/* Places in binary data: latitude and longitude as floats, doubles or integers, in either byte order. */

#include "tables.h"
#include <math.h>

enum { MOST_IN_A_ROW = 64, GAPS = 5 };
static const int APART[GAPS] = {0, 1, 2, 4, 8}; /* bytes that may stand between latitude and longitude */
static const double SCALES[NUMBER_KINDS] = {1, 1, 1e7, 1e6, 1e5, SEMICIRCLE}; /* a double, a float, integers; as in `places.binary` */
#define FARTHEST 0.00051 /* in degrees: more than rounding to three decimals changes, and more than 15 metres */

typedef struct {
    double lat, lon, reach; /* how many degrees of longitude a number may be off */
} point;

typedef struct packed {
    table tops; /* the three most significant bytes of a latitude, and its kind -> the place */
    point *points;
    int64_t number, room;
    uint64_t some[1024]; /* the upper two of these bytes: most searches end here */
} packed;

PUBLIC packed *packed_new(void) {
    packed *p = calloc(1, sizeof *p);
    if (p) p->tops.windows = true;
    return p;
}

PUBLIC void packed_free(packed *p) {
    table_clear(&p->tops);
    free(p->points), free(p);
}

static uint32_t top_of(int kind, double degrees) {
    double scaled = nearbyint(degrees * SCALES[kind]);
    uint64_t word = 0;
    float real = (float)degrees;
    if (kind == 0) memcpy(&word, &degrees, 8);
    if (kind == 1) memcpy(&word, &real, 4);
    if (kind > 1) word = (uint32_t)(int32_t)fmin(fmax(scaled, INT32_MIN), INT32_MAX);
    return (uint32_t)(word >> (kind ? 8 : 40));
}

static bool put(packed *p, uint32_t top, int kind) {
    if (!top || top == 0xFFFFFF) return true; /* too common */
    set(p->some, top >> 8);
    return table_put(&p->tops, mixed((uint64_t)top + 1), (uint32_t)p->number, (uint32_t)kind);
}

/* Look for a place from now on: by all latitudes within the tolerance in degrees, which are consecutive numbers, and
   by the roundings. */
PUBLIC bool packed_add(packed *p, double lat, double lon, double tolerance, double reach, const double rounded[ROUNDED]) {
    if (p->number == p->room) {
        point *points = realloc(p->points, (size_t)(2 * p->room + 16) * sizeof *points);
        if (!points) return false;
        p->points = points, p->room = 2 * p->room + 16;
    }
    p->points[p->number] = (point){lat, lon, fmax(reach, FARTHEST)};
    for (int kind = 0; kind < NUMBER_KINDS; kind++) {
        uint32_t one = top_of(kind, lat - tolerance), other = top_of(kind, lat + tolerance);
        uint32_t first = one < other ? one : other, last = one < other ? other : one;
        bool row = last - first < MOST_IN_A_ROW; /* not near zero, where the first byte holds the sign */
        for (uint32_t top = first; row && top <= last; top++)
            if (!put(p, top, kind)) return false;
        if (!row && !(put(p, first, kind) && put(p, last, kind) && put(p, top_of(kind, lat), kind))) return false;
        for (int i = 0; i < ROUNDED; i++)
            if (!put(p, top_of(kind, rounded[i]), kind)) return false;
    }
    p->number++;
    return true;
}

static double number_of(bytes at, int kind, bool big) {
    int wide = kind ? 4 : 8;
    uint64_t word = 0;
    for (int i = 0; i < wide; i++) word = word << 8 | at[big ? i : wide - 1 - i];
    double real;
    float half;
    uint32_t low = (uint32_t)word;
    if (kind == 0) return memcpy(&real, &word, 8), real;
    if (kind == 1) return memcpy(&half, &low, 4), (double)half;
    return (int32_t)low / SCALES[kind];
}

/* The number of a kind that begins at a position; 1000, which is no coordinate, if the data ends before it does. */
static double number_at(bytes data, int64_t at, int64_t size, int kind, bool big) {
    return at >= 0 && at + (kind ? 4 : 8) <= size ? number_of(data + at, kind, big) : 1000;
}

static bool lon_beside(const point *of, bytes data, int64_t start, int64_t size, int kind, bool big) {
    for (int i = 0; i < GAPS; i++) {
        int apart = (kind ? 4 : 8) + APART[i];
        if (fabs(number_at(data, start + apart, size, kind, big) - of->lon) <= of->reach ||
            fabs(number_at(data, start - apart, size, kind, big) - of->lon) <= of->reach)
            return true;
    }
    return false;
}

/* Every number that may be the latitude of a place, if its longitude may stand beside it: the place, where the number
   begins, and its kind; kinds of big-endian numbers are NUMBER_KINDS above those of little-endian ones. If `out` is
   NULL: whether there is any. */
PUBLIC int64_t packed_find(const packed *p, bytes data, int64_t size, row *out, int64_t most) {
    int64_t found = 0;
    for (int64_t at = 0; p->number && at + 3 <= size; at++)
        for (int big = 0; big < 2; big++) {
            uint32_t top = (uint32_t)(big ? data[at] << 16 | data[at + 1] << 8 | data[at + 2] : data[at + 2] << 16 | data[at + 1] << 8 | data[at]);
            if (!in(p->some, top >> 8)) continue;
            uint64_t h = mixed((uint64_t)top + 1);
            if (!has(&p->tops, h)) continue;
            double numbers[NUMBER_KINDS];
            int64_t starts[NUMBER_KINDS];
            for (int kind = 0; kind < NUMBER_KINDS; kind++) {
                starts[kind] = big ? at : at + 3 - (kind ? 4 : 8);
                numbers[kind] = number_at(data, starts[kind], size, kind, big);
            }
            for (entries e = entries_of(&p->tops, h); another(&e);) {
                int64_t place = (int64_t)e.slot - 1;
                int kind = (int)e.more;
                if (!(fabs(numbers[kind] - p->points[place].lat) <= FARTHEST)) continue; /* NaN, too */
                if (!lon_beside(p->points + place, data, starts[kind], size, kind, big)) continue;
                if (!out) return 1;
                if (found < most) out[found] = (row){place, starts[kind], kind + NUMBER_KINDS * big};
                found++;
            }
        }
    return found;
}
