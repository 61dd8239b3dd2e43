// Part of packed_code.h: convolutions of answers in fp32, at points.
#pragma once
#include <vector>

#include "nn/packed_patches.h"

namespace diptych::DIPTYCH_REGISTERS {
namespace {

// Winograd's minimal filtering F(2×2, 3×3) (Lavin and Gray, CVPR 2016): the four outputs of a
// window are made of products at 16 points instead of 36.

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

// As many pairs of rows go through together as have so many windows, so that the weights of a point
// are read once for these.
constexpr std::int64_t kWindows = 32;

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

}  // namespace
}  // namespace diptych::DIPTYCH_REGISTERS
