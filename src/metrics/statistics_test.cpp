// The tests behind the verdict against tables, closed forms and values worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "metrics/comparison.h"

namespace diptych {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

struct Quantile {
  double probability, degrees, value;
};

TEST(StudentT, QuantilesAgreeWithPublishedTables) {
  for (const Quantile& known : {Quantile{0.975, 1, 12.706},
                                {0.975, 2, 4.303},
                                {0.975, 4, 2.776},
                                {0.975, 9, 2.262},
                                {0.975, 30, 2.042},
                                {0.95, 4, 2.132},
                                {0.995, 4, 4.604},
                                {0.9995, 10, 4.587},
                                {0.9, 3, 1.638}}) {
    EXPECT_NEAR(student_t_quantile(known.probability, known.degrees), known.value, 6e-4)
        << known.degrees << " degrees";
  }
}

TEST(StudentT, FollowsTheClosedFormsOfOneAndTwoDegrees) {
  for (double p : {0.51, 0.6, 0.75, 0.9, 0.975, 0.999, 0.999999}) {
    const double cauchy = std::tan(std::numbers::pi * (p - 0.5));
    const double two = (2 * p - 1) / std::sqrt(2 * p * (1 - p));
    EXPECT_NEAR(student_t_quantile(p, 1) / cauchy, 1, 1e-8) << p;
    EXPECT_NEAR(student_t_quantile(p, 2) / two, 1, 1e-8) << p;
  }
}

TEST(StudentT, ApproachesTheNormalDistribution) {
  EXPECT_NEAR(student_t_quantile(0.975, 1e7), 1.959964, 1e-5);
  EXPECT_NEAR(student_t_two_sided_p(1.0, 1e7), std::erfc(1 / std::sqrt(2.0)), 1e-6);
}

TEST(StudentT, QuantileUndoesTheTailAndIsSymmetric) {
  for (double degrees : {1.0, 4.0, 29.0, 500.0}) {
    for (double p : {0.501, 0.8, 0.975, 0.9999}) {
      const double t = student_t_quantile(p, degrees);
      EXPECT_NEAR(student_t_two_sided_p(t, degrees), 2 * (1 - p), 1e-10);
      EXPECT_NEAR(student_t_quantile(1 - p, degrees), -t, 1e-9 * t);
      EXPECT_DOUBLE_EQ(student_t_two_sided_p(-t, degrees), student_t_two_sided_p(t, degrees));
    }
  }
  EXPECT_EQ(student_t_quantile(0.5, 4), 0);
  EXPECT_DOUBLE_EQ(student_t_two_sided_p(0, 4), 1);
  EXPECT_EQ(student_t_two_sided_p(INFINITY, 4), 0);
}

TEST(CorrectedResampledInterval, WidensByTheShareOfTestRows) {
  // Mean 3, variance 2.5, factor 1/5 + 1/4: 2.7764 · sqrt(0.45 · 2.5) = 2.9448.
  const Interval interval = corrected_resampled_interval(std::vector<double>{1, 2, 3, 4, 5}, 0.25);
  EXPECT_DOUBLE_EQ(interval.mean, 3);
  EXPECT_NEAR(interval.high - 3, 2.9448, 1e-4);
  EXPECT_NEAR(3 - interval.low, 2.9448, 1e-4);
  EXPECT_THAT(interval.per_seed, ElementsAre(1, 2, 3, 4, 5));
}

TEST(CorrectedResampledInterval, WithoutCorrectionIsTheOrdinaryOne) {
  // 2.7764 · sqrt(2.5 / 5) = 1.9632.
  const Interval interval = corrected_resampled_interval(std::vector<double>{1, 2, 3, 4, 5}, 0);
  EXPECT_NEAR(interval.high - 3, 1.9632, 1e-4);
}

TEST(McNemarExact, IsTheBinomialTestOfTheDiscordantRows) {
  EXPECT_DOUBLE_EQ(mcnemar_exact_p(0, 0), 1);
  EXPECT_DOUBLE_EQ(mcnemar_exact_p(1, 0), 1);
  EXPECT_NEAR(mcnemar_exact_p(0, 5), 2.0 / 32, 1e-12);
  EXPECT_NEAR(mcnemar_exact_p(6, 0), 2.0 / 64, 1e-12);
  EXPECT_NEAR(mcnemar_exact_p(1, 9), 2.0 * (1 + 10) / 1024, 1e-12);
  EXPECT_NEAR(mcnemar_exact_p(9, 1), 2.0 * (1 + 10) / 1024, 1e-12);
  EXPECT_NEAR(mcnemar_exact_p(2, 8), 2.0 * (1 + 10 + 45) / 1024, 1e-12);
  EXPECT_DOUBLE_EQ(mcnemar_exact_p(7, 7), 1);
}

TEST(McNemarExact, HoldsForManyRows) {
  // Summed in exact fractions.
  EXPECT_NEAR(mcnemar_exact_p(400, 600) / 2.7284641560660184e-10, 1, 1e-9);
  EXPECT_NEAR(mcnemar_exact_p(480, 520) / 0.21744829320414094, 1, 1e-9);
  EXPECT_GT(mcnemar_exact_p(100000, 100100), 0.8);
}

TEST(Holm, StepsDownAndNeverDecreases) {
  EXPECT_THAT(
      holm(std::vector<double>{0.01, 0.04, 0.03}),
      ElementsAre(DoubleNear(0.03, 1e-12), DoubleNear(0.06, 1e-12), DoubleNear(0.06, 1e-12)));
  EXPECT_THAT(
      holm(std::vector<double>{0.04, 0.001, 0.05}),
      ElementsAre(DoubleNear(0.08, 1e-12), DoubleNear(0.003, 1e-12), DoubleNear(0.08, 1e-12)));
}

TEST(Holm, NeverExceedsOne) {
  EXPECT_THAT(holm(std::vector<double>{0.6, 0.9}), ElementsAre(1, 1));
  EXPECT_THAT(holm(std::vector<double>{0.2}), ElementsAre(0.2));
  EXPECT_TRUE(holm({}).empty());
}

}  // namespace
}  // namespace diptych
