/* Numbers that may be a coordinate of a place that is looked for. */

#include "sift.h"
#include <math.h>

#define EQUATOR 20037508.342789244 /* half of it, in metres: x and y of Web Mercator are within this */

const double TENS[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,
                       1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17};

static uint64_t strip(double degrees, bool wide, int axis) {
    int64_t cell = (int64_t)floor(degrees * (wide ? 50 : 1000));
    return mixed((uint64_t)(cell + (1ll << 40)) << 2 | (uint64_t)(2 * axis + wide));
}

static uint16_t top_of(double degrees, int kind) {
    static const double scales[] = {1e5, 1e6, 1e7, SEMICIRCLE};
    if (kind < 4) return (uint16_t)((uint32_t)(int32_t)fmax(fmin(degrees * scales[kind], INT32_MAX), INT32_MIN) >> 16);
    uint64_t word = 0;
    if (kind == 4) {
        float real = (float)degrees;
        memcpy(&word, &real, 4);
        return (uint16_t)(word >> 16);
    }
    memcpy(&word, &degrees, 8);
    return (uint16_t)(word >> 48);
}

static void note_ranges(sieve *s, int axis);

static void note_top(sieve *s, uint8_t top, int axis) {
    if (s->top_bytes[top] >> axis & 1) return;
    s->top_bytes[top] |= (uint8_t)(1 << axis);
    if (s->number_of_tops[axis] < FEW_TOPS) s->few_tops[axis][s->number_of_tops[axis]] = top;
    s->number_of_tops[axis]++;
}

/* Look for a place: numbers that may be a coordinate of it matter, where the other may be there too. */
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
    for (int axis = 0; axis < 2; axis++)
        for (int kind = 0; kind < 6; kind++) {
            double degrees = axis ? lon : lat, reach = axis ? fmax(6.1e-4, p.tolerance) : 6e-4;
            uint16_t first = top_of(degrees - reach, kind), last = top_of(degrees + reach, kind);
            if (first > last) { /* negative reals grow downwards */
                uint16_t other = first;
                first = last, last = other;
            }
            if (axis && last - first >= 1000) first = 0, last = 0xFFFF; /* on both sides of zero */
            for (uint32_t top = first; top <= last && (axis || last - first < 1000); top += axis ? 256 : 1) {
                if (!axis) set(s->tops, top);
                note_top(s, (uint8_t)(top >> 8), axis);
            }
            if (axis) note_top(s, (uint8_t)(last >> 8), axis);
        }
    return true;
}

/* Note the places whose coordinate these degrees may be. */
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

/* What numbers without their sign may be, in each notation, between the least and the most of all places; a little more,
   for most numbers are far from any. */
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

/* A whole number that may be the bits of a real one: only so many digits may. */
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

static int64_t integer(bytes at, int size, bool big) {
    uint64_t value = 0;
    for (int i = 0; i < size; i++) value = value << 8 | at[big ? i : size - 1 - i];
    return size == 4 ? (int32_t)value : (int64_t)value;
}

static double real(bytes at, int size, bool big) {
    uint64_t whole = (uint64_t)integer(at, size, big);
    if (size == 8) {
        double value;
        memcpy(&value, &whole, 8);
        return value;
    }
    uint32_t half = (uint32_t)whole;
    float value;
    memcpy(&value, &half, 4);
    return value;
}

static double read(bytes at, int kind, bool big) {
    static const double scales[] = {1e7, 1e6, 1e5, SEMICIRCLE};
    return kind < 2 ? real(at, kind ? 4 : 8, big) : (double)integer(at, kind < 6 ? 4 : 8, big) / scales[(kind - 2) % 4];
}

