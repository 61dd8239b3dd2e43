#include "report/svg.h"

#include <gtest/gtest.h>

#include <cmath>

#include "report/numbers.h"

namespace diptych::report {
namespace {

TEST(Scale, MapsItsEndsToTheEndsOfThePlotInBothDirections) {
  EXPECT_DOUBLE_EQ((Scale{-1, 3}.percent(0)), 25);
  EXPECT_DOUBLE_EQ((Scale{3, -1}.percent(0)), 75);
  EXPECT_DOUBLE_EQ((Scale{0, 1}.percent(9)), 100);
  EXPECT_DOUBLE_EQ((Scale{0, 1}.percent(kUnknown)), 0);
  EXPECT_DOUBLE_EQ((Scale{2, 2}.percent(2)), 0);
}

TEST(ScaleOver, HoldsEveryKnownValueAndHasAWidth) {
  const std::vector<double> values{kUnknown, 2, -1, INFINITY};
  const Scale scale = scale_over(values, 0.1);
  EXPECT_NEAR(scale.low, -1.3, 1e-12);
  EXPECT_NEAR(scale.high, 2.3, 1e-12);
  for (const std::vector<double>& few : {std::vector<double>{}, {kUnknown}, {0}, {0.8}}) {
    EXPECT_LT(scale_over(few, 0.1).low, scale_over(few, 0.1).high);
  }
}

TEST(NiceTicks, AreRoundNumbersWithinTheScale) {
  const Ticks ticks = nice_ticks({-0.031, 0.127}, 5);
  ASSERT_EQ(ticks.at.size(), 3u);
  EXPECT_NEAR(ticks.at[0], 0, 1e-12);
  EXPECT_NEAR(ticks.at[2], 0.1, 1e-12);
  EXPECT_EQ(ticks.decimals, 2);
  EXPECT_EQ(nice_ticks({0, 100}, 5).decimals, 0);
}

TEST(NiceTicks, AreFewAndSeveralWhateverTheScale) {
  for (double span = 1e-9; span < 1e12; span *= 3.7) {
    for (const Scale& scale : {Scale{-span / 3, span}, Scale{span, -span}}) {
      const Ticks ticks = nice_ticks(scale, 6);
      EXPECT_GE(ticks.at.size(), 2u) << span;
      EXPECT_LE(ticks.at.size(), 9u) << span;
    }
  }
  EXPECT_EQ(nice_ticks({2, 2}, 6).at.size(), 1u);
  EXPECT_LE(nice_ticks({1e17, 1e17 + 64}, 6).at.size(), 100u);
}

TEST(RoundedOut, EndsOnTicks) {
  const Scale scale = rounded_out({0.33, 0.97}, 4);
  EXPECT_NEAR(scale.low, 0.2, 1e-12);
  EXPECT_NEAR(scale.high, 1.0, 1e-12);
}

TEST(Numbers, AreWrittenForReaders) {
  EXPECT_EQ(signed_decimal(4.06, 1), "+4.1");
  EXPECT_EQ(signed_decimal(-0.26, 1), "\u22120.3");
  EXPECT_EQ(signed_decimal(-0.04, 1), "0.0");
  EXPECT_EQ(decimal(kUnknown, 1), "–");
  EXPECT_EQ(percent(0.8356), "83.6\u202F%");
  EXPECT_EQ(count(1234567), "1,234,567");
  EXPECT_EQ(count(999), "999");
  EXPECT_EQ(p_value(0.0004), "<\u202F0.001");
  EXPECT_EQ(p_value(0.0124), "0.012");
  EXPECT_EQ(p_value(0.347), "0.35");
  EXPECT_EQ(duration(4.25), "4.2\u202Fs");
  EXPECT_EQ(duration(59.9), "1\u202Fmin 0\u202Fs");
  EXPECT_EQ(duration(7384), "2\u202Fh 3\u202Fmin");
  EXPECT_EQ(plural(1, "run", "runs"), "1 run");
  EXPECT_EQ(plural(1870, "row", "rows"), "1,870 rows");
}

}  // namespace
}  // namespace diptych::report
