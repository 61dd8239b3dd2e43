// The first convolution of a plain encoder with its ReLU and max-pooling in one pass (3×3, same
// padding, stride 1; windows of 2×2), for processors that multiply bf16 (AVX512-BF16). Libraries
// make little of three input channels; and the map between convolution and pooling, the largest of
// a network, is never written.
#pragma once
#include <torch/torch.h>

namespace diptych {

// Whether first_block() may be called: on this processor, with such pixels and weights.
bool fits_first_block(const torch::Tensor& pixels, const torch::Tensor& weight);

// pixels: [B,3,H,W] bf16, channels last, finite, which get no gradient; weight: [O,3,3,3] fp32, O a
// multiple of 16; bias: [O] fp32. Gives [B,O,H/2,W/2] bf16, channels last, as the three operators
// would up to rounding; the gradients are summed in fp32 in an order that no number of threads
// changes.
torch::Tensor first_block(const torch::Tensor& pixels, const torch::Tensor& weight,
                          const torch::Tensor& bias);

}  // namespace diptych
