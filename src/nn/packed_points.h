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

// Numbers at each of kPoints points of some windows: [points, windows, channels].
struct Points {
  float* numbers = nullptr;
  std::int64_t windows = 0, channels = 0;
  float* at(int point, std::int64_t window) const {
    return numbers + (point * windows + window) * channels;
  }
};

// What the windows of a pair of rows see.
DIPTYCH_KERNEL void transform_inputs(const Map& input, std::int64_t pair, std::int64_t window,
                                     const Points& to) {
  const std::int64_t row = input.row_bytes(), pixel = input.pixel_bytes();
  for (int column = 0; column < (input.side() + 1) / 2; ++column, ++window) {
    const std::byte* corner = input.at(2 * pair - 1, 2 * column - 1);
    for (std::int64_t channel = 0; channel < to.channels; channel += kLanes) {
      const std::byte* from = corner + 4 * channel;
      Floats rows[4][4];
#pragma GCC unroll 4
      for (int x = 0; x < 4; ++x, from += pixel) {
        const auto at = [&](int y) DIPTYCH_KERNEL {
          return load(reinterpret_cast<const float*>(from + y * row));
        };
        const Floats first = at(0), second = at(1), third = at(2), fourth = at(3);
        rows[0][x] = first - third;
        rows[1][x] = second + third;
        rows[2][x] = third - second;
        rows[3][x] = second - fourth;
      }
#pragma GCC unroll 4
      for (int y = 0; y < 4; ++y) {
        store(to.at(4 * y, window) + channel, rows[y][0] - rows[y][2]);
        store(to.at(4 * y + 1, window) + channel, rows[y][1] + rows[y][2]);
        store(to.at(4 * y + 2, window) + channel, rows[y][2] - rows[y][1]);
        store(to.at(4 * y + 3, window) + channel, rows[y][1] - rows[y][3]);
      }
    }
  }
}

