#include "nn/lanes_avx2.h"

#if defined(__x86_64__)
#define DIPTYCH_REGISTERS avx2
#define DIPTYCH_KERNEL DIPTYCH_AVX2
#define DIPTYCH_LANES DIPTYCH_AVX2_LANES
#include "nn/packed_code.h"

namespace diptych {

PackedKernels avx2_kernels() { return avx2::kernels(); }

}  // namespace diptych
#endif
