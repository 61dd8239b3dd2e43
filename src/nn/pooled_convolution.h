// A convolution (3×3, same padding, stride 1) with its bias, ReLU and 2×2 max-pooling in one pass,
// for training in fp32 where packs_here(), and in bf16 where the processor multiplies it. Of the
// four pixels of a window one has a gradient, and none where nothing is above zero: the gradient of
// the weights is summed over these alone, a quarter of the products or less.
#pragma once
#include <torch/torch.h>

namespace diptych {

bool fits_pooled_convolution(const torch::Tensor& x, const torch::Tensor& weight);

// x: [B,C,H,W] bf16 or fp32, channels last, H = W even, C a multiple of 16 (fp32 that gets no
// gradient: any); weight: [O,C,3,3] fp32, O a multiple of 16; bias: [O] fp32. Gives [B,O,H/2,W/2]
// like x, channels last, as the three operators would up to rounding; gradients do not depend on
// the number of threads.
torch::Tensor pooled_convolution(const torch::Tensor& x, const torch::Tensor& weight,
                                 const torch::Tensor& bias);

}  // namespace diptych
