#include "base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace diptych {
namespace {

std::vector<std::uint64_t> first_three(Rng rng) {
  std::vector<std::uint64_t> drawn;
  for (int i = 0; i < 3; ++i) drawn.push_back(rng.next());
  return drawn;
}

TEST(Rng, DrawsTheValuesThatItHasAlwaysDrawn) {
  using Values = std::vector<std::uint64_t>;
  EXPECT_EQ(first_three(Rng(0)),
            (Values{0xa706dd2f4d197e6fu, 0xb382a305f4414f5eu, 0x631a9154fbabf717u}));
  EXPECT_EQ(first_three(Rng(1, Stream::split)),
            (Values{0x68334288069ead01u, 0x2b8d282b60b1f140u, 0x80c1724ea2405998u}));
  EXPECT_EQ(first_three(Rng(42, Stream::augment, 7, 9)),
            (Values{0xc9b3c3e7dd825397u, 0x965ea92578f986c0u, 0x759303dca2939336u}));
}

TEST(Rng, StaysInsideItsBounds) {
  Rng rng(5);
  for (int i = 0; i < 10000; ++i) {
    EXPECT_EQ(rng.below(1), 0u);
    EXPECT_LT(rng.below(3), 3u);
    const double drawn = rng.uniform(-2, 3);
    EXPECT_GE(drawn, -2);
    EXPECT_LT(drawn, 3);
    EXPECT_FALSE(rng.chance(0));
    EXPECT_TRUE(rng.chance(1));
  }
}

TEST(Rng, IsTheSameOnEveryMachine) {
  Rng rng(1, Stream::split);
  EXPECT_EQ(rng.next(), Rng(1, Stream::split).next());
  EXPECT_NE(Rng(1, Stream::split).next(), Rng(1, Stream::shuffle).next());
  EXPECT_NE(Rng(1, Stream::shuffle, 1, 2).next(), Rng(1, Stream::shuffle, 2, 1).next());
}

TEST(Rng, UniformAndNormalHaveTheirMoments) {
  Rng rng(7);
  double sum = 0, normal_sum = 0, normal_squares = 0;
  constexpr int kDraws = 200000;
  for (int i = 0; i < kDraws; ++i) {
    sum += rng.uniform();
    const double z = rng.normal();
    normal_sum += z;
    normal_squares += z * z;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_NEAR(normal_sum / kDraws, 0.0, 0.01);
  EXPECT_NEAR(normal_squares / kDraws, 1.0, 0.02);
}

TEST(Rng, BelowIsUniformAndShuffleAPermutation) {
  Rng rng(3);
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[rng.below(7)];
  for (int count : counts) EXPECT_NEAR(count, 10000, 400);
  std::vector<int> items(50);
  std::iota(items.begin(), items.end(), 0);
  rng.shuffle(std::span(items));
  EXPECT_FALSE(std::is_sorted(items.begin(), items.end()));
  std::sort(items.begin(), items.end());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(items[i], i);
}

}  // namespace
}  // namespace diptych
