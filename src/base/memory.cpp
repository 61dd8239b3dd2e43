#include "base/memory.h"

#include <malloc.h>

namespace diptych {

void keep_freed_memory() {
  constexpr int kLargestKept = 32 << 20, kMostKept = 256 << 20;  // bytes
  mallopt(M_MMAP_THRESHOLD, kLargestKept);
  mallopt(M_TRIM_THRESHOLD, kMostKept);
}

}  // namespace diptych