/* Whether a latitude stands at a place, as any kind of number, and a longitude beside it. */
static bool place_at(sieve *s, bytes data, int64_t size, int64_t at) {
    static const int gaps[] = {0, 1, 2, 4, 8};
    for (int kind = 0; kind < 9; kind++)
        for (int big = 0; big < 2; big++) {
            int wide = kind == 0 || kind > 5 ? 8 : 4;
            int64_t start = wide == 8 && kind > 5 && big ? at - 4 : at; /* its lower half gave it away */
            if (start < 0 || start + wide > size) continue;
            double lat = read(data + start, kind, big);
            int64_t lats = s->spots_found;
            if (!(fabs(lat) <= 90) || !near_place(s, lat, 6e-4, 0)) continue;
            int64_t lons = s->spots_found;
            for (int i = 0; i < (kind ? 10 : 2 * FAR + 2); i++) {
                int gap = kind ? gaps[i / 2] : i / 2;
                int64_t beside = i % 2 ? start - wide - gap : start + wide + gap;
                if (beside < 0 || beside + wide > size) continue;
                double lon = read(data + beside, kind, big);
                if (!(fabs(lon) <= 180) || !near_place(s, lon, 6e-4, 1)) continue;
                if (s->spots_found > s->spots_most) return true; /* too many to say */
                for (int64_t one = lats; one < lons; one++)
                    for (int64_t other = lons; other < s->spots_found; other++)
                        if (s->spots[one].place == s->spots[other].place) return true;
                s->spots_found = lons;
            }
            s->spots_found = lats;
        }
    return false;
}

/* Where the upper byte of a latitude, or of a longitude, may stand in up to 64 bytes; room: 16 more may be read. */
static inline uint64_t tops_in(const sieve *s, bytes data, int64_t size, bool room, int axis) {
    uint64_t found = 0;
#ifdef __SSE2__
    if (s->number_of_tops[axis] <= FEW_TOPS && size > 0) {
        uint8_t copy[64];
        if (size % 16 && !room) data = memcpy(copy, data, (size_t)size);
        for (int at = 0; at < size; at += 16) {
            __m128i v = _mm_loadu_si128((const __m128i *)(data + at)), any = _mm_setzero_si128();
            for (int i = 0; i < s->number_of_tops[axis]; i++) any = _mm_or_si128(any, same_as(v, s->few_tops[axis][i]));
            found |= bits_of(any) << at;
        }
        return found & some_bits(0, size);
    }
#else
    (void)room;
#endif
    for (int64_t i = 0; i < size; i++) found |= (uint64_t)(s->top_bytes[data[i]] >> axis & 1) << i;
    return found;
}

/* Latitude and longitude as numbers of one kind, side by side or with little between. */
bool packed_places(sieve *s, bytes data, int64_t size, bool room) {
    static const int tops[] = {0, 3, 7}; /* where its upper byte stands: the highest first, the lowest first */
    static const int apart[] = {4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16}; /* how far the two may begin from each other */
    if (!s->number_of_places || size < 8) return false;
    int64_t spots = s->spots_found;
    bool found = false;
    for (int64_t block = 0; block < size && !found; block += 64) {
        int64_t length = size - block < 64 ? size - block : 64;
        uint64_t lats = tops_in(s, data + block, length, room, 0);
        if (size <= 24) { /* else two doubles may stand anywhere in it */
            uint64_t lons = tops_in(s, data, length, room, 1), near = 0;
            for (int i = 0; i < 12; i++) near |= lons >> apart[i] | lons << apart[i];
            lats &= near;
        } else if (size <= 64 && !tops_in(s, data, length, room, 1))
            lats = 0;
        for (; lats && !found; lats &= lats - 1) {
            int64_t top = block + __builtin_ctzll(lats);
            for (int i = 0; i < 3 && !found; i++) {
                int64_t at = top - tops[i], next = i ? top - 1 : top + 1;
                if (at < 0 || at + 4 > size || next < 0 || next >= size || !in(s->tops, (uint32_t)data[top] << 8 | data[next])) continue;
                found = place_at(s, data, size, at);
            }
        }
    }
    s->spots_found = spots;
    return found;
}
