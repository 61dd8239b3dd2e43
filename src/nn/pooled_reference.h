// What a convolution with ReLU and 2×2 max-pooling is defined to be, for the tests of passes that
// compute the three at once.
#pragma once
#include "nn/relu_max_pool.h"

namespace diptych {

struct PooledCase {
  torch::Tensor x, weight, bias;
};

// x: of that shape in bf16, channels last; weights that bf16 can hold, of about 1/spread.
inline PooledCase made_up_pooled_case(at::IntArrayRef shape, int outputs, double spread) {
  torch::manual_seed(shape[0] + shape[1] + shape[2] + outputs);
  PooledCase made;
  made.x = torch::randn(shape).to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  made.weight = (torch::randn({outputs, shape[1], 3, 3}) / spread).to(at::kBFloat16).to(at::kFloat);
  made.bias = torch::randn({outputs}) / 5;
  made.weight.set_requires_grad(true);
  made.bias.set_requires_grad(true);
  return made;
}

// In double precision throughout.
inline torch::Tensor defined(const PooledCase& given) {
  return relu_max_pool(torch::conv2d(given.x.to(at::kDouble), given.weight.to(at::kDouble),
                                     given.bias.to(at::kDouble), 1, 1));
}

inline double distance(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a.to(at::kDouble) - b.to(at::kDouble)).norm() / b.to(at::kDouble).norm()).item<double>();
}

}  // namespace diptych
