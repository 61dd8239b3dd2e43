#include "nn/tensor_memory.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <torch/torch.h>

#include <vector>

#include "base/memory.h"

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
  keep_freed_memory();
  use_refillable_tensor_memory();
  constexpr std::size_t kHoles = 20;
  constexpr int kBytes = 1'000'000;
  std::vector<torch::Tensor> tensors;
  for (std::size_t i = 0; i < 2 * kHoles; ++i) tensors.push_back(torch::empty({kBytes}, at::kByte));
  for (std::size_t i = 0; i < 2 * kHoles; i += 2) tensors[i].reset();
  const std::size_t heap = ::mallinfo2().arena;
  for (std::size_t i = 0; i < 2 * kHoles; i += 2) tensors[i] = torch::empty({kBytes}, at::kByte);
  EXPECT_LT(::mallinfo2().arena, heap + kHoles / 4 * kBytes);
}

TEST(TensorMemory, ThatIsNotThereIsAnErrorOfTorch) {
  use_refillable_tensor_memory();
  EXPECT_THROW(torch::empty({1LL << 60}, at::kByte), c10::Error);
}

}  // namespace
}  // namespace diptych
