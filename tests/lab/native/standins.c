/* Functions that only Android's libraries have, with a value each: one library is built for each of their names. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A property as the C library keeps it: a counter, the value, the name. */
static const struct {
    uint32_t serial;
    char value[92];
    char name[32];
} kept = {0, "SERIAL0042", "ro.serialno"};

int __system_property_get(const char *name, char *value) {
    strcpy(value, strcmp(name, kept.name) == 0 ? kept.value : "");
    return (int)strlen(value);
}

const void *__system_property_find(const char *name) { return strcmp(name, kept.name) == 0 ? &kept : NULL; }

void __system_property_read_callback(
    const void *handle, void (*tell)(void *, const char *, const char *, uint32_t), void *cookie) {
    (void)handle;
    tell(cookie, kept.name, kept.value, kept.serial);
}

int __system_property_read(const void *handle, char *name, char *value) {
    (void)handle;
    strcpy(name, kept.name);
    strcpy(value, kept.value);
    return (int)strlen(value);
}

int ACameraManager_openCamera(void) { return 0; }
int AAudioStream_read(void) { return 0; }
int ASensorManager_createEventQueue(void) { return 0; }

struct bytes {
    const uint8_t *at;
    size_t size;
};

static const uint8_t drm_id[] = {0xca, 0xfe, 0x00, 0x42};

int AMediaDrm_getPropertyByteArray(void *drm, const char *name, struct bytes *value) {
    (void)drm, (void)name;
    value->at = drm_id;
    value->size = sizeof drm_id;
    return 0;
}
