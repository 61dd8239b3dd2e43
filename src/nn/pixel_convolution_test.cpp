#include "nn/pixel_convolution.h"

#include <gtest/gtest.h>

#include "nn/made_up_threads.h"
#include "nn/pooled_reference.h"

namespace diptych {
namespace {

class PixelConvolution : public testing::Test {
 protected:
  void SetUp() override {
    if (!packs_here()) GTEST_SKIP() << "needs AVX2 with FMA";
  }
};

Pixels made_up_pixels(int batch, int side) {
  torch::manual_seed(batch + side);
  return {torch::randint(256, {batch, 3, side, side}, at::kByte)
              .contiguous(at::MemoryFormat::ChannelsLast),
          torch::tensor({0.4F, 0.5F, 0.6F}), torch::tensor({0.2F, 0.25F, 0.3F})};
}

torch::Tensor made_up_weight(int outputs) { return torch::randn({outputs, 3, 3, 3}); }

TEST_F(PixelConvolution, IsTheOperatorOfStandardisedPixelsAndHasItsGradient) {
  for (const auto& [batch, side, outputs] : std::vector<std::array<int, 3>>{
           {1, 1, 16}, {2, 2, 32}, {3, 7, 48}, {5, 33, 16}, {2, 80, 16}, {1, 65, 64}}) {
    SCOPED_TRACE(testing::Message() << "side " << side << ", " << outputs << " outputs");
    const Pixels pixels = made_up_pixels(batch, side);
    const torch::Tensor weight = made_up_weight(outputs).requires_grad_();
    ASSERT_TRUE(fits_pixel_convolution(pixels, weight));
    const torch::Tensor fast = pixel_convolution(pixels, weight, at::kFloat);
    EXPECT_TRUE(fast.is_contiguous(at::MemoryFormat::ChannelsLast));
    const torch::Tensor wanted = torch::conv2d(standardised(pixels, at::kFloat).to(at::kDouble),
                                               weight.to(at::kDouble), {}, /*stride=*/2, 1);
    EXPECT_LT(distance(fast, wanted), 1e-6);
    const torch::Tensor slope = torch::randn(fast.sizes());
    const auto gradient = torch::autograd::grad({fast}, {weight}, {slope});
    const auto expected = torch::autograd::grad({wanted}, {weight}, {slope.to(at::kDouble)});
    EXPECT_LT(distance(gradient[0], expected[0]), 1e-6);
  }
}

TEST_F(PixelConvolution, InBf16IsThatInFp32Rounded) {
  const Pixels pixels = made_up_pixels(3, 21);
  const torch::Tensor weight = made_up_weight(48).requires_grad_();
  const torch::Tensor fast = pixel_convolution(pixels, weight, at::kBFloat16);
  const torch::Tensor wanted = pixel_convolution(pixels, weight, at::kFloat);
  EXPECT_TRUE(torch::equal(fast, wanted.to(at::kBFloat16)));
  const torch::Tensor slope = torch::randn(fast.sizes()).to(at::kBFloat16);
  EXPECT_TRUE(torch::equal(torch::autograd::grad({fast}, {weight}, {slope})[0],
                           torch::autograd::grad({wanted}, {weight}, {slope.to(at::kFloat)})[0]));
}

TEST_F(PixelConvolution, DoesNotDependOnTheNumberOfThreads) {
  const Pixels pixels = made_up_pixels(19, 12);
  const torch::Tensor weight = made_up_weight(16).requires_grad_();
  expect_the_same_on_any_threads([&] {
    const torch::Tensor fast = pixel_convolution(pixels, weight, at::kFloat);
    return std::vector{fast, torch::autograd::grad({fast}, {weight}, {torch::cos(fast)})[0]};
  });
}

TEST_F(PixelConvolution, RefusesWhatItCannotTake) {
  const Pixels pixels = made_up_pixels(1, 8);
  EXPECT_TRUE(fits_pixel_convolution(pixels, made_up_weight(16)));
  EXPECT_FALSE(fits_pixel_convolution(pixels, made_up_weight(24)));
  EXPECT_FALSE(fits_pixel_convolution(pixels, made_up_weight(16).to(at::kDouble)));
  Pixels oblong = pixels;
  oblong.bytes = pixels.bytes.slice(2, 0, 6);
  EXPECT_FALSE(fits_pixel_convolution(oblong, made_up_weight(16)));
}

}  // namespace
}  // namespace diptych
