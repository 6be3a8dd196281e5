// Debug information of compiled code is not packed.
#include <vector>

#include "elf/xz_utils.h"

namespace art {
void XzCompress(ArrayRef<const uint8_t>, std::vector<uint8_t>* dst, int) { dst->clear(); }
void XzDecompress(ArrayRef<const uint8_t>, std::vector<uint8_t>* dst) { dst->clear(); }
}  // namespace art
