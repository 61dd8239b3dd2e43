// Part of packed_code.h: products of packed weights with rows and with the pixels of a map, summed
// in tiles that stay in registers, and what follows a convolution.
#pragma once
#include <algorithm>

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

}  // namespace
}  // namespace diptych::DIPTYCH_REGISTERS
