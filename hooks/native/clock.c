// The C part of clock.ts.

#include "clocks.h"

double micros (void) { return now (0 /* CLOCK_REALTIME */); }
double boot_micros (double at) { return boot_at (at); }
