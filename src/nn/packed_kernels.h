// What the answering path runs, compiled once for each kind of registers (packed_avx512.cpp,
// packed_avx2.cpp, of the same code) and chosen when it is first asked for. Free of torch.
#pragma once
#include "nn/packed_convolution.h"

namespace diptych {

struct LstmGates {
  const float *projected, *recurrent;  // [4·D] each
};

struct PackedKernels {
  int block;  // outputs that are summed together, as weights are packed
  void (*multiply)(const PackedWeights&, const Rows&, Blocks, float* outputs);
  void (*convolve)(const PackedConvolution&, const Map&, Pairs, Map&, Measured&);
  // Of some pictures, with weights at kPoints that neither measure nor pool.
  void (*convolve_maps)(const PackedConvolution&, std::span<const Map>, std::span<Map>);
  // Of some pictures, maps of fp32, C and O multiples of 16 and 32: adds to the gradient of filters
  // at their points, [kPoints,C,O].
  void (*add_filter_gradient)(std::span<const Map> inputs, std::span<const Map> gradients,
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
