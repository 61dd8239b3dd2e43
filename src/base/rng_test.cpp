#include "base/rng.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace diptych {
namespace {

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
