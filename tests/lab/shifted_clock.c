/* Preloaded into a process, it sets its clock: by SHIFT_MS, and DRIFT_PPM more for each second since SHIFT_SINCE. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static double setting(const char *name) {
    const char *text = getenv(name);
    return text ? atof(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long result = syscall(SYS_clock_gettime, clock, now);
    if (result || clock != CLOCK_REALTIME) return (int)result;
    double passed = (double)now->tv_sec + now->tv_nsec / 1e9 - setting("SHIFT_SINCE");
    long long shift = (long long)(setting("SHIFT_MS") * 1e6 + passed * setting("DRIFT_PPM") * 1e3);
    long long whole = now->tv_sec * 1000000000LL + now->tv_nsec + shift;
    now->tv_sec = whole / 1000000000LL;
    now->tv_nsec = whole % 1000000000LL;
    return 0;
}

int gettimeofday(struct timeval *now, void *zone) {
    (void)zone;
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
