#include "nn/packed_weights.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "nn/lanes.h"

namespace diptych {
namespace {

constexpr int kBlockOutputs = 32;

// The upper half of a float's bits, rounded to the nearest, ties to even.
std::uint32_t bf16_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

std::uint32_t bits_of(float value, Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::fp32:
      return std::bit_cast<std::uint32_t>(value);
    case Arithmetic::bf16:
      return bf16_bits(value);
    case Arithmetic::int8:
      return static_cast<std::uint8_t>(static_cast<std::int8_t>(std::lround(value)));
  }
  return 0;
}

}  // namespace

bool packs_here() {
#if defined(__x86_64__)
  static const bool packs =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
  return packs;
#else
  return false;
#endif
}

void require_int8_here(const std::string& where) {
  if (packs_here()) return;
  throw Error(ErrorKind::usage, "this processor lacks what int8 takes: AVX-512 with BF16 and VNNI",
              where, "ask for fp32 or bf16");
}

int numbers_in_group(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::fp32 ? 1 : arithmetic == Arithmetic::bf16 ? 2 : 4;
}

int bytes_of_number(Arithmetic arithmetic) { return 4 / numbers_in_group(arithmetic); }

PackedWeights unfilled_weights(std::span<const float> bias, const PackShape& shape,
                               Arithmetic arithmetic) {
  const int width = numbers_in_group(arithmetic);
  PackedWeights packed;
  packed.arithmetic = arithmetic;
  packed.outputs = shape.outputs;
  packed.runs = shape.runs;
  packed.steps = (shape.length + width - 1) / width;
  const auto lanes = static_cast<std::size_t>(packed.blocks() * kBlockOutputs);
  packed.groups.resize(lanes * static_cast<std::size_t>(shape.runs * packed.steps));
  packed.scale.assign(lanes, 1);
  packed.bias.assign(lanes, 0);
  std::copy(bias.begin(), bias.end(), packed.bias.begin());
  return packed;
}

namespace {

// What a step of an 8-bit weight stands for.
float step_of(std::span<const float> filter) {
  constexpr float kLargest = 127;
  float largest = 0;
  for (const float weight : filter) largest = std::max(largest, std::abs(weight));
  return largest > 0 ? largest / kLargest : 1;
}

}  // namespace

void fill_block(PackedWeights& packed, int block, std::span<const float> filters,
                float input_step) {
  const auto width = static_cast<std::size_t>(numbers_in_group(packed.arithmetic));
  const auto count = static_cast<std::size_t>(packed.outputs_of(block));
  const std::size_t filter = filters.size() / count;
  const std::size_t length = filter / static_cast<std::size_t>(packed.runs);
  std::array<float, kBlockOutputs> steps;
  steps.fill(1);
  for (std::size_t lane = 0; packed.arithmetic == Arithmetic::int8 && lane < count; ++lane) {
    steps[lane] = step_of(filters.subspan(lane * filter, filter));
    packed.scale[static_cast<std::size_t>(block) * kBlockOutputs + lane] = steps[lane] * input_step;
  }
  std::uint32_t* to = packed.block(block);
  for (std::size_t run = 0; run < filter; run += length) {
    for (std::size_t begin = run; begin < run + length; begin += width, to += kBlockOutputs) {
      const std::size_t end = std::min(begin + width, run + length);
      for (std::size_t lane = 0; lane < count; ++lane) {
        for (std::size_t i = begin; i < end; ++i) {
          to[lane] |= bits_of(filters[lane * filter + i] / steps[lane], packed.arithmetic)
                      << (32 / width * (i - begin));
        }
      }
    }
  }
}

PackedWeights pack_weights(std::span<const float> weights, std::span<const float> bias,
                           const PackShape& shape, Arithmetic arithmetic, float input_step) {
  PackedWeights packed = unfilled_weights(bias, shape, arithmetic);
  const std::size_t filter = weights.size() / static_cast<std::size_t>(shape.outputs);
  for (int block = 0; block < packed.blocks(); ++block) {
    fill_block(packed, block,
               weights.subspan(static_cast<std::size_t>(block) * kBlockOutputs * filter,
                               static_cast<std::size_t>(packed.outputs_of(block)) * filter),
               input_step);
  }
  return packed;
}

#if defined(__x86_64__)
namespace {

using lanes::kBlock;
using lanes::kLanes;
using lanes::kTile;

// As many groups as keep a block's weights in the second cache while all rows pass by.
constexpr std::int64_t kChunk = 2048;

struct Place {
  int block = 0, row = 0;
  std::int64_t begin = 0, end = 0;  // groups
};

// The sums of a chunk that is not the last lie, as they are, where the outputs will.
template <class A, int Count>
DIPTYCH_AVX512 void multiply_tile(const PackedWeights& weights, const Rows& rows,
                                  const Place& place, float* outputs) {
  const std::int64_t width = weights.blocks() * kBlock;
  float* to = outputs + place.row * width + place.block * kBlock;
  typename A::Sum sums[Count][2] = {};
  const std::byte* from[Count];
  for (int row = 0; row < Count; ++row) {
    from[row] = static_cast<const std::byte*>(rows.groups) +
                4 * ((place.row + row) * rows.stride + place.begin);
    if (place.begin > 0) std::memcpy(sums[row], to + row * width, sizeof sums[row]);
  }
  lanes::accumulate<A, Count>(sums, from, weights.block(place.block) + place.begin * kBlock,
                              place.end - place.begin);
  for (int row = 0; row < Count; ++row, to += width) {
    if (place.end < weights.steps) {
      std::memcpy(to, sums[row], sizeof sums[row]);
      continue;
    }
    for (int half = 0; half < 2; ++half) {
      const std::int64_t output = place.block * kBlock + half * kLanes;
      _mm512_storeu_ps(to + half * kLanes,
                       A::value(sums[row][half], _mm512_loadu_ps(weights.scale.data() + output),
                                _mm512_loadu_ps(weights.bias.data() + output)));
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

}  // namespace

void multiply(const PackedWeights& weights, const Rows& rows, Blocks blocks, float* outputs) {
  switch (weights.arithmetic) {
    case Arithmetic::fp32:
      return multiply_rows<lanes::Fp32>(weights, rows, blocks, outputs);
    case Arithmetic::bf16:
      return multiply_rows<lanes::Bf16>(weights, rows, blocks, outputs);
    case Arithmetic::int8:
      return multiply_rows<lanes::Int8>(weights, rows, blocks, outputs);
  }
}
#else  // packs_here() is false
void multiply(const PackedWeights&, const Rows&, Blocks, float*) {}
#endif

}  // namespace diptych
