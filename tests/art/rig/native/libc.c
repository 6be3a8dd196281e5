// libc.so: what Frida's Java bridge expects of a module of this name on Android, made of glibc's own.
#define _GNU_SOURCE
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

struct property {
  const char *name, *value;
};

static const struct property PROPERTIES[] = {
    {"ro.build.version.sdk", ANDROID_API},
    {"ro.build.version.release", ANDROID_RELEASE},
    {"ro.build.version.codename", "REL"},
    {"ro.debuggable", "1"},
    {"ro.product.cpu.abi", ANDROID_ABI},
};

int __system_property_get(const char *name, char *value) {
  const struct property *end = PROPERTIES + sizeof PROPERTIES / sizeof PROPERTIES[0];
  value[0] = '\0';
  for (const struct property *each = PROPERTIES; each < end; each++)
    if (strcmp(each->name, name) == 0)
      strcpy(value, each->value);
  return (int)strlen(value);
}

// glibc versions this name with a suffix that changes with the C standard.
unsigned long long __strtoull_internal(const char *, char **, int, int);
unsigned long to_number(const char *text, char **rest, int base) __asm__("strtoul");
unsigned long to_number(const char *text, char **rest, int base) { return __strtoull_internal(text, rest, base, 0); }

int socketpair(int domain, int type, int protocol, int pair[2]) {
  return (int)syscall(SYS_socketpair, domain, type, protocol, pair);
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout_ms) {
#ifdef SYS_epoll_wait
  return (int)syscall(SYS_epoll_wait, epoll, events, most, timeout_ms);
#else
  return (int)syscall(SYS_epoll_pwait, epoll, events, most, timeout_ms, NULL, 0);
#endif
}
