/* What the agent's C uses of the glib.h that Frida's compiler comes with. */
#pragma once

#define NULL ((void *) 0)
typedef char gchar;
typedef int gint;
typedef unsigned int guint;
typedef long glong;
typedef float gfloat;
typedef double gdouble;
typedef gint gboolean;
typedef void *gpointer;
typedef const void *gconstpointer;
typedef signed char gint8;
typedef unsigned char guint8;
typedef short gint16;
typedef unsigned short guint16;
typedef int gint32;
typedef unsigned int guint32;
typedef long long gint64;
typedef unsigned long long guint64;
typedef __SIZE_TYPE__ gsize;
typedef __PTRDIFF_TYPE__ gssize;

#define TRUE 1
#define FALSE 0
#define GPOINTER_TO_INT(p) ((gint) (gssize) (p))
#define GINT_TO_POINTER(i) ((gpointer) (gssize) (i))
#define GPOINTER_TO_SIZE(p) ((gsize) (p))
#define GSIZE_TO_POINTER(s) ((gpointer) (gsize) (s))
#define G_STRUCT_OFFSET(type, member) __builtin_offsetof (type, member)

typedef union { gpointer p; guint i[2]; } GMutex;
void g_mutex_init (GMutex *mutex);
void g_mutex_clear (GMutex *mutex);
void g_mutex_lock (GMutex *mutex);
void g_mutex_unlock (GMutex *mutex);

gint g_atomic_int_add (volatile gint *atomic, gint value);

gpointer g_malloc0 (gsize size);
void g_free (gpointer memory);
gchar *g_strdup_printf (const gchar *format, ...) __attribute__ ((format (printf, 1, 2)));

typedef struct _GString GString;
GString *g_string_sized_new (gsize size);
GString *g_string_append (GString *string, const gchar *text);
GString *g_string_append_c (GString *string, gchar letter);
gchar *g_string_free (GString *string, gboolean with_text);

typedef struct _GHashTable GHashTable;
GHashTable *g_hash_table_new_full (gpointer hash, gpointer equal, gpointer free_key, gpointer free_value);
void g_hash_table_unref (GHashTable *table);
gboolean g_hash_table_insert (GHashTable *table, gpointer key, gpointer value);
gboolean g_hash_table_remove (GHashTable *table, gconstpointer key);
gpointer g_hash_table_lookup (GHashTable *table, gconstpointer key);
typedef struct {
  gpointer dummy[8];
} GHashTableIter;
void g_hash_table_iter_init (GHashTableIter *iter, GHashTable *table);
gboolean g_hash_table_iter_next (GHashTableIter *iter, gpointer *key, gpointer *value);
