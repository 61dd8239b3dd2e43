#include "nn/packed_convolution.h"

#include <cstring>

#include "nn/packed_kernels.h"

namespace diptych {
namespace {

std::int64_t pixel_bytes_of(int channels, Arithmetic arithmetic) {
  const int width = numbers_in_group(arithmetic);
  return 4 * ((channels + width - 1) / width);
}

// Of what a tile reads beyond the last row and pixel, to no effect.
constexpr int kBeyond = 8;

}  // namespace

Map::Map(int side, int channels, Arithmetic arithmetic)
    : side_(side),
      channels_(channels),
      pixel_bytes_(pixel_bytes_of(channels, arithmetic)),
      row_bytes_((side + 2) * pixel_bytes_),
      bytes_(static_cast<std::size_t>((side + 2 + kBeyond) * row_bytes_ +
                                      2 * kBeyond * pixel_bytes_)) {}

namespace {

constexpr int kTogether = 16;  // outputs; what packs_here() has blocks of these
using Numbers = float[kTogether];

// The points of a line of three numbers.
void at_points(const Numbers& a, const Numbers& b, const Numbers& c, Numbers (&four)[4]) {
  for (int i = 0; i < kTogether; ++i) {
    four[0][i] = a[i];
    four[1][i] = (a[i] + b[i] + c[i]) / 2;
    four[2][i] = (a[i] - b[i] + c[i]) / 2;
    four[3][i] = c[i];
  }
}

// So many filters, the first of which begins at `from`, at their points.
void at_points(const FilterView& filters, const float* from, int outputs, Numbers (&points)[4][4]) {
  Numbers taps[3][3] = {}, columns[3][4];
  for (int i = 0; i < outputs; ++i, from += filters.output) {
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < 3; ++x) taps[y][x][i] = from[y * filters.row + x * filters.column];
    }
  }
  for (int x = 0; x < 3; ++x) at_points(taps[0][x], taps[1][x], taps[2][x], columns[x]);
  for (int y = 0; y < 4; ++y) at_points(columns[0][y], columns[1][y], columns[2][y], points[y]);
}

}  // namespace

PackedWeights pack_at_points(const FilterView& filters, std::span<const float> bias) {
  PackedWeights packed =
      unfilled_weights(bias, {filters.outputs, kPoints, filters.channels}, Arithmetic::fp32);
  Numbers points[4][4];
  for (int output = 0; output < filters.outputs; output += kTogether) {
    const int outputs = std::min(kTogether, filters.outputs - output);
    for (std::int64_t channel = 0; channel < filters.channels; ++channel) {
      at_points(filters, filters.first + output * filters.output + channel * filters.channel,
                outputs, points);
      std::uint32_t* to =
          packed.block(output / packed.width) + channel * packed.width + output % packed.width;
      for (const auto& row : points) {
        for (const Numbers& point : row) {
          std::memcpy(to, point, sizeof point);
          to += packed.steps * packed.width;
        }
      }
    }
  }
  return packed;
}

void pack_filters(PackedConvolution& convolution, const FilterValues& filters,
                  Arithmetic arithmetic) {
  constexpr int kFew = 8;  // channels whose transform takes longer than it saves
  if (arithmetic == Arithmetic::fp32 && convolution.stride == 1 && filters.channels > kFew) {
    const std::int64_t channels = filters.channels;
    convolution.weights = pack_at_points({filters.weights.data(), filters.outputs, filters.channels,
                                          9 * channels, 1, 3 * channels, channels},
                                         filters.bias);
    return;
  }
  convolution.weights =
      pack_weights(filters.weights, filters.bias, {filters.outputs, 3, 3L * filters.channels},
                   arithmetic, 1 / convolution.input_scale);
}

void convolve(const PackedConvolution& convolution, const Map& input, Pairs pairs, Map& output,
              Measured& measured) {
  packed_kernels().convolve(convolution, input, pairs, output, measured);
}

}  // namespace diptych
