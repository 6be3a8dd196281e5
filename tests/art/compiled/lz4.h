/* What dex2oat calls of lz4 where an image is compressed. */
#pragma once

extern "C" {
int LZ4_compressBound(int size);
int LZ4_compress_default(const char *from, char *to, int size, int room);
int LZ4_compress_HC(const char *from, char *to, int size, int room, int level);
int LZ4_decompress_safe(const char *from, char *to, int size, int room);
}
#define LZ4HC_CLEVEL_MAX 12
