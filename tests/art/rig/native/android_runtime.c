// libandroid_runtime.so: has the code of one native method of android.os.Process. The bridge looks for a method whose
// code lies in a module of this name, and learns from it where ArtMethod keeps what.
#include <jni.h>
#include <time.h>

static jlong elapsed_cpu_ms(JNIEnv *env, jclass process) {
  struct timespec used;
  (void)env;
  (void)process;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (jlong)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

JNIEXPORT jint JNI_OnLoad(JavaVM *vm, void *reserved) {
  JNINativeMethod method = {"getElapsedCpuTime", "()J", (void *)elapsed_cpu_ms};
  JNIEnv *env = NULL;
  jclass process = NULL;
  (void)reserved;
  if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_6) == JNI_OK)
    process = (*env)->FindClass(env, "android/os/Process");
  if (process == NULL || (*env)->RegisterNatives(env, process, &method, 1) != JNI_OK)
    return JNI_ERR;
  return JNI_VERSION_1_6;
}
