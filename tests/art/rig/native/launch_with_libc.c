// Linked into the launcher: loads our libc.so as soon as glibc is up. Were it loaded earlier, Frida would take the
// process for one of a C library that it does not know.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void load_names(void) {
  const char *root = getenv("ANDROID_RUNTIME_ROOT");
  char *file = NULL;
  if (root == NULL || asprintf(&file, "%s/names/libc.so", root) < 0)
    return;
  if (dlopen(file, RTLD_NOW | RTLD_LOCAL) == NULL)
    fprintf(stderr, "no libc.so: %s\n", dlerror());
  free(file);
}
