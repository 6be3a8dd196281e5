#pragma once
#include <glib.h>

gint gum_thread_get_system_error (void);
