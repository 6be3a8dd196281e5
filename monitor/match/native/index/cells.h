/* What the cells that hold a place may be called. */

#ifndef CELLS_H
#define CELLS_H

#include "tables.h"

enum {
    NAME = 24,   /* bytes of the longest name, and some */
    NAMES = 160, /* of one place there are some ninety */
};
enum { WGS84, GCJ02, BD09, BD09MC };

typedef struct {
    uint8_t texts[NAMES * NAME];
    int32_t sizes[NAMES];
    int64_t number, filled;
} names;

/* Name the cells of a place, and enter the stems of the names for it. further: names that are known already, one behind
   the other, in lower case. */
bool cells_of(names *n, table *stems, double lat, double lon, int system, bytes further, const int32_t *sizes, int64_t number,
              uint32_t place);

#endif
