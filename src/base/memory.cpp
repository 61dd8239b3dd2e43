#include "base/memory.h"

#include <malloc.h>

namespace diptych {

void keep_freed_memory() {
  constexpr int kMostKept = 1 << 30;  // bytes
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, kMostKept);
}

void give_back_freed_memory() { ::malloc_trim(0); }

}  // namespace diptych