// What the gradients of the windows of a pair of rows are at their points.
DIPTYCH_KERNEL void transform_gradients(const Map& gradient, std::int64_t pair, std::int64_t window,
                                        const Points& to) {
  const std::int64_t row = gradient.row_bytes(), pixel = gradient.pixel_bytes();
  for (int column = 0; column < (gradient.side() + 1) / 2; ++column, ++window) {
    const std::byte* corner = gradient.at(2 * pair, 2 * column);
    for (std::int64_t channel = 0; channel < to.channels; channel += kLanes) {
      const std::byte* from = corner + 4 * channel;
      Floats rows[4][2];
#pragma GCC unroll 2
      for (int x = 0; x < 2; ++x, from += pixel) {
        const Floats above = load(reinterpret_cast<const float*>(from));
        const Floats below = load(reinterpret_cast<const float*>(from + row));
        rows[0][x] = above;
        rows[1][x] = above + below;
        rows[2][x] = above - below;
        rows[3][x] = -below;
      }
#pragma GCC unroll 4
      for (int y = 0; y < 4; ++y) {
        store(to.at(4 * y, window) + channel, rows[y][0]);
        store(to.at(4 * y + 1, window) + channel, rows[y][0] + rows[y][1]);
        store(to.at(4 * y + 2, window) + channel, rows[y][0] - rows[y][1]);
        store(to.at(4 * y + 3, window) + channel, -rows[y][1]);
      }
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

// Of kTile channels of the input and one block of outputs: adds to [kTile, outputs] the products of
// what windows see and what their gradients are, at one point.
DIPTYCH_LANES void add_tile(const float* inputs, std::int64_t channels, const float* gradients,
                            std::int64_t outputs, std::int64_t windows, float* sums) {
  Floats totals[kTile][2];
#pragma GCC unroll 8
  for (int row = 0; row < kTile; ++row) {
    totals[row][0] = load(sums + row * outputs);
    totals[row][1] = load(sums + row * outputs + kLanes);
  }
  for (std::int64_t i = 0; i < windows; ++i, inputs += channels, gradients += outputs) {
    const Floats low = load(gradients), high = load(gradients + kLanes);
#pragma GCC unroll 8
    for (int row = 0; row < kTile; ++row) {
      const Floats number = all(inputs[row]);
      totals[row][0] = fused(number, low, totals[row][0]);
      totals[row][1] = fused(number, high, totals[row][1]);
    }
  }
#pragma GCC unroll 8
  for (int row = 0; row < kTile; ++row) {
    store(sums + row * outputs, totals[row][0]);
    store(sums + row * outputs + kLanes, totals[row][1]);
  }
}

DIPTYCH_KERNEL void add_filter_gradient(std::span<const Map> seen, std::span<const Map> slopes,
                                        float* sums) {
  const std::int64_t pairs = (seen.front().side() + 1) / 2;
  const std::int64_t windows = static_cast<std::int64_t>(seen.size()) * pairs * pairs;
  const std::int64_t channels = seen.front().channels(), outputs = slopes.front().channels();
  float* const memory = room_for(kPoints * windows * (channels + outputs));
  const Points inputs{memory, windows, channels};
  const Points gradients{memory + kPoints * windows * channels, windows, outputs};
  std::int64_t window = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    for (std::int64_t pair = 0; pair < pairs; ++pair, window += pairs) {
      transform_inputs(seen[i], pair, window, inputs);
      transform_gradients(slopes[i], pair, window, gradients);
    }
  }
  for (int point = 0; point < kPoints; ++point) {
    for (std::int64_t output = 0; output < outputs; output += kBlock) {
      for (std::int64_t channel = 0; channel < channels; channel += kTile) {
        add_tile(inputs.at(point, 0) + channel, channels, gradients.at(point, 0) + output, outputs,
                 windows, sums + (point * channels + channel) * outputs + output);
      }
    }
  }
}

// A pair of rows of outputs of one picture.
struct Line {
  const Map& input;
  Map& output;
  Measured* measured;  // null: nothing is
  std::int64_t pair;
};

class Windows {
 public:
  Windows(const PackedConvolution& convolution, int input_side)
      : convolution_(convolution),
        side_(convolution.rows(input_side)),
        columns_((side_ + 1) / 2),
        lines_(std::max<std::int64_t>(1, kWindows / columns_)),
        count_((lines_ * columns_ + kTile - 1) / kTile * kTile) {
    const std::int64_t channels = (convolution.weights.steps + kLanes - 1) / kLanes * kLanes;
    const std::int64_t products = (kPoints * count_ + kColumns) * kBlock;
    inputs_ = {room_for(kPoints * count_ * channels + products), count_, channels};
    products_ = inputs_.at(kPoints, 0);
  }

  // As many lines as go through together.
  std::size_t lines() const { return static_cast<std::size_t>(lines_); }

  void convolve(std::span<const Line> lines) {
    std::int64_t window = 0;
    for (const Line& line : lines) {
      transform_inputs(line.input, line.pair, window, inputs_);
      window += columns_;
    }
    for (int block = 0; block < convolution_.weights.blocks(); ++block) {
      multiply_points(block);
      window = 0;
      for (const Line& line : lines) {
        write(line, window, block);
        window += columns_;
      }
    }
  }

 private:
  DIPTYCH_KERNEL void multiply_points(int block) {
    const PackedWeights& weights = convolution_.weights;
    for (int point = 0; point < kPoints; ++point) {
      float* to = products_ + point * count_ * kBlock;
      for (std::int64_t window = 0; window < count_; window += kTile) {
        Floats sums[kTile][2];
        clear<Fp32, kTile>(sums);
        const std::byte* rows[kTile];
#pragma GCC unroll 8
        for (int row = 0; row < kTile; ++row) {
          rows[row] = reinterpret_cast<const std::byte*>(inputs_.at(point, window + row));
        }
        accumulate<Fp32, kTile>(sums, rows, weights.block(block) + point * weights.steps * kBlock,
                                weights.steps);
#pragma GCC unroll 8
        for (int row = 0; row < kTile; ++row, to += kBlock) {
          store(to, sums[row][0]);
          store(to + kLanes, sums[row][1]);
        }
      }
    }
  }

  // The sums of a window's four outputs, of one register of channels.
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

  DIPTYCH_KERNEL void write(const Line& line, std::int64_t window, int block) const {
    Measure measure[2];
    start(measure, line.measured ? line.measured->places : nullptr);
    Tile tile;
    tile.pair = line.pair;
    tile.rows = std::min<std::int64_t>(2, side_ - 2 * line.pair);
    const float* products = products_ + window * kBlock;
    for (; tile.x < side_; tile.x += kColumns) {
      tile.columns = std::min<std::int64_t>(kColumns, side_ - tile.x);
      Floats sums[kTile][2];
#pragma GCC unroll 2
      for (int at = 0; at < kColumns / 2; ++at, products += kBlock) {
#pragma GCC unroll 2
        for (int half = 0; half < 2; ++half) {
          Floats four[2][2];
          sum(products + half * kLanes, four);
          for (int pixel = 0; pixel < 4; ++pixel) {
            const int row = pixel / 2, column = pixel % 2;
            sums[row * kColumns + 2 * at + column][half] = four[row][column];
          }
        }
      }
      finish_tile<Fp32>(convolution_, sums, tile, block, line.input, line.output, measure);
    }
    if (convolution_.measures) {
      keep(measure, convolution_.weights, line.pair, block, *line.measured);
    }
  }

  const PackedConvolution& convolution_;
  std::int64_t side_, columns_, lines_, count_;
  Points inputs_;
  float* products_;  // [points, windows, kBlock], and what a tile reads beyond, to no effect
};

// `pairs` of each picture; measured: of the only one, or null.
void convolve_windows(const PackedConvolution& convolution, std::span<const Map> inputs,
                      Pairs pairs, std::span<Map> outputs, Measured* measured) {
  Windows windows(convolution, inputs.front().side());
  std::vector<Line> lines;
  const auto convolve_lines = [&] {
    windows.convolve(lines);
    lines.clear();
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::int64_t pair = pairs.begin; pair < pairs.end; ++pair) {
      lines.push_back({inputs[i], outputs[i], measured, pair});
      if (lines.size() == windows.lines()) convolve_lines();
    }
  }
  if (!lines.empty()) convolve_lines();
}

void convolve_maps(const PackedConvolution& convolution, std::span<const Map> inputs,
                   std::span<Map> outputs) {
  convolve_windows(convolution, inputs, {0, convolution.pairs(inputs.front().side())}, outputs,
                   nullptr);
}

}  // namespace
}  // namespace diptych::DIPTYCH_REGISTERS
