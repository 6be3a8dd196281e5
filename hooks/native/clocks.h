// The kernel's clocks in microseconds.

typedef struct {
  long seconds, nanoseconds;
} Time;
extern int clock_gettime (int clock, Time *time);

static double now (int clock) {
  Time time;
  clock_gettime (clock, &time);
  return (double)time.seconds * 1000000.0 + (double)(time.nanoseconds / 1000);
}

/* CLOCK_BOOTTIME when CLOCK_REALTIME was `at`. */
static double boot_at (double at) { return now (7 /* CLOCK_BOOTTIME */) - (now (0 /* CLOCK_REALTIME */) - at); }
