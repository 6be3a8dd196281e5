/* Numbers that may be a coordinate of a place that is looked for. */

#include "sift.h"
#include <math.h>

#define EQUATOR 20037508.342789244 /* half of its length in metres: x and y of Web Mercator are within this */

const double TENS[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,
                       1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17};

static uint64_t strip(double degrees, bool wide, int axis) {
    int64_t cell = (int64_t)floor(degrees * (wide ? 50 : 1000));
    return mixed((uint64_t)(cell + (1ll << 40)) << 2 | (uint64_t)(2 * axis + wide));
}

static void note_ranges(sieve *s, int axis);

/* Look for a place: numbers that may be its coordinate matter, if the other coordinate may be there too. */
PUBLIC bool sieve_add_place(sieve *s, double lat, double lon) {
    if (!(s->number_of_places & (s->number_of_places - 1))) { /* room for twice as many */
        place *grown = realloc(s->places, (size_t)(2 * s->number_of_places + 1) * sizeof *grown);
        if (!grown) return false;
        s->places = grown;
    }
    double narrow = fmax(0.01, cos(lat * M_PI / 180));
    place p = {lat, lon, 15.5 / 111320 / narrow};
    uint32_t number = (uint32_t)s->number_of_places;
    s->places[s->number_of_places++] = p;
    for (int axis = 0; axis < 2; axis++)
        for (int wide = 0; wide < 2; wide++) {
            double cells = wide ? 50 : 1000, reach = wide ? 0.0168 : axis ? fmax(0.001, p.tolerance) : 0.001;
            double degrees = axis ? lon : lat;
            for (double cell = floor((degrees - reach) * cells); cell <= floor((degrees + reach) * cells); cell++)
            {
                uint64_t h = strip((cell + 0.5) / cells, wide, axis);
                set(s->some_strips, (uint32_t)(h >> 45));
                if (!table_put(&s->strips, h, number, 0)) return false;
            }
            bool less = !number || degrees - 0.02 < s->least[axis], more = !number || degrees + 0.02 > s->most[axis];
            if (less) s->least[axis] = degrees - 0.02;
            if (more) s->most[axis] = degrees + 0.02;
            if (less || more) note_ranges(s, axis);
        }
    return true;
}

/* Note the places of which these degrees may be a coordinate. */
static bool near_place(sieve *s, double degrees, double unit, int axis) {
    if (!s->number_of_places || degrees < s->least[axis] || degrees > s->most[axis]) return false;
    bool any = false, wide = unit > 1e-3;
    uint64_t h = strip(degrees, wide, axis);
    if (!in(s->some_strips, (uint32_t)(h >> 45))) return false;
    if (!s->strips.used) return false;
    for (entries e = entries_of(&s->strips, h); another(&e);) {
        int64_t number = (int64_t)e.slot - 1;
        const place *p = &s->places[number];
        double off = fabs(degrees - (axis ? p->lon : p->lat));
        if (off > fmax(axis ? p->tolerance : 1.4e-4, unit * 1.001)) continue;
        any = true;
        if (s->spots_found < s->spots_most) s->spots[s->spots_found] = (spot){number, axis, s->leaf};
        s->spots_found++;
    }
    return any;
}

/* The sign may be under another key, or a letter. */
void either_near(sieve *s, double degrees, double unit) {
    if (!s->number_of_places) return;
    for (int turn = 0; turn < 2; turn++, degrees = -degrees) {
        if (fabs(degrees) <= 90.1) near_place(s, degrees, unit, 0);
        if (fabs(degrees) <= 180.1) near_place(s, degrees, unit, 1);
    }
}

static void metres_near(sieve *s, double number, double unit) {
    double per_metre = 180 / EQUATOR * unit;
    for (int turn = 0; turn < 2; turn++, number = -number) {
        near_place(s, number / EQUATOR * 180, per_metre, 1);
        near_place(s, (2 * atan(exp(number / EQUATOR * M_PI)) - M_PI / 2) * 180 / M_PI, per_metre, 0);
    }
}

