/* lz4.h has it. */
#include "lz4.h"
