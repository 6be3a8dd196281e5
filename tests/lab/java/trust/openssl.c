/* A client of OpenSSL, called from Java: one request, the first bytes of the answer. Needs no headers but Java's. */
#include <dlfcn.h>
#include <jni.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *lib;

static void *call(const char *name) {
    return dlsym(lib, name);
}

JNIEXPORT jint JNICALL Java_trust_Main_post(JNIEnv *env, jclass cls, jstring host, jint port, jbyteArray request, jboolean verify) {
    (void)cls;
    lib = dlopen("libssl.so.3", RTLD_NOW);
    if (!lib) return -1;
    const char *name = (*env)->GetStringUTFChars(env, host, NULL);
    char number[16];
    snprintf(number, sizeof number, "%d", (int)port);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(name, number, &hints, &found)) return -2;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, found->ai_addr, found->ai_addrlen)) return -3;
    void *method = ((void *(*)(void))call("TLS_client_method"))();
    void *ctx = ((void *(*)(void *))call("SSL_CTX_new"))(method);
    void *ssl = ((void *(*)(void *))call("SSL_new"))(ctx);
    ((int (*)(void *, int))call("SSL_set_fd"))(ssl, fd);
    ((long (*)(void *, int, long, void *))call("SSL_ctrl"))(ssl, 55, 0, (void *)name); /* SSL_set_tlsext_host_name */
    if (((int (*)(void *))call("SSL_connect"))(ssl) != 1) return -4;
    if (verify && ((long (*)(void *))call("SSL_get_verify_result"))(ssl) != 0) return -5;
    jsize size = (*env)->GetArrayLength(env, request);
    jbyte *bytes = (*env)->GetByteArrayElements(env, request, NULL);
    size_t written = 0;
    ((int (*)(void *, const void *, int))call("SSL_write"))(ssl, bytes, 20);
    ((int (*)(void *, const void *, size_t, size_t *))call("SSL_write_ex"))(ssl, bytes + 20, size - 20, &written);
    char answer[256];
    int got = ((int (*)(void *, void *, int))call("SSL_read"))(ssl, answer, sizeof answer);
    ((void (*)(void *))call("SSL_free"))(ssl);
    close(fd);
    int status = 0;
    if (got > 12) sscanf(answer, "HTTP/1.1 %d", &status);
    (*env)->ReleaseByteArrayElements(env, request, bytes, JNI_ABORT);
    (*env)->ReleaseStringUTFChars(env, host, name);
    return status;
}
