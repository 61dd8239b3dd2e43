// What the answering path runs, compiled once for each kind of registers (packed_avx512.cpp,
// packed_avx2.cpp, of the same code) and chosen when it is first asked for. Free of torch.
#pragma once
#include "nn/packed_convolution.h"

namespace diptych {

struct LstmGates {
  const float *projected, *recurrent;  // [4·D] each
};

// [count,side,side,C] of fp32.
struct Pictures {
  const float* numbers = nullptr;
  std::int64_t count = 0, side = 0, channels = 0;
};

struct PackedKernels {
  int block;  // outputs that are summed together, as weights are packed
  void (*multiply)(const PackedWeights&, const Rows&, Blocks, float* outputs);
  void (*convolve)(const PackedConvolution&, const Map&, Pairs, Map&, Measured&);
  // Of pictures, with weights at kPoints, O a multiple of 32: the sums alone, [count,side,side,O].
  void (*convolve_pictures)(const PackedConvolution&, const Pictures&, float* outputs);
  // C and O multiples of 16 and 32: the gradient of filters at their points, [C,kPoints,O], is
  // written, or added to what is there.
  void (*add_filter_gradient)(const Pictures& inputs, const Pictures& gradients, bool adds,
                              float* sums);
  // One token of one row: cell and hidden state, [D] each.
  void (*lstm_step)(const LstmGates&, int features, float* cell, float* hidden);
};

PackedKernels avx512_kernels();
PackedKernels avx2_kernels();
// Those of this processor; only where packs_here().
const PackedKernels& packed_kernels();

// For tests: while it lives, these are taken.
class InPlaceOfKernels {
 public:
  explicit InPlaceOfKernels(const PackedKernels& kernels);
  ~InPlaceOfKernels();
  InPlaceOfKernels(const InPlaceOfKernels&) = delete;
};

}  // namespace diptych
