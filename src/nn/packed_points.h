// Part of packed_code.h: convolutions of fp32 at points.
#pragma once
#include <vector>

#include "nn/packed_tiles.h"

namespace diptych::DIPTYCH_REGISTERS {
namespace {

// Winograd's minimal filtering F(2×2, 3×3) (Lavin and Gray, CVPR 2016): the four outputs of a
// window are made of products at 16 points instead of 36. As many pairs of rows go through together
// as have kWindows windows, so that the weights of a point are read once for these.
constexpr std::int64_t kWindows = 32;

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

// A pair of rows of outputs of one picture.
struct Line {
  Pixels input;
  std::int64_t picture, pair;
};

class Windows {
 public:
  Windows(const PackedConvolution& convolution, std::int64_t side)
      : convolution_(convolution),
        columns_((side + 1) / 2),
        lines_(std::max<std::int64_t>(1, kWindows / columns_)),
        count_((lines_ * columns_ + kHeld - 1) / kHeld * kHeld) {
    inputs_ = {nullptr, count_, groups_of(convolution.weights.steps)};
    inputs_.numbers = room_for(inputs_.size() + (kPoints * count_ + kColumns) * kBlock);
    products_ = inputs_.numbers + inputs_.size();
  }

  // As many lines as go through together.
  std::size_t lines() const { return static_cast<std::size_t>(lines_); }

  // Writes each line with write(line, products of its first window, block).
  template <class Write>
  void convolve(std::span<const Line> lines, const Write& write) {
    std::int64_t windows = 0;
    for (const Line& line : lines) {
      transform_inputs(line.input, line.pair, windows, inputs_);
      windows += columns_;
    }
    for (int block = 0; block < convolution_.weights.blocks(); ++block) {
      multiply_points(block, windows);
      const float* products = products_;
      for (const Line& line : lines) {
        write(line, products, block);
        products += columns_ * kBlock;
      }
    }
  }

  // The four outputs of a window, of one register of channels.
  DIPTYCH_LANES void sum(const float* products, Floats (&sums)[2][2]) const {
    const std::int64_t point = count_ * kBlock;
    Floats rows[2][4];
#pragma GCC unroll 4
    for (int x = 0; x < 4; ++x) {
      const Floats first = load(products + x * point), second = load(products + (4 + x) * point);
      const Floats third = load(products + (8 + x) * point);
      const Floats fourth = load(products + (12 + x) * point);
      rows[0][x] = first + second + third;
      rows[1][x] = second - third - fourth;
    }
#pragma GCC unroll 2
    for (int y = 0; y < 2; ++y) {
      sums[y][0] = rows[y][0] + rows[y][1] + rows[y][2];
      sums[y][1] = rows[y][1] - rows[y][2] - rows[y][3];
    }
  }

 private:
  DIPTYCH_KERNEL void multiply_points(int block, std::int64_t windows) {
    const PackedWeights& weights = convolution_.weights;
    const std::int64_t group = count_ * kLanes;
    for (int point = 0; point < kPoints; ++point) {
      float* to = products_ + point * count_ * kBlock;
      for (std::int64_t window = 0; window < windows; window += kHeld) {
        Floats sums[kHeld][2];
        clear<Fp32, kHeld>(sums);
        const float* from = inputs_.at(point, 0, window);
        const std::uint32_t* filters = weights.block(block) + point * weights.steps * kBlock;
        std::int64_t left = weights.steps;
        for (; left >= kLanes; left -= kLanes, from += group, filters += kLanes * kBlock) {
          add_channels(sums, from, filters, kLanes);
        }
        add_channels(sums, from, filters, left);
#pragma GCC unroll 8
        for (int row = 0; row < kHeld; ++row, to += kBlock) {
          store(to, sums[row][0]);
          store(to + kLanes, sums[row][1]);
        }
      }
    }
  }

  DIPTYCH_LANES static void add_channels(Floats (&sums)[kHeld][2], const float* from,
                                         const std::uint32_t* filters, std::int64_t channels) {
#pragma GCC unroll 4
    for (std::int64_t channel = 0; channel < channels; ++channel, filters += kBlock) {
      const Words low = load_words(filters), high = load_words(filters + kLanes);
#pragma GCC unroll 8
      for (int row = 0; row < kHeld; ++row) {
        const Words number =
            everywhere(reinterpret_cast<const std::byte*>(from + row * kLanes + channel));
        sums[row][0] = Fp32::dot(sums[row][0], low, number);
        sums[row][1] = Fp32::dot(sums[row][1], high, number);
      }
    }
  }

