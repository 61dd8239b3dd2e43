#include "nn/packed_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "nn/packed_kernels.h"

namespace diptych {
namespace {

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

bool multiplies_bf16_here() {
#if defined(__x86_64__)
  static const bool multiplies =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
  return multiplies;
#else
  return false;
#endif
}

bool packs_here() {
#if defined(__x86_64__)
  static const bool packs = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return packs || multiplies_bf16_here();
#else
  return false;
#endif
}

namespace {
const PackedKernels* in_place_of_kernels = nullptr;
}  // namespace

InPlaceOfKernels::InPlaceOfKernels(const PackedKernels& kernels) { in_place_of_kernels = &kernels; }
InPlaceOfKernels::~InPlaceOfKernels() { in_place_of_kernels = nullptr; }

const PackedKernels& packed_kernels() {
  if (in_place_of_kernels) return *in_place_of_kernels;
#if defined(__x86_64__)
  static const PackedKernels kernels = multiplies_bf16_here() ? avx512_kernels() : avx2_kernels();
#else  // packs_here() is false
  static const PackedKernels kernels{.block = 1};
#endif
  return kernels;
}

void require_int8_here(const std::string& where) {
  if (packs_here()) return;
  throw Error(ErrorKind::usage, "this processor lacks what int8 takes: AVX2 with FMA", where,
              "ask for fp32 or bf16");
}

int numbers_in_group(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::fp32 ? 1 : arithmetic == Arithmetic::bf16 ? 2 : 4;
}

int bytes_of_number(Arithmetic arithmetic) { return 4 / numbers_in_group(arithmetic); }

PackedWeights unfilled_weights(std::span<const float> bias, const PackShape& shape,
                               Arithmetic arithmetic) {
  const int numbers = numbers_in_group(arithmetic);
  PackedWeights packed;
  packed.arithmetic = arithmetic;
  packed.outputs = shape.outputs;
  packed.width = packed_kernels().block;
  packed.runs = shape.runs;
  packed.steps = (shape.length + numbers - 1) / numbers;
  const auto lanes = static_cast<std::size_t>(packed.blocks() * packed.width);
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
  const auto numbers = static_cast<std::size_t>(numbers_in_group(packed.arithmetic));
  const auto width = static_cast<std::size_t>(packed.width);
  const auto count = static_cast<std::size_t>(packed.outputs_of(block));
  const std::size_t filter = filters.size() / count;
  const std::size_t length = filter / static_cast<std::size_t>(packed.runs);
  std::vector<float> steps(width, 1);
  for (std::size_t lane = 0; packed.arithmetic == Arithmetic::int8 && lane < count; ++lane) {
    steps[lane] = step_of(filters.subspan(lane * filter, filter));
    packed.scale[static_cast<std::size_t>(block) * width + lane] = steps[lane] * input_step;
  }
  std::uint32_t* to = packed.block(block);
  for (std::size_t run = 0; run < filter; run += length) {
    for (std::size_t begin = run; begin < run + length; begin += numbers, to += width) {
      const std::size_t end = std::min(begin + numbers, run + length);
      for (std::size_t lane = 0; lane < count; ++lane) {
        for (std::size_t i = begin; i < end; ++i) {
          to[lane] |= bits_of(filters[lane * filter + i] / steps[lane], packed.arithmetic)
                      << (32 / numbers * (i - begin));
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
               weights.subspan(static_cast<std::size_t>(block * packed.width) * filter,
                               static_cast<std::size_t>(packed.outputs_of(block)) * filter),
               input_step);
  }
  return packed;
}

void multiply(const PackedWeights& weights, const Rows& rows, Blocks blocks, float* outputs) {
  packed_kernels().multiply(weights, rows, blocks, outputs);
}

}  // namespace diptych
