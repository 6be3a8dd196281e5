#include <glib.h>
typedef gsize GumTlsKey;
GumTlsKey gum_tls_key_new (void);
gpointer gum_tls_key_get_value (GumTlsKey);
void gum_tls_key_set_value (GumTlsKey, gpointer);