  const PackedConvolution& convolution_;
  std::int64_t columns_, lines_, count_;
  Points inputs_;
  float* products_;  // [points, windows, kBlock], and what a tile reads beyond, to no effect
};

// What an answer's convolution writes of a line: with all that follows.
DIPTYCH_KERNEL void write_line(const PackedConvolution& convolution, const Windows& windows,
                               const Map& input, const Line& line, const float* products, int block,
                               Map& output, Measured& measured) {
  const std::int64_t side = input.side();
  Measure measure[2];
  start(measure, measured.places);
  Tile tile;
  tile.pair = line.pair;
  tile.rows = std::min<std::int64_t>(2, side - 2 * line.pair);
  for (; tile.x < side; tile.x += kColumns) {
    tile.columns = std::min<std::int64_t>(kColumns, side - tile.x);
    Floats sums[kTile][2];
#pragma GCC unroll 2
    for (int at = 0; at < kColumns / 2; ++at, products += kBlock) {
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) {
        Floats four[2][2];
        windows.sum(products + half * kLanes, four);
        for (int pixel = 0; pixel < 4; ++pixel) {
          const int row = pixel / 2, column = pixel % 2;
          sums[row * kColumns + 2 * at + column][half] = four[row][column];
        }
      }
    }
    finish_tile<Fp32>(convolution, sums, tile, block, input, output, measure);
  }
  if (convolution.measures) keep(measure, convolution.weights, line.pair, block, measured);
}

void convolve_windows(const PackedConvolution& convolution, const Map& input, Pairs pairs,
                      Map& output, Measured& measured) {
  Windows windows(convolution, input.side());
  std::vector<Line> lines;
  for (std::int64_t pair = pairs.begin; pair < pairs.end; ++pair) {
    lines.push_back({pixels_of(input), 0, pair});
  }
  for (std::size_t at = 0; at < lines.size(); at += windows.lines()) {
    const auto together =
        std::span(lines).subspan(at, std::min(windows.lines(), lines.size() - at));
    windows.convolve(together, [&](const Line& line, const float* products, int block) {
      write_line(convolution, windows, input, line, products, block, output, measured);
    });
  }
}

// The sums alone of a line; `to`: the first channel of the block, of the first pixel.
DIPTYCH_KERNEL void write_sums(const Windows& windows, const float* products, const Pixels& output,
                               std::int64_t pair, float* to) {
  const std::int64_t rows = std::min<std::int64_t>(2, output.side - 2 * pair);
  for (std::int64_t x = 0; x < output.side; x += 2, products += kBlock, to += 2 * output.pixel) {
    const std::int64_t columns = std::min<std::int64_t>(2, output.side - x);
    for (int half = 0; half < 2; ++half) {
      Floats sums[2][2];
      windows.sum(products + half * kLanes, sums);
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
          store(to + row * output.row + column * output.pixel + half * kLanes, sums[row][column]);
        }
      }
    }
  }
}

void convolve_pictures(const PackedConvolution& convolution, const Pictures& inputs,
                       float* outputs) {
  const std::int64_t channels = convolution.weights.outputs, pairs = (inputs.side + 1) / 2;
  Windows windows(convolution, inputs.side);
  std::vector<Line> lines;
  for (std::int64_t i = 0; i < inputs.count; ++i) {
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      lines.push_back({pixels_of(inputs, i), i, pair});
    }
  }
  const auto first_number = [&](const Line& line) {
    return (line.picture * inputs.side + 2 * line.pair) * inputs.side;
  };
  const Pixels output{outputs, inputs.side, inputs.side * channels, channels};
  const auto write = [&](const Line& line, const float* products, int block) {
    write_sums(windows, products, output, line.pair,
               outputs + first_number(line) * channels + block * kBlock);
  };
  for (std::size_t at = 0; at < lines.size(); at += windows.lines()) {
    const auto together =
        std::span(lines).subspan(at, std::min(windows.lines(), lines.size() - at));
    for (const Line& line : together) {
      expect<true>(outputs + first_number(line) * channels, 2 * output.row);
      expect<false>(inputs.numbers + (first_number(line) + std::ssize(together) * 2 * inputs.side) *
                                         inputs.channels,
                    2 * inputs.side * inputs.channels);
    }
    windows.convolve(together, write);
  }
}

}  // namespace
}  // namespace diptych::DIPTYCH_REGISTERS
