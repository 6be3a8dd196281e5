/* What the agent's C uses of GLib, declared as for a CModule. */
#ifndef GLIB_H
#define GLIB_H
#include <stdint.h>
#include <stddef.h>
typedef int8_t gint8;
typedef uint8_t guint8;
typedef int16_t gint16;
typedef uint16_t guint16;
typedef int32_t gint32;
typedef uint32_t guint32;
typedef int64_t gint64;
typedef uint64_t guint64;
typedef char gchar;
typedef int gint;
typedef unsigned int guint;
typedef long glong;
typedef unsigned long gulong;
typedef size_t gsize;
typedef int gboolean;
typedef float gfloat;
typedef double gdouble;
typedef void *gpointer;
typedef const void *gconstpointer;
typedef union { gpointer p; guint i[2]; } GMutex;
typedef struct _GString GString;
typedef struct _GHashTable GHashTable;
#define TRUE 1
#define FALSE 0
#define GINT_TO_POINTER(i) ((gpointer) (glong) (i))
#define GPOINTER_TO_INT(p) ((gint) (glong) (p))
#define GSIZE_TO_POINTER(s) ((gpointer) (gsize) (s))
#define GPOINTER_TO_SIZE(p) ((gsize) (p))
void g_mutex_init (GMutex *);
void g_mutex_clear (GMutex *);
void g_mutex_lock (GMutex *);
void g_mutex_unlock (GMutex *);
gint g_atomic_int_add (volatile void *, gint);
gpointer g_malloc0 (gsize);
void g_free (gpointer);
GString *g_string_sized_new (gsize);
GString *g_string_append (GString *, const gchar *);
GString *g_string_append_c (GString *, guint8); /* in GLib gchar: of a byte that is appended the sign does not matter */
gchar *g_string_free (GString *, gboolean);
gchar *g_strdup_printf (const gchar *, ...);
GHashTable *g_hash_table_new_full (gpointer, gpointer, gpointer, gpointer);
void g_hash_table_unref (GHashTable *);
gboolean g_hash_table_insert (GHashTable *, gpointer, gpointer);
gboolean g_hash_table_remove (GHashTable *, gconstpointer);
gpointer g_hash_table_lookup (GHashTable *, gconstpointer);
#endif
