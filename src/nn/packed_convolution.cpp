#include "nn/packed_convolution.h"

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

// The filter of one pair of channels, [3,3], at kPoints points, each `step` apart.
void at_points(const float* filter, std::int64_t step, float* to) {
  const auto line = [](float a, float b, float c, float* four, std::int64_t apart) {
    four[0] = a;
    four[apart] = (a + b + c) / 2;
    four[2 * apart] = (a - b + c) / 2;
    four[3 * apart] = c;
  };
  float columns[4][3];
  for (int x = 0; x < 3; ++x) {
    line(filter[x * step], filter[(3 + x) * step], filter[(6 + x) * step], columns[0] + x, 3);
  }
  for (int y = 0; y < 4; ++y) {
    line(columns[y][0], columns[y][1], columns[y][2], to + 4 * y * step, step);
  }
}

// [O,3,3,C] → [O,kPoints,C]
std::vector<float> at_points(const FilterValues& filters) {
  const std::int64_t channels = filters.channels;
  std::vector<float> points(static_cast<std::size_t>(filters.outputs * kPoints * channels));
  for (std::int64_t output = 0; output < filters.outputs; ++output) {
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      at_points(filters.weights.data() + output * 9 * channels + channel, channels,
                points.data() + output * kPoints * channels + channel);
    }
  }
  return points;
}

}  // namespace

void pack_filters(PackedConvolution& convolution, const FilterValues& filters,
                  Arithmetic arithmetic) {
  constexpr int kFew = 8;  // channels whose transform takes longer than it saves
  if (arithmetic == Arithmetic::fp32 && convolution.stride == 1 && filters.channels > kFew) {
    convolution.weights = pack_weights(at_points(filters), filters.bias,
                                       {filters.outputs, kPoints, filters.channels}, arithmetic);
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
