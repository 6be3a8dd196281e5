/* Calls of the C library that have nothing to do with personal data, from one thread or from several at once. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MOST_THREADS 32

struct work {
    const char *what;
    int64_t calls, ns;
    int failed;
};

/* Descriptors that the thread works on: a pipe that it never reads, a socket that goes nowhere, /dev/null, /dev/zero. */
static void *make(void *given) {
    struct work *work = given;
    const char *what = work->what;
    int null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY), unix_socket = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un nobody = {.sun_family = AF_UNIX, .sun_path = "/nobody/is/here"};
    struct stat found;
    char byte = 0;
    int waiting;
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
#define REPEAT(call, ok)                                                    \
    for (int64_t i = 0; i < work->calls && !work->failed; i++) {            \
        work->failed = !((call) ok);                                        \
    }
    if (!strcmp(what, "ioctl")) {
        REPEAT(ioctl(unix_socket, FIONREAD, &waiting), >= -1)
    } else if (!strcmp(what, "open")) {
        REPEAT(close(open("/dev/null", O_RDONLY)), == 0)
    } else if (!strcmp(what, "stat")) {
        REPEAT(stat("/data/data/com.example.app/files/cache/0042.bin", &found), == -1)
    } else if (!strcmp(what, "access")) {
        REPEAT(access("/proc/self/status", R_OK), == 0)
    } else if (!strcmp(what, "read")) {
        REPEAT(read(zero, &byte, 1), == 1)
    } else if (!strcmp(what, "write")) {
        REPEAT(write(null, &byte, 1), == 1)
    } else if (!strcmp(what, "send")) {
        REPEAT(send(unix_socket, &byte, 1, MSG_NOSIGNAL), == -1)
    } else if (!strcmp(what, "connect")) {
        REPEAT(connect(unix_socket, (struct sockaddr *)&nobody, sizeof nobody), == -1)
    } else {
        work->failed = 1;
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    work->ns = (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec;
    close(null), close(zero), close(unix_socket);
    return NULL;
}

/* Something to watch for, as in every app: an id that was opened and is still being read, a connection that stays open. */
static int begun(void) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof any;
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    return open("/proc/sys/kernel/random/boot_id", O_RDONLY) >= 0 && bind(server, (struct sockaddr *)&any, sizeof any) == 0
        && listen(server, 1) == 0 && getsockname(server, (struct sockaddr *)&any, &size) == 0
        && connect(client, (struct sockaddr *)&any, size) == 0;
}

/* Nanoseconds of processor time that `calls` on each of `threads` took together; below 0 what went wrong. */
int64_t measure(const char *what, int threads, int64_t calls) {
    static int ready;
    struct work works[MOST_THREADS];
    pthread_t ids[MOST_THREADS];
    int64_t ns = 0;
    if (!ready && !(ready = begun()))
        return -2;
    for (int i = 0; i < threads; i++) {
        works[i] = (struct work){.what = what, .calls = calls};
        pthread_create(&ids[i], NULL, make, &works[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        ns = works[i].failed || ns < 0 ? -3 : ns + works[i].ns;
    }
    return ns;
}

static const char *const names[] = {"ioctl", "open", "stat", "access", "read", "write", "send", "connect"};

/* static native long call(int what, int threads, int calls) of bench.Calls */
int64_t Java_bench_Calls_call(void *env, void *cls, int what, int threads, int calls) {
    (void)env, (void)cls;
    return measure(names[what], threads, calls);
}