static const double SCALES[] = {1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 3.6e6, SEMICIRCLE};
enum { NOTATIONS = sizeof SCALES / sizeof *SCALES, METRES = NOTATIONS, DEGREES };

/* The upper bits of a number between 2**9 and 2**38. */
static inline uint32_t upper_bits(double value) {
    uint64_t word;
    memcpy(&word, &value, 8);
    return (uint32_t)(word >> 45) - (1023 + 9) * 128;
}

enum { UPPERS = 29 * 128 };

static void note_numbers(sieve *s, const double *range) {
    if (range[1] < 512) return;
    uint32_t last = upper_bits(range[1]);
    for (uint32_t bits = range[0] < 512 ? 0 : upper_bits(range[0]); bits <= last && bits < UPPERS; bits++)
        set(s->some_numbers, bits);
}

/* The ranges of numbers without their sign, in each notation, from the minimum to the maximum of all places and
   slightly beyond: most numbers are far from any place. */
static void note_ranges(sieve *s, int axis) {
    double low = s->least[axis], high = s->most[axis];
    double near = low > 0 ? low : high < 0 ? -high : 0, far = fmax(fabs(low), fabs(high));
    for (int i = 0; i <= DEGREES; i++) {
        double scale = i < NOTATIONS ? SCALES[i] : 1;
        s->ranges[i][axis][0] = near * scale * 0.999999;
        s->ranges[i][axis][1] = far * scale * 1.000001;
    }
    for (int end = 0; end < 2; end++) {
        double degrees = end ? far : near;
        if (!axis) degrees = log(tan((fmin(degrees, 89.9) / 2 + 45) * M_PI / 180)) * 180 / M_PI;
        s->ranges[METRES][axis][end] = degrees / 180 * EQUATOR * (end ? 1.000001 : 0.999999);
    }
    for (int i = 0; i < DEGREES; i++) note_numbers(s, s->ranges[i][axis]); /* they only grow */
}

static bool in_range(const sieve *s, double value, int notation) {
    const double(*range)[2] = s->ranges[notation];
    return (value >= range[0][0]) & (value <= range[0][1]) || (value >= range[1][0]) & (value <= range[1][1]);
}

/* A number without its sign, in every notation in which it may be a coordinate. */
void number_near(sieve *s, double value, int decimals) {
    if (!s->number_of_places) return;
    if (decimals) {
        double unit = 1 / TENS[decimals];
        if (value <= 180.1) {
            if (in_range(s, value, DEGREES)) either_near(s, value, unit);
            if (value <= 3.15 && decimals >= 6) either_near(s, value * 180 / M_PI, unit * 180 / M_PI);
        } else if (value <= EQUATOR + 3 && in_range(s, value, METRES))
            metres_near(s, value, unit);
        return;
    }
    if (value < 1000 || value > 1.81e11 || !in(s->some_numbers, upper_bits(value))) return;
    for (int i = 0; i < NOTATIONS; i++)
        if (in_range(s, value, i) && value <= 180 * SCALES[i]) either_near(s, value / SCALES[i], 1 / SCALES[i]);
    if (value >= 10000 && value <= EQUATOR && in_range(s, value, METRES)) metres_near(s, value, 1);
}

/* An integer that may be the bits of a floating-point number: only integers of 10 or 19 digits may. */
void bits_near(sieve *s, uint64_t value, int digits) {
    if (!s->number_of_places || (digits != 10 && digits != 19)) return;
    for (int turn = 0; turn < 2; turn++, value = (digits == 10 ? 1ull << 31 : 1ull << 63) - value) {
        double degrees;
        float half;
        uint32_t word = (uint32_t)value;
        memcpy(&degrees, &value, 8), memcpy(&half, &word, 4);
        if (digits == 10) degrees = half;
        if (fabs(degrees) > 0.01 && fabs(degrees) <= 180) either_near(s, degrees, digits == 10 ? 1e-5 : 1e-7);
    }
}
