// Calls ioctl, open or stat many times in several threads, as an app's native code does: nanoseconds of processor time a
// call, those of all threads together.
#include <fcntl.h>
#include <jni.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct work {
  int which, calls, pipe;
};

static void *calls(void *given) {
  const struct work *work = given;
  struct stat found;
  int waiting, file;
  for (int at = 0; at < work->calls; at++) {
    switch (work->which) {
    case 0:
      ioctl(work->pipe, FIONREAD, &waiting);
      break;
    case 1:
      file = open("/dev/null", O_RDONLY);
      if (file >= 0)
        close(file);
      break;
    default:
      stat("/dev/null", &found);
    }
  }
  return NULL;
}

static int64_t processor_ns(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

JNIEXPORT jlong JNICALL Java_beside_Main_system(JNIEnv *env, jclass cls, jint which, jint threads, jint times) {
  pthread_t all[64];
  int ends[2];
  (void)env;
  (void)cls;
  if (threads > 64 || pipe(ends) != 0)
    return -1;
  struct work work = {which, times, ends[0]};
  int64_t begun = processor_ns();
  for (int at = 0; at < threads; at++)
    pthread_create(&all[at], NULL, calls, &work);
  for (int at = 0; at < threads; at++)
    pthread_join(all[at], NULL);
  int64_t used = processor_ns() - begun;
  close(ends[0]);
  close(ends[1]);
  return used / ((int64_t)threads * times);
}
