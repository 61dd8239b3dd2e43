// For tests: one answer whatever the number of threads.
#pragma once
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <vector>

namespace diptych {

// answer(): the tensors that one thread and three must agree on, to the bit.
template <typename Answer>
void expect_the_same_on_any_threads(const Answer& answer) {
  const int before = at::get_num_threads();
  const auto on = [&](int threads) -> std::vector<torch::Tensor> {
    at::set_num_threads(threads);
    return answer();
  };
  const std::vector<torch::Tensor> one = on(1), three = on(3);
  at::set_num_threads(before);
  ASSERT_EQ(one.size(), three.size());
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(torch::equal(one[i], three[i])) << i;
}

}  // namespace diptych
