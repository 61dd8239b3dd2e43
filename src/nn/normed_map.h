// Batch normalisation with all that follows it on a map (ReLU, a residual sum, mean and
// maximum of each channel, 2×2 max-pooling), each number read as few times as can be: in
// training once for the moments, once for what comes out, twice for the gradients. On the
// processor, in fp32, bf16 or fp64.
#pragma once
#include <torch/torch.h>

#include "nn/batch_part.h"

namespace diptych {

struct Normalising {
  torch::Tensor weight, bias;                    // [C] fp32
  torch::Tensor running_mean, running_variance;  // [C] fp32, which move by the momentum
  double momentum = 0, epsilon = 0;
  BatchPart part;  // of the batch whose moments are taken
};

struct AfterNorm {
  bool rectifies = false;  // ReLU
  torch::Tensor added{};   // as the map, after the ReLU; undefined: nothing is
  bool measures = false;
  bool pools = false;  // after that
};

struct NormedMap {
  torch::Tensor map;       // [B,C,H,W], or H/2, W/2; channels last; undefined if all it is for is
                           // to be measured
  torch::Tensor measures;  // [B,2C] fp32: mean and maximum
};

// x: [B,C,H,W] (Ioffe and Szegedy, ICML 2015). Of equal numbers the first gets the gradient of a
// maximum. No number of threads changes a bit.
NormedMap normed_map(const torch::Tensor& x, const Normalising& how, const AfterNorm& after = {});

// The same by the moments that were remembered, which nothing learns from.
NormedMap normed_as_remembered(const torch::Tensor& x, const Normalising& how,
                               const AfterNorm& after = {});

// What follows, by the operators of torch, on any device.
NormedMap follow(const torch::Tensor& normed, const AfterNorm& after);

}  // namespace diptych
