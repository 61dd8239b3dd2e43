#include "nn/lanes_avx512.h"

#if defined(__x86_64__)
#define DIPTYCH_REGISTERS avx512
#define DIPTYCH_KERNEL DIPTYCH_AVX512
#define DIPTYCH_LANES DIPTYCH_AVX512_LANES
#include "nn/packed_code.h"

namespace diptych {

PackedKernels avx512_kernels() { return avx512::kernels(); }

}  // namespace diptych
#endif
