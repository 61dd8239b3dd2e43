// Part of packed_code.h: windows of fp32 at points, and the gradient of filters there.
#pragma once
#include <vector>

#include "nn/packed_tiles.h"

namespace diptych::DIPTYCH_REGISTERS {
namespace {

// Winograd's minimal filtering F(2×2, 3×3) (Lavin and Gray, CVPR 2016): the four outputs of a
// window are made of products at 16 points instead of 36.

// Windows, or channels, whose sums are held at a time, two registers each.
constexpr int kHeld = kRegisters < 32 ? 6 : 8;

// Numbers at each of kPoints points of some windows, a register's channels of all windows side by
// side: [points, groups of kLanes channels, windows, kLanes].
struct Points {
  float* numbers = nullptr;
  std::int64_t windows = 0, groups = 0;
  float* at(std::int64_t point, std::int64_t group, std::int64_t window) const {
    return numbers + ((point * groups + group) * windows + window) * kLanes;
  }
  std::int64_t size() const { return kPoints * groups * windows * kLanes; }
};

std::int64_t groups_of(std::int64_t channels) { return (channels + kLanes - 1) / kLanes; }

// One picture, [side,side,C], whose rows and pixels lie so many numbers apart.
struct Pixels {
  const float* first;
  std::int64_t side, row, pixel;
};

Pixels pixels_of(const Map& map) {
  return {reinterpret_cast<const float*>(map.at(0, 0)), map.side(), map.row_bytes() / 4,
          map.pixel_bytes() / 4};
}

Pixels pixels_of(const Pictures& pictures, std::int64_t index) {
  const std::int64_t row = pictures.side * pictures.channels;
  return {pictures.numbers + index * pictures.side * row, pictures.side, row, pictures.channels};
}

// One register of channels of a row of pixels; beyond the first and last row all are zero.
struct PixelRow {
  const float* first;
  std::int64_t pixel;
  DIPTYCH_LANES Floats operator()(std::int64_t x) const { return load(first + x * pixel); }
};

DIPTYCH_LANES PixelRow row_of(const Pixels& pixels, std::int64_t y, std::int64_t group) {
  alignas(64) static const float zeros[kLanes] = {};
  if (y < 0 || y >= pixels.side) return {zeros, 0};
  return {pixels.first + y * pixels.row + group * kLanes, pixels.pixel};
}

// What the windows of a pair of rows see at one row of points, and one register of channels. seen:
// what a column of pixels is there.
template <class Seen>
DIPTYCH_LANES void see(const Seen& seen, std::int64_t side, float* to, std::int64_t point) {
  Floats before = all(0), left = seen(0);
  const auto write = [&](Floats right, Floats after) DIPTYCH_KERNEL {
    store(to, before - right);
    store(to + point, left + right);
    store(to + 2 * point, right - left);
    store(to + 3 * point, left - after);
    to += kLanes;
    before = right;
    left = after;
  };
  std::int64_t x = 1;
  for (; x + 1 < side; x += 2) write(seen(x), seen(x + 1));
  if (x <= side) write(x < side ? seen(x) : all(0), all(0));
}

// What the windows of a pair of rows see.
DIPTYCH_KERNEL void transform_inputs(const Pixels& input, std::int64_t pair, std::int64_t window,
                                     const Points& to) {
  const std::int64_t point = to.at(1, 0, 0) - to.at(0, 0, 0);
  for (std::int64_t group = 0; group < to.groups; ++group) {
    const PixelRow first = row_of(input, 2 * pair - 1, group);
    const PixelRow second = row_of(input, 2 * pair, group);
    const PixelRow third = row_of(input, 2 * pair + 1, group);
    const PixelRow fourth = row_of(input, 2 * pair + 2, group);
    const auto at = [&](int row) { return to.at(4 * row, group, window); };
    see([&](std::int64_t x) DIPTYCH_KERNEL { return first(x) - third(x); }, input.side, at(0),
        point);
    see([&](std::int64_t x) DIPTYCH_KERNEL { return second(x) + third(x); }, input.side, at(1),
        point);
    see([&](std::int64_t x) DIPTYCH_KERNEL { return third(x) - second(x); }, input.side, at(2),
        point);
    see([&](std::int64_t x) DIPTYCH_KERNEL { return second(x) - fourth(x); }, input.side, at(3),
        point);
  }
}

// What the gradients of the windows of a pair of rows are at their points.
DIPTYCH_KERNEL void transform_gradients(const Pixels& gradient, std::int64_t pair,
                                        std::int64_t window, const Points& to) {
  const std::int64_t point = to.at(1, 0, 0) - to.at(0, 0, 0);
  for (std::int64_t group = 0; group < to.groups; ++group) {
    const PixelRow above = row_of(gradient, 2 * pair, group);
    const PixelRow below = row_of(gradient, 2 * pair + 1, group);
    float* first = to.at(0, group, window);
    for (std::int64_t x = 0; x < gradient.side; x += 2, first += kLanes) {
      const bool whole = x + 1 < gradient.side;
      const Floats left[2] = {above(x), below(x)};
      const Floats right[2] = {whole ? above(x + 1) : all(0), whole ? below(x + 1) : all(0)};
      float* at = first;
      const auto write = [&](Floats a, Floats b) DIPTYCH_KERNEL {
        for (const Floats& value : {a, a + b, a - b, -b}) {
          store(at, value);
          at += point;
        }
      };
      write(left[0], right[0]);
      write(left[0] + left[1], right[0] + right[1]);
      write(left[0] - left[1], right[0] - right[1]);
      write(-left[1], -right[1]);
    }
  }
}

// Room for so many numbers, of this thread, until it is asked for more.
float* room_for(std::int64_t count) {
  static thread_local std::vector<float, WholeLines<float>> memory;
  if (memory.size() < static_cast<std::size_t>(count)) {
    memory.resize(static_cast<std::size_t>(count));
  }
  return memory.data();
}

// Asks for memory that is soon read, or written, which need not be there.
template <int ForWriting>
void expect(const float* from, std::int64_t count) {
  constexpr std::int64_t kCacheLine = 16;
  for (std::int64_t i = 0; i < count; i += kCacheLine) __builtin_prefetch(from + i, ForWriting, 2);
}

// Products of what windows see, at one point, with what their gradients are there, which are added
// to the sums of a channel and `outputs` outputs; those of the next channel lie `next` further.
struct Products {
  const Points &inputs, &gradients;
  std::int64_t point, next;
  bool adds;  // to sums that are there
};

// Of Count channels and one block of outputs.
template <int Count>
DIPTYCH_LANES void add_products(const Products& products, std::int64_t channel, std::int64_t output,
                                float* sums) {
  const float* inputs[Count];
  Floats totals[Count][2];
#pragma GCC unroll 8
  for (int row = 0; row < Count; ++row) {
    const std::int64_t at = channel + row;
    inputs[row] = products.inputs.at(products.point, at / kLanes, 0) + at % kLanes;
    totals[row][0] = products.adds ? load(sums + row * products.next) : all(0);
    totals[row][1] = products.adds ? load(sums + row * products.next + kLanes) : all(0);
  }
  const float* const low = products.gradients.at(products.point, output / kLanes, 0);
  const float* const high = products.gradients.at(products.point, output / kLanes + 1, 0);
  const std::int64_t end = products.inputs.windows * kLanes;
  for (std::int64_t i = 0; i < end; i += kLanes) {
    const Floats both[2] = {load(low + i), load(high + i)};
#pragma GCC unroll 8
    for (int row = 0; row < Count; ++row) {
      const Floats number = all(inputs[row][i]);
      totals[row][0] = fused(number, both[0], totals[row][0]);
      totals[row][1] = fused(number, both[1], totals[row][1]);
    }
  }
#pragma GCC unroll 8
  for (int row = 0; row < Count; ++row) {
    store(sums + row * products.next, totals[row][0]);
    store(sums + row * products.next + kLanes, totals[row][1]);
  }
}

DIPTYCH_KERNEL void multiply_with_gradients(const Products& products, float* sums) {
  constexpr int kFew = 2;  // divides all that is left over
  const std::int64_t channels = products.inputs.groups * kLanes;
  const std::int64_t outputs = products.gradients.groups * kLanes;
  for (std::int64_t output = 0; output < outputs; output += kBlock) {
    const auto at = [&](std::int64_t channel) { return sums + channel * products.next + output; };
    std::int64_t channel = 0;
    for (; channel + kHeld <= channels; channel += kHeld) {
      add_products<kHeld>(products, channel, output, at(channel));
    }
    if (channel + 2 * kFew <= channels) {
      add_products<2 * kFew>(products, channel, output, at(channel));
      channel += 2 * kFew;
    }
    if (channel < channels) add_products<kFew>(products, channel, output, at(channel));
  }
}

void add_filter_gradient(const Pictures& seen, const Pictures& slopes, bool adds, float* sums) {
  const std::int64_t pairs = (seen.side + 1) / 2, windows = seen.count * pairs * pairs;
  Points inputs{nullptr, windows, seen.channels / kLanes};
  Points gradients{nullptr, windows, slopes.channels / kLanes};
  inputs.numbers = room_for(inputs.size() + gradients.size());
  gradients.numbers = inputs.numbers + inputs.size();
  std::int64_t window = 0;
  for (std::int64_t i = 0; i < seen.count; ++i) {
    const Pixels input = pixels_of(seen, i), slope = pixels_of(slopes, i);
    expect<false>(input.first + input.side * input.row, input.side * input.row);
    expect<false>(slope.first + slope.side * slope.row, slope.side * slope.row);
    for (std::int64_t pair = 0; pair < pairs; ++pair, window += pairs) {
      transform_inputs(input, pair, window, inputs);
      transform_gradients(slope, pair, window, gradients);
    }
  }
  for (int point = 0; point < kPoints; ++point) {
    multiply_with_gradients({inputs, gradients, point, kPoints * slopes.channels, adds},
                            sums + point * slopes.channels);
  }
}

}  // namespace
}  // namespace diptych::DIPTYCH_REGISTERS
