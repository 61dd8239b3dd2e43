// The code of packed_kernels.h. packed_avx512.cpp and packed_avx2.cpp include it after the
// registers that they name:
//   DIPTYCH_REGISTERS  their namespace
//   DIPTYCH_KERNEL     before a function that uses them
//   DIPTYCH_LANES      before one that is part of another
#pragma once
#include <algorithm>
#include <vector>

#include "nn/packed_kernels.h"

namespace diptych::DIPTYCH_REGISTERS {
namespace {

constexpr int kBlock = 2 * kLanes;   // outputs that are summed together
constexpr int kTile = 2 * kColumns;  // positions or rows that are

DIPTYCH_LANES Words everywhere(const std::byte* group) {
  int bits = 0;
  std::memcpy(&bits, group, sizeof bits);
  return all_words(bits);
}

// Not `= {}`, which is written to memory.
template <class A, int Rows>
DIPTYCH_LANES void clear(typename A::Sum (&sums)[Rows][2]) {
#pragma GCC unroll 8
  for (int row = 0; row < Rows; ++row) sums[row][0] = sums[row][1] = typename A::Sum{};
}

// Adds, for each of Rows runs of groups that begin at `from`, the products with the weights of one
// block of outputs, [steps, kBlock].
template <class A, int Rows>
DIPTYCH_LANES void accumulate(typename A::Sum (&sums)[Rows][2], const std::byte* const* from,
                              const std::uint32_t* weights, std::int64_t steps) {
  const std::byte* at[Rows];
#pragma GCC unroll 8
  for (int row = 0; row < Rows; ++row) at[row] = from[row];
#pragma GCC unroll 4
  for (std::int64_t step = 0; step < steps; ++step, weights += kBlock) {
    const Words low = load_words(weights), high = load_words(weights + kLanes);
#pragma GCC unroll 8
    for (int row = 0; row < Rows; ++row) {
      const Words numbers = everywhere(at[row] + 4 * step);
      sums[row][0] = A::dot(sums[row][0], low, numbers);
      sums[row][1] = A::dot(sums[row][1], high, numbers);
    }
  }
}

// As many groups as keep a block's weights in the second cache while all rows pass by.
constexpr std::int64_t kChunk = 2048;

struct Place {
  int block = 0, row = 0;
  std::int64_t begin = 0, end = 0;  // groups
};

// The sums of a chunk that is not the last lie, as they are, where the outputs will.
template <class A, int Count>
DIPTYCH_KERNEL void multiply_tile(const PackedWeights& weights, const Rows& rows,
                                  const Place& place, float* outputs) {
  const std::int64_t width = weights.blocks() * kBlock;
  float* to = outputs + place.row * width + place.block * kBlock;
  typename A::Sum sums[Count][2];
  clear<A, Count>(sums);
  const std::byte* from[Count];
  for (int row = 0; row < Count; ++row) {
    from[row] = static_cast<const std::byte*>(rows.groups) +
                4 * ((place.row + row) * rows.stride + place.begin);
    if (place.begin > 0) std::memcpy(sums[row], to + row * width, sizeof sums[row]);
  }
  accumulate<A, Count>(sums, from, weights.block(place.block) + place.begin * kBlock,
                       place.end - place.begin);
  for (int row = 0; row < Count; ++row, to += width) {
    if (place.end < weights.steps) {
      std::memcpy(to, sums[row], sizeof sums[row]);
      continue;
    }
    for (int half = 0; half < 2; ++half) {
      const std::int64_t output = place.block * kBlock + half * kLanes;
      store(to + half * kLanes, A::value(sums[row][half], load(weights.scale.data() + output),
                                         load(weights.bias.data() + output)));
    }
  }
}

template <class A>
void multiply_rows(const PackedWeights& weights, const Rows& rows, Blocks blocks, float* outputs) {
  Place place;
  for (place.block = blocks.begin; place.block < blocks.end; ++place.block) {
    for (place.begin = 0; place.begin < weights.steps; place.begin = place.end) {
      place.end = std::min(place.begin + kChunk, weights.steps);
      for (place.row = 0; place.row + kTile <= rows.count; place.row += kTile) {
        multiply_tile<A, kTile>(weights, rows, place, outputs);
      }
      for (; place.row < rows.count; ++place.row) {
        multiply_tile<A, 1>(weights, rows, place, outputs);
      }
    }
  }
}

// Outputs 2·pair and 2·pair+1, so many columns from x on, of one register of channels.
struct Tile {
  std::int64_t pair = 0, x = 0, rows = 0, columns = 0;  // there are; no more than 2 and kColumns
  int channel = 0;
  Mask mask = 0;
};

// What a register of channels measured in the row pair so far.
struct Measure {
  Floats sum, largest;
  std::uint8_t* places;
};

// Of the four pixels of a window, from the upper left: the first that has the maximum.
DIPTYCH_LANES Words place_of(Floats largest, const Floats* at) {
  Words place = all_words(3);
  for (int pixel = 2; pixel >= 0; --pixel) {
    place = where_equal(at[pixel / 2 * kColumns + pixel % 2], largest, pixel, place);
  }
  return where_equal(largest, all(0), kNoPlace, place);
}

template <class A>
DIPTYCH_LANES void store_pooled(const Floats* values, const Tile& tile, float scale, Map& output,
                                std::uint8_t* places) {
  for (int window = 0; window < kColumns / 2; ++window) {
    if (2 * window + 1 >= tile.columns || tile.rows < 2) continue;
    const Floats* at = values + 2 * window;
    const Floats largest = larger(larger(at[0], at[1]), larger(at[kColumns], at[kColumns + 1]));
    const std::int64_t column = tile.x / 2 + window;
    A::store(output.at(tile.pair, column) + tile.channel * A::kBytes, tile.mask, largest, scale);
    if (!places) continue;
    const std::int64_t window_at = tile.pair * output.side() + column;
    store_bytes(places + window_at * output.channels() + tile.channel, tile.mask,
                place_of(largest, at));
  }
}

// Of one register of channels: from sums to what is stored, where that is all that follows.
template <class A>
DIPTYCH_LANES void pool(const PackedConvolution& convolution,
                        const typename A::Sum (&sums)[kTile][2], int half, const Tile& tile,
                        Map& output, std::uint8_t* places) {
  const Floats scale = load(convolution.weights.scale.data() + tile.channel);
  const Floats bias = load(convolution.weights.bias.data() + tile.channel);
  Floats values[kTile];
#pragma GCC unroll 8
  for (int at = 0; at < kTile; ++at) {
    // In this order what is not a number stays so.
    values[at] = larger(all(0), A::value(sums[at][half], scale, bias));
  }
  store_pooled<A>(values, tile, convolution.output_scale, output, places);
}

// The same, whatever follows.
template <class A>
DIPTYCH_LANES void finish(const PackedConvolution& convolution,
                          const typename A::Sum (&sums)[kTile][2], int half, const Tile& tile,
                          const Map& input, Map& output, Measure& measure) {
  const Floats scale = load(convolution.weights.scale.data() + tile.channel);
  const Floats bias = load(convolution.weights.bias.data() + tile.channel);
  Floats values[kTile];
#pragma GCC unroll 8
  for (int at = 0; at < kTile; ++at) {
    const std::int64_t row = at / kColumns, column = at % kColumns;
    values[at] = A::value(sums[at][half], scale, bias);
    if (convolution.rectifies) values[at] = larger(all(0), values[at]);
    if (row >= tile.rows || column >= tile.columns) continue;
    const std::int64_t y = 2 * tile.pair + row, x = tile.x + column;
    if (convolution.adds_input) {
      values[at] +=
          A::load(input.at(y, x) + tile.channel * A::kBytes, tile.mask, convolution.input_scale);
    }
    if (convolution.measures) {
      measure.sum += values[at];
      measure.largest = larger(measure.largest, values[at]);
    }
    if (!convolution.pools) {
      A::store(output.at(y, x) + tile.channel * A::kBytes, tile.mask, values[at],
               convolution.output_scale);
    }
  }
  if (convolution.pools) {
    store_pooled<A>(values, tile, convolution.output_scale, output, measure.places);
  }
}

template <class A>
DIPTYCH_LANES void finish_tile(const PackedConvolution& convolution,
                               const typename A::Sum (&sums)[kTile][2], Tile& tile, int block,
                               const Map& input, Map& output, Measure (&measure)[2]) {
  const bool pools_alone = convolution.pools && convolution.rectifies && !convolution.adds_input &&
                           !convolution.measures;
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
    tile.channel = block * kBlock + half * kLanes;
    tile.mask = first(convolution.weights.outputs - tile.channel);
    if (pools_alone) {
      pool<A>(convolution, sums, half, tile, output, measure[half].places);
    } else {
      finish<A>(convolution, sums, half, tile, input, output, measure[half]);
    }
  }
}

DIPTYCH_LANES void start(Measure (&measure)[2], std::uint8_t* places) {
  for (Measure& half : measure) half = {all(0), all(0), places};
}

DIPTYCH_LANES void keep(const Measure (&measure)[2], const PackedWeights& weights,
                        std::int64_t pair, int block, Measured& measured) {
  const std::int64_t at = (pair * weights.blocks() + block) * kBlock;
  for (int half = 0; half < 2; ++half) {
    store(measured.sums.data() + at + half * kLanes, measure[half].sum);
    store(measured.largest.data() + at + half * kLanes, measure[half].largest);
  }
}

template <class A>
DIPTYCH_KERNEL void convolve_pair(const PackedConvolution& convolution, const Map& input,
                                  std::int64_t pair, int block, Map& output, Measured& measured) {
  const PackedWeights& weights = convolution.weights;
  const std::int64_t side = convolution.rows(input.side());
  const std::int64_t step = convolution.stride * input.pixel_bytes();
  const std::int64_t down = convolution.stride * input.row_bytes();
  Measure measure[2];
  start(measure, measured.places);
  Tile tile;
  tile.pair = pair;
  tile.rows = std::min<std::int64_t>(2, side - 2 * pair);
  for (; tile.x < side; tile.x += kColumns) {
    tile.columns = std::min<std::int64_t>(kColumns, side - tile.x);
    const std::byte* corner =
        input.at(2 * pair * convolution.stride - 1, tile.x * convolution.stride - 1);
    typename A::Sum sums[kTile][2];
    clear<A, kTile>(sums);
#pragma GCC unroll 3
    for (int run = 0; run < 3; ++run, corner += input.row_bytes()) {
      const std::byte* from[kTile];
#pragma GCC unroll 8
      for (int at = 0; at < kTile; ++at) {
        from[at] = corner + at / kColumns * down + at % kColumns * step;
      }
      accumulate<A, kTile>(sums, from, weights.block(block) + run * weights.steps * kBlock,
                           weights.steps);
    }
    finish_tile<A>(convolution, sums, tile, block, input, output, measure);
  }
  if (convolution.measures) keep(measure, weights, pair, block, measured);
}

template <class A>
void convolve_pairs(const PackedConvolution& convolution, const Map& input, Pairs pairs,
                    Map& output, Measured& measured) {
  for (int block = 0; block < convolution.weights.blocks(); ++block) {
    for (std::int64_t pair = pairs.begin; pair < pairs.end; ++pair) {
      convolve_pair<A>(convolution, input, pair, block, output, measured);
    }
  }
}

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

// e to the power of x, within 2 units of the last place for what fp32 can hold.
DIPTYCH_LANES Floats exponential(Floats x) {
  x = larger(smaller(x, all(88.0F)), all(-87.0F));
  const Floats whole = nearest_whole(x * all(1.44269504F));
  const Floats rest = fused(whole, all(2.12194440e-4F), fused(whole, all(-0.693359375F), x));
  constexpr float kTaylor[] = {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1, 1};
  Floats sum = all(1.0F / 5040);
  for (const float term : kTaylor) sum = fused(sum, rest, all(term));
  return times_power_of_two(sum, whole);
}

DIPTYCH_LANES Floats sigmoid(Floats x) { return all(1) / (all(1) + exponential(-x)); }
DIPTYCH_LANES Floats tanh(Floats x) { return 2 * sigmoid(2 * x) - 1; }

DIPTYCH_LANES Floats gate_of(const LstmGates& gates, std::int64_t at, Mask mask) {
  return load(gates.projected + at, mask) + load(gates.recurrent + at, mask);
}

// Hochreiter and Schmidhuber, 1997, with a forget gate.
DIPTYCH_KERNEL void lstm_step(const LstmGates& gates, int features, float* cell, float* hidden) {
  for (int at = 0; at < features; at += kLanes) {
    const Mask mask = first(features - at);
    const Floats kept = sigmoid(gate_of(gates, features + at, mask)) * load(cell + at, mask);
    const Floats next = fused(sigmoid(gate_of(gates, at, mask)),
                              tanh(gate_of(gates, 2 * features + at, mask)), kept);
    store(cell + at, mask, next);
    store(hidden + at, mask, sigmoid(gate_of(gates, 3 * features + at, mask)) * tanh(next));
  }
}

void multiply(const PackedWeights& weights, const Rows& rows, Blocks blocks, float* outputs) {
  switch (weights.arithmetic) {
    case Arithmetic::fp32:
      return multiply_rows<Fp32>(weights, rows, blocks, outputs);
    case Arithmetic::bf16:
      return multiply_rows<Bf16>(weights, rows, blocks, outputs);
    case Arithmetic::int8:
      return multiply_rows<Int8>(weights, rows, blocks, outputs);
  }
}

void convolve(const PackedConvolution& convolution, const Map& input, Pairs pairs, Map& output,
              Measured& measured) {
  if (convolution.weights.runs == kPoints) {
    return convolve_windows(convolution, {&input, 1}, pairs, {&output, 1}, &measured);
  }
  switch (convolution.weights.arithmetic) {
    case Arithmetic::fp32:
      return convolve_pairs<Fp32>(convolution, input, pairs, output, measured);
    case Arithmetic::bf16:
      return convolve_pairs<Bf16>(convolution, input, pairs, output, measured);
    case Arithmetic::int8:
      return convolve_pairs<Int8>(convolution, input, pairs, output, measured);
  }
}

PackedKernels kernels() {
  return {kBlock, multiply, convolve, convolve_maps, add_filter_gradient, lstm_step};
}

}  // namespace
}  // namespace diptych::DIPTYCH_REGISTERS
