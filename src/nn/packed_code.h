// The code of packed_kernels.h. packed_avx512.cpp and packed_avx2.cpp include it after the
// registers that they name:
//   DIPTYCH_REGISTERS  their namespace
//   DIPTYCH_KERNEL     before a function that uses them
//   DIPTYCH_LANES      before one that is part of another
#pragma once
#include "nn/packed_patches.h"
#include "nn/packed_pixels.h"
#include "nn/packed_tiles.h"
#include "nn/packed_windows.h"

namespace diptych::DIPTYCH_REGISTERS {
namespace {

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
    return convolve_windows(convolution, input, pairs, output, measured);
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
  return {kBlock,
          multiply,
          convolve,
          pack_filters_at_points,
          convolve_pictures,
          patches_at_points,
          add_filter_gradient,
          filters_from_points,
          convolve_pixels,
          pixel_gradients,
          lstm_step};
}

}  // namespace
}  // namespace diptych::DIPTYCH_REGISTERS
