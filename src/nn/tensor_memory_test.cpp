#include "nn/tensor_memory.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <set>
#include <vector>

namespace diptych {
namespace {

TEST(TensorMemory, IsAlignedWhateverTheSize) {
  use_refillable_tensor_memory();
  for (const std::int64_t bytes : {1, 7, 64, 1000, 1 << 20, (1 << 24) + 1}) {
    const torch::Tensor tensor = torch::full({bytes}, 3, at::kByte);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data_ptr()) % 64, 0U) << bytes;
    EXPECT_EQ(tensor.sum().item<std::int64_t>(), 3 * bytes);
  }
  EXPECT_EQ(torch::empty({0}).numel(), 0);
}

TEST(TensorMemory, OfWhatWentIsTakenByTheNextOfItsSize) {
  use_refillable_tensor_memory();
  constexpr std::size_t kHoles = 20;
  constexpr int kBytes = 100'000;  // below what malloc() maps anew
  std::vector<torch::Tensor> tensors;
  for (std::size_t i = 0; i < 2 * kHoles; ++i) tensors.push_back(torch::empty({kBytes}, at::kByte));
  std::set<const void*> holes;
  for (std::size_t i = 0; i < 2 * kHoles; i += 2) {
    holes.insert(tensors[i].data_ptr());
    tensors[i].reset();
  }
  std::size_t refilled = 0;
  for (std::size_t i = 0; i < 2 * kHoles; i += 2) {
    tensors[i] = torch::empty({kBytes}, at::kByte);
    refilled += holes.count(tensors[i].data_ptr());
  }
  EXPECT_GT(refilled, kHoles / 2);
}

TEST(TensorMemory, ThatIsNotThereIsAnErrorOfTorch) {
  use_refillable_tensor_memory();
  EXPECT_THROW(torch::empty({1LL << 60}, at::kByte), c10::Error);
}

}  // namespace
}  // namespace diptych
