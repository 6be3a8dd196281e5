#include <glib.h>
typedef struct { gint system_error; } GumInvocationContext;
GumInvocationContext *gum_interceptor_get_current_invocation (void);
gpointer gum_invocation_context_get_return_address (GumInvocationContext *);
gpointer gum_invocation_context_get_nth_argument (GumInvocationContext *, guint);
void gum_invocation_context_replace_nth_argument (GumInvocationContext *, guint, gpointer);
gpointer gum_invocation_context_get_return_value (GumInvocationContext *);
gpointer gum_invocation_context_get_listener_function_data (GumInvocationContext *);
gpointer gum_invocation_context_get_listener_invocation_data (GumInvocationContext *, gsize);
guint gum_invocation_context_get_thread_id (GumInvocationContext *);
guint gum_invocation_context_get_depth (GumInvocationContext *);
