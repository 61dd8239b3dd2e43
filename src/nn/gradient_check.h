// Gradients against central finite differences, for the tests of this layer and of training.
#pragma once
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <functional>
#include <vector>

namespace diptych {

// Any tensor as a scalar to which every element counts differently.
inline torch::Tensor weighed(const torch::Tensor& x) {
  const torch::Tensor weights = torch::cos(torch::arange(x.numel(), x.options()) * 1.7 + 0.3);
  return (x.flatten() * weights).sum();
}

// Made-up numbers of both signs, in double, with gradients: the same for the same shape.
inline torch::Tensor made_up_tensor(at::IntArrayRef shape, double phase = 0) {
  const auto numbers =
      torch::arange(torch::empty(shape, at::kMeta).numel(), torch::TensorOptions(at::kDouble));
  return torch::sin(numbers * 2.3 + phase).view(shape).clone().set_requires_grad(true);
}

// loss: of the inputs (leaves, double), a scalar, each time the same.
inline void expect_gradients(const std::function<torch::Tensor()>& loss,
                             const std::vector<torch::Tensor>& inputs) {
  constexpr double kStep = 1e-5, kTolerance = 1e-6;
  for (torch::Tensor input : inputs) input.mutable_grad() = torch::Tensor();
  loss().backward();
  const torch::NoGradGuard no_grad;
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    ASSERT_TRUE(inputs[index].grad().defined()) << "input " << index << " has no gradient";
    const torch::Tensor values = inputs[index].detach().flatten();
    ASSERT_EQ(values.data_ptr(), inputs[index].data_ptr()) << "must be contiguous";
    const torch::Tensor gradients = inputs[index].grad().flatten();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      auto& value = values.data_ptr<double>()[i];
      const double before = value;
      value = before + kStep;
      const double above = loss().item<double>();
      value = before - kStep;
      const double below = loss().item<double>();
      value = before;
      const double expected = (above - below) / (2 * kStep);
      const double gradient = gradients[i].item<double>();
      ASSERT_NEAR(gradient, expected, kTolerance * (1 + std::abs(expected)))
          << "input " << index << ", element " << i;
    }
  }
}

}  // namespace diptych
