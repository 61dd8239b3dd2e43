// The fast pass against the operators it stands for.
#include "nn/first_block.h"

#include <gtest/gtest.h>

#include "nn/gradient_check.h"
#include "nn/made_up_threads.h"
#include "nn/pooled_reference.h"

namespace diptych {
namespace {

PooledCase made_up_case(int batch, int height, int width, int outputs) {
  return made_up_pooled_case({batch, 3, height, width}, outputs, /*spread=*/5);
}

class FirstBlock : public testing::Test {
 protected:
  void SetUp() override {
    const PooledCase any = made_up_case(1, 4, 4, 16);
    if (!fits_first_block(any.x, any.weight)) GTEST_SKIP() << "needs AVX512-BF16";
  }
};

TEST_F(FirstBlock, IsConvolutionReluAndPoolingUpToTheRoundingOfBf16) {
  for (const auto& [height, width] : {std::pair{2, 2}, {8, 6}, {16, 34}, {128, 128}}) {
    for (int outputs : {16, 32, 48}) {
      SCOPED_TRACE(testing::Message() << height << 'x' << width << ' ' << outputs);
      const PooledCase given = made_up_case(3, height, width, outputs);
      const torch::Tensor fast = first_block(given.x, given.weight, given.bias);
      EXPECT_EQ(fast.scalar_type(), at::kBFloat16);
      EXPECT_TRUE(fast.is_contiguous(at::MemoryFormat::ChannelsLast));
      const torch::Tensor wanted = defined(given);
      ASSERT_EQ(fast.sizes(), wanted.sizes());
      const double furthest =
          ((fast.to(at::kDouble) - wanted).abs() / (wanted.abs() + 0.01)).max().item<double>();
      EXPECT_LT(furthest, 1.0 / 128);
    }
  }
}

TEST_F(FirstBlock, HasTheGradientsOfTheThreeOperators) {
  for (const auto& [height, width] : {std::pair{2, 2}, {8, 6}, {64, 64}}) {
    const PooledCase given = made_up_case(4, height, width, 32);
    const torch::Tensor fast = first_block(given.x, given.weight, given.bias);
    const torch::Tensor slope = torch::randn(fast.sizes()).to(at::kBFloat16);
    const auto gradients = torch::autograd::grad({fast}, {given.weight, given.bias}, {slope});
    const auto wanted = torch::autograd::grad({defined(given)}, {given.weight, given.bias},
                                              {slope.to(at::kDouble)});
    // Where two pixels of a window are equal in bf16, another one of them may get the gradient.
    constexpr double kFewTies = 0.05;
    EXPECT_LT(distance(gradients[0], wanted[0]), kFewTies);
    EXPECT_LT(distance(gradients[1], wanted[1]), kFewTies);
  }
}

TEST_F(FirstBlock, GivesNothingBelowZeroAnyGradient) {
  PooledCase given = made_up_case(2, 8, 8, 16);
  const torch::Tensor low = torch::full({16}, -1000.0).set_requires_grad(true);
  const torch::Tensor fast = first_block(given.x, given.weight, low);
  EXPECT_EQ(fast.abs().sum().item<double>(), 0);
  fast.sum().backward();
  EXPECT_EQ(given.weight.grad().abs().sum().item<double>(), 0);
  EXPECT_EQ(low.grad().abs().sum().item<double>(), 0);
}

TEST_F(FirstBlock, DoesNotDependOnTheNumberOfThreads) {
  const PooledCase given = made_up_case(7, 32, 32, 32);
  expect_the_same_on_any_threads([&] {
    const torch::Tensor fast = first_block(given.x, given.weight, given.bias);
    auto gradients =
        torch::autograd::grad({fast}, {given.weight, given.bias}, {torch::ones_like(fast)});
    gradients.push_back(fast);
    return gradients;
  });
}

TEST(FitsFirstBlock, RefusesWhatTheFastPassCannotTake) {
  const PooledCase given = made_up_case(1, 4, 4, 16);
  const auto fits = [](const torch::Tensor& pixels, const torch::Tensor& weight) {
    return fits_first_block(pixels, weight);
  };
  EXPECT_FALSE(fits(given.x.to(at::kFloat), given.weight));
  EXPECT_FALSE(fits(made_up_case(1, 5, 4, 16).x, given.weight));
  EXPECT_FALSE(fits(made_up_case(1, 4, 5, 16).x, given.weight));
  EXPECT_FALSE(fits(given.x, made_up_case(1, 4, 4, 24).weight));
  EXPECT_FALSE(fits(given.x.contiguous(), given.weight));
}

}  // namespace
}  // namespace diptych
