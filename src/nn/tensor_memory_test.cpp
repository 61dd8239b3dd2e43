#include "nn/tensor_memory.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

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

TEST(TensorMemory, OfABlockThatWentIsTakenByTheNextOfItsSize) {
  use_refillable_tensor_memory();
  constexpr int kBytes = 100'000;  // below what malloc() maps anew
  torch::Tensor first = torch::empty({kBytes}, at::kByte);
  const torch::Tensor behind = torch::empty({kBytes}, at::kByte);  // else all is one hole
  const void* const place = first.data_ptr();
  first.reset();
  EXPECT_EQ(torch::empty({kBytes}, at::kByte).data_ptr(), place);
}

TEST(TensorMemory, ThatIsNotThereIsAnErrorOfTorch) {
  use_refillable_tensor_memory();
  EXPECT_THROW(torch::empty({1LL << 60}, at::kByte), c10::Error);
}

}  // namespace
}  // namespace diptych
