/* Frida's thread-local words. */
#pragma once
#include <glib.h>

typedef gsize GumTlsKey;
GumTlsKey gum_tls_key_new (void);
gpointer gum_tls_key_get_value (GumTlsKey key);
void gum_tls_key_set_value (GumTlsKey key, gpointer value);
