#pragma once

void *memcpy (void *to, const void *from, __SIZE_TYPE__ size);
void *memset (void *to, int byte, __SIZE_TYPE__ size);
__SIZE_TYPE__ strlen (const char *text);
