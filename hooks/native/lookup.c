// The C part of lookup.ts: a class with hundreds of methods takes too many JNI calls for JavaScript.

#include <glib.h>

#define JNI(index) ((*(gpointer **)env)[index])

typedef struct _Ids Ids;
struct _Ids {
  gpointer get_name, class_name, modifiers, returns, takes;
};

static gboolean thrown (gpointer env) { return ((guint8 (*) (gpointer))JNI (228)) (env) != 0; }

static gpointer call (gpointer env, gpointer object, gpointer method) {
  gpointer result = ((gpointer (*) (gpointer, gpointer, gpointer, gpointer))JNI (36)) (env, object, method, NULL);
  return thrown (env) ? NULL : result;
}

static void drop (gpointer env, gpointer reference) { ((void (*) (gpointer, gpointer))JNI (23)) (env, reference); }

/* Takes over the reference. Names outside ASCII are never looked up: their bytes become question marks. */
static void append (gpointer env, GString *out, gpointer string) {
  const char *chars = ((const char *(*) (gpointer, gpointer, gpointer))JNI (169)) (env, string, NULL);
  const guint8 *at;

  for (at = (const guint8 *)chars; *at != 0; at++)
    g_string_append_c (out, (gchar)((*at & 0x80) != 0 ? '?' : *at & 0x7f));
  g_string_append_c (out, 10);
  ((void (*) (gpointer, gpointer, const char *))JNI (170)) (env, string, chars);
  drop (env, string);
}

/* Takes over the reference to a class. */
static gboolean append_class (gpointer env, GString *out, gpointer cls, Ids *ids) {
  gpointer name = cls == NULL ? NULL : call (env, cls, ids->class_name);
  if (name == NULL)
    return FALSE;
  append (env, out, name);
  drop (env, cls);
  return TRUE;
}

/* One line for each method of the array: id and name. */
gchar *list (gpointer env, gpointer array, Ids *ids) {
  GString *out = g_string_sized_new (4096);
  gint32 count = ((gint32 (*) (gpointer, gpointer))JNI (171)) (env, array);
  gint32 i;

  for (i = 0; i != count; i++) {
    gpointer method = ((gpointer (*) (gpointer, gpointer, gint32))JNI (173)) (env, array, i);
    gpointer id = ((gpointer (*) (gpointer, gpointer))JNI (7)) (env, method);
    gpointer name = call (env, method, ids->get_name);

    if (name != NULL) {
      gchar *number = g_strdup_printf ("0x%zx ", GPOINTER_TO_SIZE (id));

      g_string_append (out, number);
      g_free (number);
      append (env, out, name);
    } else
      ((void (*) (gpointer))JNI (17)) (env);
    drop (env, method);
  }
  return g_string_free (out, FALSE);
}

/*
 * A method's modifiers, result type and argument types, one a line. NULL with the exception pending if a class is
 * missing.
 */
gchar *shape (gpointer env, gpointer cls, gpointer id, Ids *ids, gint32 constructs) {
  GString *out = g_string_sized_new (256);
  gpointer method = ((gpointer (*) (gpointer, gpointer, gpointer, guint8))JNI (9)) (env, cls, id, 0);
  gpointer types = NULL;
  gchar *number;
  gint32 count, i;

  if (method == NULL)
    goto failed;
  number = g_strdup_printf (
      "%d\n", ((gint32 (*) (gpointer, gpointer, gpointer, gpointer))JNI (51)) (env, method, ids->modifiers, NULL));
  g_string_append (out, number);
  g_free (number);
  if (constructs)
    g_string_append (out, "void\n");
  else if (!append_class (env, out, call (env, method, ids->returns), ids))
    goto failed;
  types = call (env, method, ids->takes);
  if (types == NULL)
    goto failed;
  count = ((gint32 (*) (gpointer, gpointer))JNI (171)) (env, types);
  for (i = 0; i != count; i++) {
    if (!append_class (env, out, ((gpointer (*) (gpointer, gpointer, gint32))JNI (173)) (env, types, i), ids))
      goto failed;
  }
  return g_string_free (out, FALSE);

failed:
  g_string_free (out, TRUE);
  return NULL;
}

void release_text (gpointer text) { g_free (text); }
