// Pixels as a network sees them, and the first convolution of a residual encoder (3×3, same
// padding, stride 2) of their bytes, for training where packs_here(): nn/packed_pixels.h.
#pragma once
#include <torch/torch.h>

#include "nn/packed_convolution.h"

namespace diptych {

// Pictures as they come, and what their values are brought to mean 0 and deviation 1 with.
struct Pixels {
  torch::Tensor bytes;            // [B,3,H,W] uint8, channels last
  torch::Tensor mean, deviation;  // [3] fp32, on the scale 0..1
};

// [B,3,H,W] fp32 or bf16, channels last.
torch::Tensor standardised(const Pixels& pixels, at::ScalarType precision);

bool fits_pixel_convolution(const Pixels& pixels, const torch::Tensor& weight);

// pixels: on the host, H = W; weight: [O,3,3,3] fp32, O a multiple of 16. Gives [B,O,⌈H/2⌉,⌈W/2⌉]
// in the precision, fp32 or bf16, channels last, up to rounding; only the weight has a gradient, of
// which no number of threads changes a bit.
torch::Tensor pixel_convolution(const Pixels& pixels, const torch::Tensor& weight,
                                at::ScalarType precision);

}  // namespace diptych
