// The pass against the operators it stands for.
#include "nn/pooled_convolution.h"

#include <gtest/gtest.h>

#include "nn/made_up_threads.h"
#include "nn/packed_weights.h"
#include "nn/pooled_reference.h"

namespace diptych {
namespace {

struct Case : PooledCase {
  std::vector<torch::Tensor> inputs() const { return {x, weight, bias}; }
};

// In the precision of the parameter; its numbers are such as bf16 can hold.
class PooledConvolution : public testing::TestWithParam<at::ScalarType> {
 protected:
  void SetUp() override {
    if (is_bf16() && !multiplies_bf16_here()) GTEST_SKIP() << "needs AVX-512 with BF16 and VNNI";
    if (!packs_here()) GTEST_SKIP() << "needs AVX2 with FMA";
  }
  static bool is_bf16() { return GetParam() == at::kBFloat16; }
  static Case made_up_case(int batch, int channels, int side, int outputs) {
    Case made{made_up_pooled_case({batch, channels, side, side}, outputs, /*spread=*/12)};
    made.x = made.x.to(GetParam());
    made.x.set_requires_grad(true);
    return made;
  }
};

const std::vector<std::array<int, 4>> kShapes = {{1, 16, 2, 16},  {3, 16, 6, 48},   {2, 48, 10, 16},
                                                 {3, 32, 64, 64}, {2, 64, 32, 128}, {2, 32, 8, 80}};

TEST_P(PooledConvolution, IsConvolutionReluAndPoolingUpToRounding) {
  for (const auto& [batch, channels, side, outputs] : kShapes) {
    SCOPED_TRACE(testing::Message() << channels << " channels, side " << side << ", " << outputs);
    const Case given = made_up_case(batch, channels, side, outputs);
    const torch::Tensor fast = pooled_convolution(given.x, given.weight, given.bias);
    EXPECT_EQ(fast.scalar_type(), GetParam());
    EXPECT_TRUE(fast.is_contiguous(at::MemoryFormat::ChannelsLast));
    const torch::Tensor wanted = defined(given);
    ASSERT_EQ(fast.sizes(), wanted.sizes());
    const double furthest =
        ((fast.to(at::kDouble) - wanted).abs() / (wanted.abs() + 0.01)).max().item<double>();
    EXPECT_LT(furthest, is_bf16() ? 1.0 / 128 : 2e-4);
  }
}

TEST_P(PooledConvolution, HasTheGradientsOfTheThreeOperators) {
  for (const auto& [batch, channels, side, outputs] : kShapes) {
    SCOPED_TRACE(testing::Message() << channels << " channels, side " << side << ", " << outputs);
    const Case given = made_up_case(batch, channels, side, outputs);
    const torch::Tensor fast = pooled_convolution(given.x, given.weight, given.bias);
    const torch::Tensor slope = torch::randn(fast.sizes()).to(at::kBFloat16).to(GetParam());
    const auto gradients = torch::autograd::grad({fast}, given.inputs(), {slope});
    const auto wanted =
        torch::autograd::grad({defined(given)}, given.inputs(), {slope.to(at::kDouble)});
    EXPECT_LT(distance(gradients[0], wanted[0]), is_bf16() ? 0.005 : 1e-5);
    EXPECT_LT(distance(gradients[1], wanted[1]), 1e-5);
    EXPECT_LT(distance(gradients[2], wanted[2]), 1e-5);
  }
}

// The first of a network: pixels, which get no gradient.
TEST_P(PooledConvolution, TakesAnyChannelsThatGetNoGradientInFp32) {
  if (is_bf16()) GTEST_SKIP() << "there nn/first_block takes pixels";
  for (const auto& [batch, channels, side, outputs] :
       std::vector<std::array<int, 4>>{{2, 3, 12, 32}, {1, 1, 4, 16}, {2, 21, 6, 16}}) {
    SCOPED_TRACE(channels);
    Case given = made_up_case(batch, channels, side, outputs);
    EXPECT_FALSE(fits_pooled_convolution(given.x, given.weight));
    given.x = given.x.detach();
    ASSERT_TRUE(fits_pooled_convolution(given.x, given.weight));
    const torch::Tensor fast = pooled_convolution(given.x, given.weight, given.bias);
    EXPECT_LT(distance(fast.detach(), defined(given).detach()), 1e-6);
    const torch::Tensor slope = torch::randn(fast.sizes());
    const auto gradients = torch::autograd::grad({fast}, {given.weight, given.bias}, {slope});
    const auto wanted = torch::autograd::grad({defined(given)}, {given.weight, given.bias},
                                              {slope.to(at::kDouble)});
    EXPECT_LT(distance(gradients[0], wanted[0]), 1e-5);
    EXPECT_LT(distance(gradients[1], wanted[1]), 1e-5);
  }
}

TEST_P(PooledConvolution, GivesNothingBelowZeroAnyGradient) {
  const Case given = made_up_case(2, 16, 8, 16);
  const torch::Tensor low = torch::full({16}, -1000.0).set_requires_grad(true);
  const torch::Tensor fast = pooled_convolution(given.x, given.weight, low);
  EXPECT_EQ(fast.abs().sum().item<double>(), 0);
  fast.sum().backward();
  for (const torch::Tensor& input : {given.x, given.weight, low}) {
    EXPECT_EQ(input.grad().abs().sum().item<double>(), 0);
  }
}

TEST_P(PooledConvolution, LetsWhatIsNotANumberBeSeen) {
  const Case given = made_up_case(1, 16, 4, 16);
  const torch::Tensor bias = torch::full({16}, std::nan(""));
  EXPECT_TRUE(pooled_convolution(given.x, given.weight, bias).isnan().all().item<bool>());
}

TEST_P(PooledConvolution, DoesNotDependOnTheNumberOfThreads) {
  const Case given = made_up_case(7, 32, 16, 64);
  expect_the_same_on_any_threads([&] {
    const torch::Tensor fast = pooled_convolution(given.x, given.weight, given.bias);
    auto all = torch::autograd::grad({fast}, given.inputs(), {torch::ones_like(fast)});
    all.push_back(fast);
    return all;
  });
}

TEST_P(PooledConvolution, RefusesWhatItCannotTake) {
  const Case given = made_up_case(1, 16, 4, 16);
  EXPECT_TRUE(fits_pooled_convolution(given.x, given.weight));
  EXPECT_FALSE(fits_pooled_convolution(given.x.to(at::kHalf), given.weight));
  EXPECT_FALSE(fits_pooled_convolution(given.x.contiguous(), given.weight));
  EXPECT_FALSE(fits_pooled_convolution(made_up_case(1, 16, 5, 16).x, given.weight));
  EXPECT_FALSE(fits_pooled_convolution(made_up_case(1, 24, 4, 16).x, given.weight));
  EXPECT_FALSE(fits_pooled_convolution(given.x, made_up_case(1, 16, 4, 24).weight));
}

INSTANTIATE_TEST_SUITE_P(, PooledConvolution, testing::Values(at::kBFloat16, at::kFloat),
                         [](const auto& precision) {
                           return precision.param == at::kFloat ? "Fp32" : "Bf16";
                         });

}  // namespace
}  // namespace diptych
