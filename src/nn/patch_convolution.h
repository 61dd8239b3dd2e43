// A convolution (3×3, same padding, stride 1) for training where packs_here(), forward and backward
// by Winograd's filtering (nn/packed_patches.h): 49 products where a patch of 25 outputs has 225.
// Maps are fp32 or bf16, all arithmetic fp32.
#pragma once
#include <torch/torch.h>

#include "nn/packed_convolution.h"
#include "nn/patch_points.h"

namespace diptych {

bool fits_patch_convolution(std::int64_t channels, std::int64_t outputs);
bool fits_patch_convolution(const torch::Tensor& x, const torch::Tensor& weight);

// x: [B,C,H,W], channels last, H = W, fp32 or bf16; weight: [O,C,3,3] fp32; C a multiple of 16, O
// one of 32. Gives [B,O,H,W] like x, channels last, up to rounding; no number of threads changes a
// bit of it or of its gradients.
torch::Tensor patch_convolution(const torch::Tensor& x, const torch::Tensor& weight);

// Of a map of fp32 or bf16.
inline Arithmetic arithmetic_of(const torch::Tensor& x) {
  return x.scalar_type() == at::kFloat ? Arithmetic::fp32 : Arithmetic::bf16;
}

// What kernels read or write of [B,C,H,W], fp32 or bf16, channels last, H = W.
template <typename Byte>
PicturesOf<Byte> pictures_of(const torch::Tensor& x) {
  return {static_cast<Byte*>(x.data_ptr()), x.size(0), x.size(2), x.size(1), arithmetic_of(x)};
}
// Those from `begin` on.
template <typename Byte>
PicturesOf<Byte> part_of(PicturesOf<Byte> all, std::int64_t begin, std::int64_t end) {
  all.numbers += begin * all.picture_bytes();
  all.count = end - begin;
  return all;
}

// [O,C,3,3] of fp32, which must outlive it.
FilterView filters_of(const torch::Tensor& weight);

// The numbers of a contiguous tensor of fp32.
std::span<const float> span_of(const torch::Tensor& tensor);

// Pictures and maps: the pixels of one, [side,side,C], read into the map or written from it.
void read_pixels(const std::byte* from, Map& map);
void write_pixels(const Map& map, std::byte* to);

}  // namespace diptych
