// A trained convolution as the answering path runs it: 3×3, same padding, with its bias, ReLU and
// what follows (residual sum, mean and maximum of the map, 2×2 max-pooling) in one pass over a map
// that stays in the cache. One picture at a time. Free of torch.
#pragma once
#include <cstddef>

#include "nn/packed_weights.h"

namespace diptych {

// [side,side,C] of one picture, channels last and padded with zeros to whole groups, with a border
// for the filters to read.
class Map {
 public:
  Map(int side, int channels, Arithmetic arithmetic);
  int side() const { return side_; }
  int channels() const { return channels_; }
  // The pixel's first number; -1 and side() are the border.
  std::byte* at(std::int64_t y, std::int64_t x) {
    return bytes_.data() + (y + 1) * row_bytes_ + (x + 1) * pixel_bytes_;
  }
  const std::byte* at(std::int64_t y, std::int64_t x) const {
    return const_cast<Map*>(this)->at(y, x);
  }
  std::int64_t row_bytes() const { return row_bytes_; }
  std::int64_t pixel_bytes() const { return pixel_bytes_; }

 private:
  int side_, channels_;
  std::int64_t pixel_bytes_, row_bytes_;
  std::vector<std::byte> bytes_;
};

constexpr int kPoints = 16;  // at which fp32 are multiplied: see packed_windows.h

struct PackedConvolution {
  PackedWeights weights;  // of 3 runs of 3 pixels, or of kPoints of one
  int stride = 1;
  bool rectifies = true;    // ReLU
  bool adds_input = false;  // after the ReLU; stride 1, as many outputs as inputs
  bool measures = false;    // mean and maximum of each channel, before pooling
  bool pools = false;
  float input_scale = 1, output_scale = 1;  // int8: steps for each 1

  // For an input of that side: rows of outputs, pairs of them, and the side of what is written.
  int rows(int side) const { return (side + stride - 1) / stride; }
  int pairs(int side) const { return (rows(side) + 1) / 2; }
  int output_side(int side) const { return rows(side) / (pools ? 2 : 1); }
};

// Filters of fp32, wherever they lie: the number of output o, channel c, row y and column x is at
// first + o·output + c·channel + y·row + x·column.
struct FilterView {
  const float* first = nullptr;
  int outputs = 0, channels = 0;
  std::int64_t output = 0, channel = 0, row = 0, column = 0;
};
// As products at kPoints. bias: [O] or empty.
PackedWeights pack_at_points(const FilterView& filters, std::span<const float> bias);

// [O,3,3,C] and [O], C in whole groups.
struct FilterValues {
  std::span<const float> weights, bias;
  int outputs = 0, channels = 0;
};
// Sets the weights, once all else is set: as products at kPoints where that is fewer of them.
void pack_filters(PackedConvolution& convolution, const FilterValues& filters,
                  Arithmetic arithmetic);

// What else is found on the way. Sum and maximum of each channel over the two rows of outputs that
// a pair is; for training, where each maximum of a pooling is.
struct Measured {
  std::vector<float> sums, largest;  // [pairs, blocks·width]
  std::uint8_t* places = nullptr;    // [side/2, side/2, O]: 0 to 3, row by row, or kNoPlace
};
constexpr std::uint8_t kNoPlace = 4;  // nothing in the window is above zero

// Pairs of rows of outputs, those beyond the last row left out.
struct Pairs {
  std::int64_t begin = 0, end = 0;
};

// Pairs may be cut over threads: what they write lies apart. `measured` is read if it measures.
void convolve(const PackedConvolution& convolution, const Map& input, Pairs pairs, Map& output,
              Measured& measured);

}  // namespace diptych
