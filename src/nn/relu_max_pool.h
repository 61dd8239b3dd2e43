// ReLU and 2×2 max-pooling in one pass over memory, forward and backward. On another device than
// the processor: torch's own two operators.
#pragma once
#include <torch/torch.h>

namespace diptych {

// max_pool2d(relu(x), 2): [B,C,H,W] → [B,C,H/2,W/2], channels last, in x's precision (bf16, fp32,
// fp64). Instead of two maps as large as x, the backward pass keeps one byte for each output. Not a
// number wherever its window has one.
torch::Tensor relu_max_pool(const torch::Tensor& x);

}  // namespace diptych
