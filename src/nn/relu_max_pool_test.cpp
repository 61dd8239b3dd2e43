// The fused pass against torch's two.
#include "nn/relu_max_pool.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/gradient_check.h"
#include "nn/made_up_threads.h"

namespace diptych {
namespace {

torch::Tensor made_up_map(at::IntArrayRef shape, at::ScalarType type) {
  return made_up_tensor(shape).detach().to(type).contiguous(at::MemoryFormat::ChannelsLast);
}

struct Answer {
  torch::Tensor output, gradient;
};

template <typename Pool>
Answer answer_of(const Pool& pool, const torch::Tensor& map) {
  const torch::Tensor x = map.detach().clone().set_requires_grad(true);
  const torch::Tensor y = pool(x);
  weighed(y.to(at::kDouble)).backward();
  return {y.detach(), x.grad()};
}

torch::Tensor two_passes(const torch::Tensor& x) { return torch::max_pool2d(torch::relu(x), 2); }

TEST(ReluMaxPool, IsReluThenMaxPoolingBitForBit) {
  for (const at::ScalarType type : {at::kBFloat16, at::kFloat, at::kDouble}) {
    for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{1, 1, 2, 2},
                                                   {2, 3, 8, 6},
                                                   {3, 17, 5, 7},
                                                   {2, 64, 24, 24},
                                                   {1, 32, 3, 2},
                                                   {40, 5, 4, 4}}) {
      const torch::Tensor map = made_up_map(shape, type);
      const Answer fused = answer_of(relu_max_pool, map), plain = answer_of(two_passes, map);
      EXPECT_TRUE(torch::equal(fused.output, plain.output)) << type << shape;
      EXPECT_TRUE(torch::equal(fused.gradient, plain.gradient)) << type << shape;
      EXPECT_EQ(fused.output.scalar_type(), type);
      EXPECT_TRUE(fused.output.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST(ReluMaxPool, GivesTheFirstOfEqualsTheGradientAndNothingBelowZeroAny) {
  const torch::Tensor equal = torch::ones({1, 2, 2, 2});
  EXPECT_TRUE(torch::equal(answer_of(relu_max_pool, equal).gradient,
                           answer_of(two_passes, equal).gradient));
  const torch::Tensor below = -torch::ones({1, 2, 4, 4});
  EXPECT_EQ(answer_of(relu_max_pool, below).output.abs().sum().item<double>(), 0);
  EXPECT_EQ(answer_of(relu_max_pool, below).gradient.abs().sum().item<double>(), 0);
}

TEST(ReluMaxPool, TakesAnyLayoutOfMemory) {
  const torch::Tensor map = made_up_map({2, 6, 8, 8}, at::kFloat);
  const torch::Tensor rows_first = map.contiguous();
  EXPECT_TRUE(torch::equal(relu_max_pool(rows_first), relu_max_pool(map)));
  const torch::Tensor part = map.slice(1, 0, 4);
  EXPECT_TRUE(
      torch::equal(answer_of(relu_max_pool, part).gradient, answer_of(two_passes, part).gradient));
}

TEST(ReluMaxPool, LetsNoNumberThatIsNotOneGoUnseen) {
  constexpr int kChannels = 19;  // whole registers of them, and a rest
  constexpr std::int16_t kPositive = 0x7fc0, kNegative = -0x40;  // in bf16; processors set the sign
  for (int pixel = 0; pixel < 4; ++pixel) {
    torch::Tensor map = torch::ones({1, kChannels, 2, 2});
    map.view({kChannels, 4}).select(1, pixel).fill_(NAN);
    EXPECT_TRUE(relu_max_pool(map).isnan().all().item<bool>()) << pixel;
    for (const std::int16_t bits : {kPositive, kNegative}) {
      torch::Tensor half = torch::ones({1, kChannels, 2, 2}, at::kBFloat16);
      half.view(at::kShort).view({kChannels, 4}).select(1, pixel).fill_(bits);
      EXPECT_TRUE(relu_max_pool(half).isnan().all().item<bool>()) << pixel << ' ' << bits;
    }
  }
  EXPECT_TRUE(std::isinf(relu_max_pool(torch::full({1, 1, 2, 2}, INFINITY)).item<double>()));
}

TEST(ReluMaxPool, HasTheGradientOfFiniteDifferences) {
  const torch::Tensor x = made_up_tensor({2, 3, 5, 4});
  expect_gradients([&] { return weighed(relu_max_pool(x)); }, {x});
}

TEST(ReluMaxPool, DoesNotDependOnTheNumberOfThreads) {
  const torch::Tensor map = made_up_map({8, 16, 32, 32}, at::kBFloat16);
  expect_the_same_on_any_threads([&] {
    const Answer answer = answer_of(relu_max_pool, map);
    return std::vector{answer.output, answer.gradient};
  });
}

}  // namespace
}  // namespace diptych
