/* The native library of an app that digests and encrypts with the OpenSSL of the system, or seals with a BoringSSL; it
 * prints what came out. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *crypto;
#define OF(name) ((long (*)())dlsym(crypto, #name))
#define POINTER_OF(name) ((void *(*)())dlsym(crypto, #name))

static const unsigned char number[] = "+8613800138000";
static const unsigned char key[] = "0123456789abcdef";
static const unsigned char iv[] = "fedcba9876543210";

static void show(const char *what, const unsigned char *bytes, int size) {
    printf("%s ", what);
    for (int i = 0; i < size; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

static int seal(void) {
    unsigned char out[64], back[64];
    size_t size = 0, opened = 0;
    crypto = dlopen(getenv("BORINGSSL"), RTLD_NOW);
    if (!crypto)
        return -1;
    void *context = POINTER_OF(EVP_AEAD_CTX_new)(POINTER_OF(EVP_aead_aes_128_gcm)(), key, (size_t)16, (size_t)16);
    OF(EVP_AEAD_CTX_seal)(context, out, &size, sizeof out, iv, (size_t)12, number, sizeof number - 1, NULL, (size_t)0);
    show("sealed", out, (int)size);
    OF(EVP_AEAD_CTX_open)(context, back, &opened, sizeof back, iv, (size_t)12, out, size, NULL, (size_t)0);
    OF(EVP_AEAD_CTX_free)(context);
    fflush(stdout);
    return opened == sizeof number - 1 ? 0 : -1;
}

int Java_routes_Main_take(void *env, void *cls, int step) {
    unsigned char out[64];
    unsigned int size = 0;
    int part = 0, rest = 0;
    (void)env, (void)cls;
    if (step == 1)
        return seal();
    crypto = dlopen("libcrypto.so.3", RTLD_NOW);
    if (!crypto)
        return -1;
    void *context = POINTER_OF(EVP_MD_CTX_new)();
    OF(EVP_DigestInit_ex)(context, POINTER_OF(EVP_sha256)(), NULL);
    OF(EVP_DigestUpdate)(context, number, (size_t)4);
    OF(EVP_DigestUpdate)(context, number + 4, sizeof number - 5);
    OF(EVP_DigestFinal_ex)(context, out, &size);
    show("digest", out, (int)size);
    OF(EVP_MD_CTX_free)(context);
    POINTER_OF(MD5)(number, sizeof number - 1, out);
    show("md5", out, 16);
    POINTER_OF(HMAC)(POINTER_OF(EVP_sha1)(), key, 16, number, sizeof number - 1, out, &size);
    show("hmac", out, (int)size);
    void *cipher = POINTER_OF(EVP_CIPHER_CTX_new)();
    OF(EVP_EncryptInit_ex)(cipher, POINTER_OF(EVP_aes_128_cbc)(), NULL, key, iv);
    OF(EVP_EncryptUpdate)(cipher, out, &part, number, (int)sizeof number - 1);
    OF(EVP_EncryptFinal_ex)(cipher, out + part, &rest);
    show("cipher", out, part + rest);
    OF(EVP_CIPHER_CTX_free)(cipher);
    fflush(stdout);
    return 0;
}
