// Linked into the launcher: ART gives the threads of its pool 64 KB, which is less than glibc takes where pages may be large.
// Such a thread gets the least stack that glibc takes, at a place of glibc's own.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

int pthread_attr_setstack(pthread_attr_t *attributes, void *stack, size_t size) {
  int (*next)(pthread_attr_t *, void *, size_t) = dlsym(RTLD_NEXT, "pthread_attr_setstack");
  size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
  return size < least ? pthread_attr_setstacksize(attributes, least) : next(attributes, stack, size);
}
