/* Definitions that C and Python share. A test compares each number with the constant of the same name in Python. */

#ifndef SHARED_H
#define SHARED_H

enum { SEARCH_ABI = 2 }; /* library.py; increase it with every change of its FUNCTIONS or of this file */

enum {
    ROW_FIELDS = 3, /* library.py: 64-bit numbers in a result row */

    LONG = 12, MIDDLE = 8, SLOT_BITS = 24, /* tables.py */

    NUMBER_KINDS = 6, ROUNDED = 3, /* places/binary.py */

    PAGE_BYTES = 96, LEAF_FIELDS = 9, STEP_FIELDS = 2, SPOT_FIELDS = 3, /* sieve.py */
    MATTERS = 1, BESIDE = 2,                                            /* flags of a leaf */
    KEY = 1, ARRAY = 2,                                                 /* what a leaf is; 0 for a value */
    INDEX = -2, KEYLESS = -1,                                           /* a step that is not a key */
};

_Static_assert(sizeof(void *) == 8, "the search is made for 64 bits");

#endif
