// Winograd's filtering against the operator.
#include "nn/patch_convolution.h"

#include <gtest/gtest.h>

#include "nn/made_up_threads.h"
#include "nn/pooled_reference.h"

namespace diptych {
namespace {

class PatchConvolution : public testing::Test {
 protected:
  void SetUp() override {
    if (!packs_here()) GTEST_SKIP() << "needs AVX2 with FMA";
  }
};

struct Case {
  torch::Tensor x, weight;
  std::vector<torch::Tensor> inputs() const { return {x, weight}; }
};

Case made_up_case(int batch, int channels, int side, int outputs) {
  torch::manual_seed(batch + channels + side + outputs);
  Case made{torch::randn({batch, channels, side, side}).contiguous(at::MemoryFormat::ChannelsLast),
            torch::randn({outputs, channels, 3, 3})};
  made.x.set_requires_grad(true);
  made.weight.set_requires_grad(true);
  return made;
}

TEST_F(PatchConvolution, IsTheOperatorAndHasItsGradients) {
  for (const auto& [batch, channels, side, outputs] : std::vector<std::array<int, 4>>{
           {1, 16, 1, 32}, {3, 16, 2, 96}, {2, 48, 5, 32}, {9, 32, 20, 64}, {17, 64, 7, 128}}) {
    SCOPED_TRACE(testing::Message() << channels << " channels, side " << side << ", " << outputs);
    const Case given = made_up_case(batch, channels, side, outputs);
    ASSERT_TRUE(fits_patch_convolution(given.x, given.weight));
    const torch::Tensor fast = patch_convolution(given.x, given.weight);
    EXPECT_TRUE(fast.is_contiguous(at::MemoryFormat::ChannelsLast));
    const torch::Tensor wanted =
        torch::conv2d(given.x.to(at::kDouble), given.weight.to(at::kDouble), {}, 1, 1);
    EXPECT_LT(distance(fast, wanted), 1e-5);
    const torch::Tensor slope = torch::randn(fast.sizes());
    const auto gradients = torch::autograd::grad({fast}, given.inputs(), {slope});
    const auto expected = torch::autograd::grad({wanted}, given.inputs(), {slope.to(at::kDouble)});
    EXPECT_LT(distance(gradients[0], expected[0]), 1e-5);
    EXPECT_LT(distance(gradients[1], expected[1]), 1e-5);
  }
}

// All arithmetic is of fp32: what differs is what is stored.
TEST_F(PatchConvolution, OfBf16IsThatOfFp32Rounded) {
  const Case wide = made_up_case(5, 32, 11, 64);
  const Case given{wide.x.detach().to(at::kBFloat16).requires_grad_(), wide.weight};
  const Case same{given.x.detach().to(at::kFloat).requires_grad_(), wide.weight};
  ASSERT_TRUE(fits_patch_convolution(given.x, given.weight));
  const torch::Tensor fast = patch_convolution(given.x, given.weight);
  const torch::Tensor wanted = patch_convolution(same.x, same.weight);
  EXPECT_TRUE(torch::equal(fast, wanted.to(at::kBFloat16)));
  const torch::Tensor slope = torch::randn(fast.sizes()).to(at::kBFloat16);
  const auto gradients = torch::autograd::grad({fast}, given.inputs(), {slope});
  const auto expected = torch::autograd::grad({wanted}, same.inputs(), {slope.to(at::kFloat)});
  EXPECT_TRUE(torch::equal(gradients[0], expected[0].to(at::kBFloat16)));
  EXPECT_TRUE(torch::equal(gradients[1], expected[1]));
}

TEST_F(PatchConvolution, DoesNotDependOnTheNumberOfThreads) {
  const Case given = made_up_case(19, 32, 6, 96);
  expect_the_same_on_any_threads([&] {
    const torch::Tensor fast = patch_convolution(given.x, given.weight);
    auto all = torch::autograd::grad({fast}, given.inputs(), {torch::cos(fast.detach())});
    all.push_back(fast);
    return all;
  });
}

// Weights that are packed at every step and those of a model that is loaded are the same.
TEST_F(PatchConvolution, PacksAsAnswersDo) {
  const torch::Tensor weight = torch::randn({40, 21, 3, 3}), bias = torch::randn({40});
  const torch::Tensor last = weight.permute({0, 2, 3, 1}).contiguous();
  PackedConvolution answering;
  pack_filters(answering, {span_of(last), span_of(bias), 40, 21}, Arithmetic::fp32);
  const PackedWeights training = pack_at_points(filters_of(weight), span_of(bias));
  EXPECT_EQ(training.bias, answering.weights.bias);
  EXPECT_EQ(training.groups, answering.weights.groups);
}

TEST_F(PatchConvolution, RefusesWhatItCannotTake) {
  const Case given = made_up_case(1, 16, 4, 32);
  EXPECT_TRUE(fits_patch_convolution(given.x, given.weight));
  EXPECT_FALSE(fits_patch_convolution(given.x.to(at::kDouble), given.weight));
  EXPECT_FALSE(fits_patch_convolution(given.x.contiguous(), given.weight));
  EXPECT_FALSE(fits_patch_convolution(given.x.slice(2, 0, 3), given.weight));
  EXPECT_FALSE(fits_patch_convolution(made_up_case(1, 24, 4, 32).x, given.weight));
  EXPECT_FALSE(fits_patch_convolution(given.x, made_up_case(1, 16, 4, 48).weight));
}

}  // namespace
}  // namespace diptych
