// The backward pass of nn/pooled_convolution.h: of the four pixels of a window one has a gradient
// at the most, so sums run over lists of those that there are.
#pragma once
#include <torch/torch.h>

#include <cstdint>

namespace diptych {

using Bits = std::uint16_t;  // of a bf16
constexpr int kRuns = 3;     // rows of a filter

inline const Bits* bits_of(const torch::Tensor& tensor) {
  return static_cast<const Bits*>(tensor.const_data_ptr());
}

struct PooledShape {
  std::int64_t batch;
  int side, channels, outputs;
  std::int64_t pixels() const { return static_cast<std::int64_t>(side) * side * channels; }
  std::int64_t windows() const {
    return static_cast<std::int64_t>(side / 2) * (side / 2) * outputs;
  }
};
PooledShape pooled_shape(const torch::Tensor& x, std::int64_t outputs);

// x: [B,C,H,W]; place, gradient: [B,O,H/2,W/2], place uint8, the others alike bf16 or fp32; all
// channels last, as pooled_convolution() has them.
struct PooledGradients {
  torch::Tensor weight, bias;  // [O,3,3,C], [O] fp32
};
PooledGradients pooled_weight_gradients(const torch::Tensor& x, const torch::Tensor& place,
                                        const torch::Tensor& gradient);

// Of x, which gives its shape alone. weight: [O,C,3,3] fp32.
torch::Tensor pooled_input_gradient(const torch::Tensor& x, const torch::Tensor& weight,
                                    const torch::Tensor& place, const torch::Tensor& gradient);

// The two in fp32.
PooledGradients pooled_weight_gradients_fp32(const torch::Tensor& x, const torch::Tensor& place,
                                             const torch::Tensor& gradient);
torch::Tensor pooled_input_gradient_fp32(const torch::Tensor& x, const torch::Tensor& weight,
                                         const torch::Tensor& place, const torch::Tensor& gradient);

}  // namespace diptych
