// Each score against a value worked out by hand.
#include "metrics/scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace diptych {
namespace {

using testing::ElementsAre;

// Three classes, five rows; the last class is neither a label nor an answer.
//   labels 0 0 0 1 1, answers 0 0 1 1 0
class ScoresByHand : public testing::Test {
 protected:
  const std::vector<float> probabilities{0.7F, 0.2F, 0.1F, 0.9F, 0.1F, 0.0F, 0.3F, 0.6F,
                                         0.1F, 0.2F, 0.8F, 0.0F, 0.5F, 0.4F, 0.1F};
  const std::vector<std::int32_t> labels{0, 0, 0, 1, 1};
  const Scores scores = score(probabilities, labels, 3);
};

TEST_F(ScoresByHand, AccuracyIsTheShareOfRightRows) { EXPECT_DOUBLE_EQ(scores.accuracy, 3.0 / 5); }

TEST_F(ScoresByHand, ConfusionHasTrueClassesInRows) {
  EXPECT_THAT(scores.confusion, ElementsAre(2, 1, 0, 1, 1, 0, 0, 0, 0));
  EXPECT_THAT(scores.support, ElementsAre(3, 2, 0));
}

TEST_F(ScoresByHand, RecallAndPrecisionAreUnknownForAnAbsentClass) {
  EXPECT_DOUBLE_EQ(scores.recall[0], 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.recall[1], 1.0 / 2);
  EXPECT_TRUE(std::isnan(scores.recall[2]));
  EXPECT_DOUBLE_EQ(scores.precision[0], 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.precision[1], 1.0 / 2);
  EXPECT_TRUE(std::isnan(scores.precision[2]));
}

TEST_F(ScoresByHand, MacroF1LeavesOutTheClassThatDoesNotOccur) {
  EXPECT_DOUBLE_EQ(scores.macro_f1, (2.0 / 3 + 1.0 / 2) / 2);
}

TEST_F(ScoresByHand, LogLossIsTheMeanOverTheTrueClasses) {
  const double sum = std::log(0.7) + std::log(0.9) + std::log(0.3) + std::log(0.8) + std::log(0.4);
  EXPECT_NEAR(scores.log_loss, -sum / 5, 1e-7);
}

TEST_F(ScoresByHand, CalibrationErrorWeighsEachBinByItsRows) {
  // Five answers of confidence 0.7, 0.9, 0.6, 0.8, 0.5, each alone in its bin of width 1/15.
  EXPECT_NEAR(scores.calibration_error, (0.3 + 0.1 + 0.6 + 0.2 + 0.5) / 5, 1e-6);
}

TEST(Scores, CalibrationErrorPoolsTheRowsOfABin) {
  // Ten answers of confidence 0.8 of which eight are right: perfectly calibrated.
  std::vector<float> probabilities;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 10; ++i) {
    probabilities.insert(probabilities.end(), {0.8F, 0.2F});
    labels.push_back(i < 8 ? 0 : 1);
  }
  EXPECT_NEAR(score(probabilities, labels, 2).calibration_error, 0, 1e-6);
}

TEST(Scores, CertainAnswersFallIntoTheLastBin) {
  EXPECT_DOUBLE_EQ(score(std::vector<float>{1, 0}, std::vector{1}, 2).calibration_error, 1);
}

TEST(Scores, LogLossOfAnImpossibleTruthIsClipped) {
  const Scores scores = score(std::vector<float>{1, 0}, std::vector{1}, 2);
  EXPECT_DOUBLE_EQ(scores.log_loss, -std::log(1e-7));
}

TEST(Scores, MacroF1CountsAClassThatIsOnlyPredicted) {
  // Class 0: F1 = 2·1/(1+2); class 1 is predicted once and never true: F1 = 0; class 2 is absent.
  const Scores scores = score(std::vector<float>{1, 0, 0, 0, 1, 0}, std::vector{0, 0}, 3);
  EXPECT_DOUBLE_EQ(scores.macro_f1, (2.0 / 3 + 0) / 2);
}

TEST(Scores, MacroF1CountsAClassThatIsNeverPredicted) {
  const Scores scores = score(std::vector<float>{1, 0, 1, 0}, std::vector{0, 1}, 2);
  EXPECT_DOUBLE_EQ(scores.macro_f1, (2.0 / 3 + 0) / 2);
  EXPECT_DOUBLE_EQ(scores.recall[1], 0);
}

TEST(Scores, OfNoRowsAreUnknown) {
  const Scores scores = score({}, {}, 2);
  for (double value :
       {scores.accuracy, scores.macro_f1, scores.log_loss, scores.calibration_error}) {
    EXPECT_TRUE(std::isnan(value));
  }
  EXPECT_THAT(scores.support, ElementsAre(0, 0));
}

TEST(PredictedClasses, TakeTheLeastIndexOnTies) {
  const std::vector<float> probabilities{0.5F, 0.5F, 0.2F, 0.8F};
  EXPECT_THAT(predicted_classes(probabilities, 2), ElementsAre(0, 1));
}

}  // namespace
}  // namespace diptych
