#include "nn/packed_convolution.h"

#include <algorithm>

#include "nn/lanes.h"

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

#if defined(__x86_64__)
namespace {

using lanes::kBlock;
using lanes::kLanes;

constexpr int kColumns = 4;  // of a tile of two rows

// Outputs 2·pair and 2·pair+1, columns x to x+3, of one block of channels.
struct Tile {
  std::int64_t pair = 0, x = 0, rows = 0, columns = 0;  // there are; no more than 2 and 4
  int channel = 0;
  __mmask16 mask = 0;
};

// What a block of channels measured in the row pair so far.
struct Measure {
  __m512 sum, largest;
  std::uint8_t* places;
};

// Of the four pixels of a window, from the upper left: the first that has the maximum.
DIPTYCH_LANES __m128i place_of(__m512 largest, const __m512* at) {
  __m512i place = _mm512_set1_epi32(3);
  for (int pixel = 2; pixel >= 0; --pixel) {
    const __m512 value = at[pixel / 2 * kColumns + pixel % 2];
    place = _mm512_mask_mov_epi32(place, _mm512_cmpeq_ps_mask(value, largest),
                                  _mm512_set1_epi32(pixel));
  }
  place = _mm512_mask_mov_epi32(place, _mm512_cmpeq_ps_mask(largest, _mm512_setzero_ps()),
                                _mm512_set1_epi32(kNoPlace));
  return _mm512_maskz_cvtepi32_epi8(lanes::kAll, place);
}

template <class A>
DIPTYCH_LANES void store_pooled(const __m512* values, const Tile& tile, float scale, Map& output,
                                std::uint8_t* places) {
  for (int window = 0; window < 2; ++window) {
    if (2 * window + 1 >= tile.columns || tile.rows < 2) continue;
    const __m512* at = values + 2 * window;
    const __m512 largest =
        lanes::larger(lanes::larger(at[0], at[1]), lanes::larger(at[kColumns], at[kColumns + 1]));
    const std::int64_t column = tile.x / 2 + window;
    A::store(output.at(tile.pair, column) + tile.channel * A::kBytes, tile.mask, largest, scale);
    if (!places) continue;
    const std::int64_t window_at = tile.pair * output.side() + column;
    _mm_mask_storeu_epi8(places + window_at * output.channels() + tile.channel, tile.mask,
                         place_of(largest, at));
  }
}

// Of one register of channels: from sums to what is stored.
template <class A>
DIPTYCH_LANES void finish(const PackedConvolution& convolution, const typename A::Sum (&sums)[8][2],
                          int half, const Tile& tile, const Map& input, Map& output,
                          Measure& measure) {
  const __m512 scale = _mm512_loadu_ps(convolution.weights.scale.data() + tile.channel);
  const __m512 bias = _mm512_loadu_ps(convolution.weights.bias.data() + tile.channel);
  __m512 values[8];
#pragma GCC unroll 8
  for (int at = 0; at < 8; ++at) {
    const std::int64_t row = at / kColumns, column = at % kColumns;
    values[at] = A::value(sums[at][half], scale, bias);
    // In this order what is not a number stays so.
    if (convolution.rectifies) values[at] = lanes::larger(_mm512_setzero_ps(), values[at]);
    if (row >= tile.rows || column >= tile.columns) continue;
    const std::int64_t y = 2 * tile.pair + row, x = tile.x + column;
    if (convolution.adds_input) {
      values[at] +=
          A::load(input.at(y, x) + tile.channel * A::kBytes, tile.mask, convolution.input_scale);
    }
    if (convolution.measures) {
      measure.sum += values[at];
      measure.largest = lanes::larger(measure.largest, values[at]);
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
DIPTYCH_AVX512 void convolve_pair(const PackedConvolution& convolution, const Map& input,
                                  std::int64_t pair, int block, Map& output, Measured& measured) {
  const PackedWeights& weights = convolution.weights;
  const std::int64_t side = convolution.rows(input.side());
  const std::int64_t step = convolution.stride * input.pixel_bytes();
  const std::int64_t down = convolution.stride * input.row_bytes();
  Measure measure[2] = {};
  for (Measure& half : measure) half.places = measured.places;
  Tile tile;
  tile.pair = pair;
  tile.rows = std::min<std::int64_t>(2, side - 2 * pair);
  for (; tile.x < side; tile.x += kColumns) {
    tile.columns = std::min<std::int64_t>(kColumns, side - tile.x);
    const std::byte* first =
        input.at(2 * pair * convolution.stride - 1, tile.x * convolution.stride - 1);
    typename A::Sum sums[8][2] = {};
    for (int run = 0; run < 3; ++run, first += input.row_bytes()) {
      const std::byte* from[8];
      for (int at = 0; at < 8; ++at) from[at] = first + at / kColumns * down + at % kColumns * step;
      lanes::accumulate<A, 8>(sums, from, weights.block(block) + run * weights.steps * kBlock,
                              weights.steps);
    }
    for (int half = 0; half < 2; ++half) {
      tile.channel = block * kBlock + half * kLanes;
      tile.mask = lanes::first(weights.outputs - tile.channel);
      finish<A>(convolution, sums, half, tile, input, output, measure[half]);
    }
  }
  if (!convolution.measures) return;
  const std::int64_t at = pair * weights.blocks() * kBlock + block * kBlock;
  for (int half = 0; half < 2; ++half) {
    _mm512_storeu_ps(measured.sums.data() + at + half * kLanes, measure[half].sum);
    _mm512_storeu_ps(measured.largest.data() + at + half * kLanes, measure[half].largest);
  }
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

void convolve(const PackedConvolution& convolution, const Map& input, Pairs pairs, Map& output,
              Measured& measured) {
  switch (convolution.weights.arithmetic) {
    case Arithmetic::fp32:
      return convolve_pairs<lanes::Fp32>(convolution, input, pairs, output, measured);
    case Arithmetic::bf16:
      return convolve_pairs<lanes::Bf16>(convolution, input, pairs, output, measured);
    case Arithmetic::int8:
      return convolve_pairs<lanes::Int8>(convolution, input, pairs, output, measured);
  }
}
#else  // packs_here() is false
void convolve(const PackedConvolution&, const Map&, Pairs, Map&, Measured&) {}
#endif

}  // namespace diptych
