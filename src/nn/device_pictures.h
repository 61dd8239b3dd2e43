// In torch's operators, so that it runs where the pictures lie: what src/image/ does to them pixel
// by pixel in host memory. pixels: [B,3,H,W] uint8, H = W.
#pragma once
#include <torch/torch.h>

#include <span>

#include "image/augment.h"

namespace diptych {

// augment() of each picture, of the same shape: the same bytes but for rounding, which may move a
// changed colour by 1.
torch::Tensor augmented(const torch::Tensor& pixels, std::span<const Augmentation> drawn);

// colour_histogram() and gradient_histogram() of each picture, [B,D] fp32, up to rounding.
torch::Tensor colour_histograms(const torch::Tensor& pixels, int bins);
torch::Tensor gradient_histograms(const torch::Tensor& pixels, int cells);

}  // namespace diptych
