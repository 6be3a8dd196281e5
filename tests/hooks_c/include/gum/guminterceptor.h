/* What the agent's C uses of Frida's interceptor. */
#pragma once
#include <glib.h>

typedef struct _GumInvocationContext GumInvocationContext;
struct _GumInvocationContext {
  gpointer function;
  gpointer cpu_context;
  gint system_error;
};

GumInvocationContext *gum_interceptor_get_current_invocation (void);
gpointer gum_invocation_context_get_nth_argument (GumInvocationContext *context, guint n);
void gum_invocation_context_replace_nth_argument (GumInvocationContext *context, guint n, gpointer value);
gpointer gum_invocation_context_get_return_value (GumInvocationContext *context);
gpointer gum_invocation_context_get_return_address (GumInvocationContext *context);
guint gum_invocation_context_get_thread_id (GumInvocationContext *context);
guint gum_invocation_context_get_depth (GumInvocationContext *context);
gpointer gum_invocation_context_get_listener_function_data (GumInvocationContext *context);
gpointer gum_invocation_context_get_listener_invocation_data (GumInvocationContext *context, gsize size);
