// What the answering path runs, compiled once for each kind of registers (packed_avx512.cpp,
// packed_avx2.cpp, of the same code) and chosen when it is first asked for. Free of torch.
#pragma once
#include "nn/packed_convolution.h"
#include "nn/patch_points.h"

namespace diptych {

struct LstmGates {
  const float *projected, *recurrent;  // [4·D] each
};

struct PackedKernels {
  int block;  // outputs that are summed together, as weights are packed
  void (*multiply)(const PackedWeights&, const Rows&, Blocks, float* outputs);
  void (*convolve)(const PackedConvolution&, const Map&, Pairs, Map&, Measured&);
  // Training at points (packed_patches.h), C a multiple of 16 and O one of 32. Filters to points,
  // some channels of them:
  void (*pack_filters_at_points)(const FilterView&, std::int64_t begin, std::int64_t end,
                                 const PointFilters&);
  // The sums alone, of the same arithmetic.
  void (*convolve_pictures)(const PointFilters&, const Pictures&, const WrittenPictures& outputs);
  // What some patches see, and what the gradients of their outputs are, at points.
  void (*patches_at_points)(const Pictures& inputs, const Pictures& slopes, std::int64_t begin,
                            std::int64_t end, const PatchPoints& seen,
                            const PatchPoints& gradients);
  // The gradient of filters at some points, [points,C,O] with points_apart(C·O), is written, or
  // added to what is there.
  void (*add_filter_gradient)(const PatchPoints& seen, const PatchPoints& gradients, bool adds,
                              std::int64_t begin, std::int64_t end, float* sums);
  // [O,C,3,3] of it, some channels.
  void (*filters_from_points)(const float* sums, std::int64_t channels, std::int64_t outputs,
                              std::int64_t begin, std::int64_t end, float* gradient);
  // The first convolution (packed_pixels.h), C = 3, O a multiple of 16, stride 2, same padding;
  // outputs' side is half of that of the pictures, rounded up. filters: [3,3,3,O]: row, column,
  // channel, output.
  void (*convolve_pixels)(const BytePictures&, const float* filters,
                          const WrittenPictures& outputs);
  // The gradient of these filters by each picture, [count,3,3,3,O].
  void (*pixel_gradients)(const BytePictures&, const Pictures& slopes, float* sums);
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
