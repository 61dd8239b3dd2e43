// What compare() says about small trials whose answer is plain.
#include "metrics/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "metrics/bootstrap.h"
#include "metrics/made_up_trials.h"

namespace diptych {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// Per seed: how many of 1,000 rows are right with the image and with the text as well.
std::vector<Trial> trials_over_seeds(const std::vector<std::pair<int, int>>& right) {
  std::vector<Trial> trials;
  for (std::size_t seed = 0; seed < right.size(); ++seed) {
    const auto [image, fused] = right[seed];
    const auto answers = [](int count) {
      return first_right(static_cast<std::size_t>(count), 1000);
    };
    trials.push_back(made_up_trial("image", seed, answers(image)));
    trials.push_back(made_up_trial("image,text", seed, answers(fused)));
  }
  return trials;
}

void expect_error(ErrorKind kind, const std::vector<Trial>& trials) {
  try {
    compare(trials, 2);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
  }
}

TEST(Compare, SaysThatTheTextHelps) {
  // Differences 9, 10, 11 points: 4.3027 · sqrt((1/3 + 1/4) · 1) = 3.286.
  const Comparison comparison = compare(trials_over_seeds({{500, 590}, {510, 610}, {520, 630}}), 2);
  EXPECT_EQ(comparison.verdict, Verdict::helps);
  EXPECT_EQ(comparison.sentence, "The text helps: +10.0 points of accuracy (6.7 to 13.3).");
  EXPECT_THAT(comparison.test, HasSubstr("3 splits"));
}

TEST(Compare, SaysThatTheTextHurts) {
  const Comparison comparison = compare(trials_over_seeds({{590, 500}, {610, 510}, {630, 520}}), 2);
  EXPECT_EQ(comparison.verdict, Verdict::hurts);
  EXPECT_EQ(comparison.sentence, "The text hurts: -10.0 points of accuracy (-13.3 to -6.7).");
}

TEST(Compare, SaysThatThereIsNoClearGain) {
  const Comparison comparison = compare(trials_over_seeds({{500, 499}, {500, 503}, {500, 501}}), 2);
  EXPECT_EQ(comparison.verdict, Verdict::no_clear_gain);
  EXPECT_EQ(comparison.sentence,
            "No clear gain: the text changes accuracy by +0.1 points (-0.6 to 0.8).");
}

TEST(Compare, GivesNoVerdictWhenARecipeIsMissing) {
  for (const char* only : {"image", "text", "image,text"}) {
    const std::vector<Trial> trials{made_up_trial(only, 0, first_right(30, 40)),
                                    made_up_trial(only, 1, first_right(31, 40))};
    const Comparison comparison = compare(trials, 2);
    EXPECT_EQ(comparison.verdict, Verdict::no_clear_gain);
    EXPECT_EQ(comparison.sentence,
              "No verdict on the text: the recipes image and image,text were not both run.");
    EXPECT_TRUE(comparison.pairs.empty());
    EXPECT_THAT(comparison.recipes, SizeIs(1));
  }
}

TEST(Compare, TakesNoDifferenceInAnySplitForNoDifference) {
  const Comparison comparison = compare(trials_over_seeds({{500, 500}, {510, 510}, {520, 520}}), 2);
  EXPECT_EQ(comparison.sentence,
            "No clear gain: the text changes accuracy by +0.0 points (-0.3 to 0.3).");
  for (const PairDifference& pair : comparison.pairs) EXPECT_EQ(pair.p, 1);
}

TEST(Compare, IsNotMadeCertainByDifferencesThatHappenToBeEqual) {
  const Comparison by_one_row =
      compare(trials_over_seeds({{500, 501}, {510, 511}, {520, 521}, {530, 531}, {540, 541}}), 2);
  EXPECT_EQ(by_one_row.verdict, Verdict::no_clear_gain);
  EXPECT_GT(by_one_row.pairs.front().p, 0.1);
  const Comparison by_many =
      compare(trials_over_seeds({{500, 600}, {510, 610}, {520, 620}, {530, 630}, {540, 640}}), 2);
  EXPECT_EQ(by_many.verdict, Verdict::helps);
  EXPECT_GT(by_many.pairs.front().p, 0);
}

TEST(Compare, OrdersRecipesAndPairsWhateverTheOrderOfTrials) {
  std::vector<Trial> trials;
  for (std::uint64_t seed : {3, 1, 2}) {
    trials.push_back(made_up_trial("image,text", seed, first_right(30 + seed, 40)));
    trials.push_back(made_up_trial("text", seed, first_right(20 + seed, 40)));
    trials.push_back(made_up_trial("image", seed, first_right(25, 40)));
  }
  const Comparison comparison = compare(trials, 2);
  std::vector<std::string> recipes, pairs;
  for (const RecipeScores& scores : comparison.recipes) recipes.push_back(scores.recipe);
  for (const PairDifference& pair : comparison.pairs) {
    pairs.push_back(pair.a + " - " + pair.b + ": " + metric_name(pair.metric));
  }
  EXPECT_THAT(recipes, ElementsAre("image", "text", "image,text"));
  ASSERT_THAT(pairs, SizeIs(9));
  EXPECT_EQ(pairs[0], "image,text - image: accuracy");
  EXPECT_EQ(pairs[1], "image,text - text: accuracy");
  EXPECT_EQ(pairs[2], "text - image: accuracy");
  EXPECT_EQ(pairs[8], "text - image: log_loss");
  EXPECT_THAT(comparison.recipes[2].accuracy.per_seed,
              ElementsAre(31.0 / 40, 32.0 / 40, 33.0 / 40));
}

TEST(Compare, CorrectsThePairsOfOneMetricTogether) {
  std::vector<Trial> trials;
  for (std::size_t seed = 0; seed < 4; ++seed) {
    trials.push_back(made_up_trial("image", seed, first_right(500 + 5 * seed, 1000)));
    trials.push_back(made_up_trial("text", seed, first_right(520 - 9 * seed, 1000)));
    trials.push_back(made_up_trial("image,text", seed, first_right(560 + 9 * seed, 1000)));
  }
  const Comparison comparison = compare(trials, 2);
  for (std::size_t first = 0; first < 9; first += 3) {
    std::vector<double> p;
    for (std::size_t i = first; i < first + 3; ++i) p.push_back(comparison.pairs[i].p);
    const std::vector<double> corrected = holm(p);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(comparison.pairs[first + i].p_holm, corrected[i]);
    }
  }
  EXPECT_GT(comparison.pairs[0].p_holm, comparison.pairs[0].p);
}

TEST(Compare, AddsMcNemarAndClassesToAccuracyOnly) {
  // Rows 0..9; image right in 0..3, with the text in 0..8: five rows for the text, none against.
  const std::vector<Trial> trials{made_up_trial("image", 0, first_right(4, 10)),
                                  made_up_trial("image,text", 0, first_right(9, 10))};
  const Comparison comparison = compare(trials, 2);
  EXPECT_THAT(comparison.pairs[0].mcnemar_p, ElementsAre(testing::DoubleNear(2.0 / 32, 1e-12)));
  EXPECT_THAT(comparison.pairs[0].per_class, ElementsAre(testing::DoubleNear(3.0 / 5, 1e-12),
                                                         testing::DoubleNear(2.0 / 5, 1e-12)));
  EXPECT_TRUE(comparison.pairs[1].mcnemar_p.empty());
  EXPECT_TRUE(comparison.pairs[2].per_class.empty());
}

TEST(Compare, SumsConfusionAndSecondsOverTheSeeds) {
  const Comparison comparison = compare(trials_over_seeds({{500, 600}, {400, 700}}), 2);
  EXPECT_THAT(comparison.recipes[0].confusion, ElementsAre(450, 550, 550, 450));
  EXPECT_DOUBLE_EQ(comparison.recipes[0].seconds, 3);
  EXPECT_DOUBLE_EQ(comparison.recipes[0].recall[0], 0.45);
}

TEST(Compare, KeepsIntervalsOfScoresWithinTheirRange) {
  const Comparison comparison =
      compare(trials_over_seeds({{990, 1000}, {900, 1000}, {10, 1000}}), 2);
  EXPECT_EQ(comparison.recipes[0].accuracy.low, 0);
  EXPECT_EQ(comparison.recipes[0].accuracy.high, 1);
  EXPECT_GE(comparison.recipes[0].log_loss.low, 0);
}

TEST(Compare, ClaimsNothingFromASingleGroup) {
  std::vector<Trial> trials{made_up_trial("image", 0, first_right(10, 40)),
                            made_up_trial("image,text", 0, first_right(35, 40))};
  for (Trial& trial : trials) trial.groups.assign(40, "the only one");
  const Comparison comparison = compare(trials, 2);
  EXPECT_EQ(comparison.verdict, Verdict::no_clear_gain);
  EXPECT_EQ(comparison.pairs[0].p, 1);
  EXPECT_EQ(comparison.pairs[0].low, -1);
  EXPECT_EQ(comparison.recipes[0].accuracy.high, 1);
}

TEST(Compare, RefusesTrialsThatAreNotPaired) {
  const std::vector<Trial> paired = trials_over_seeds({{500, 600}, {400, 700}});
  std::vector<Trial> trials = paired;
  trials[1].rows[3] = 77;
  expect_error(ErrorKind::internal, trials);
  trials = paired;
  trials[1].groups[3] = "another";
  expect_error(ErrorKind::internal, trials);
  trials = paired;
  trials[3].seed = 9;
  expect_error(ErrorKind::internal, trials);
  trials = paired;
  trials.pop_back();
  expect_error(ErrorKind::internal, trials);
  trials = paired;
  trials.insert(trials.end(), paired.begin(), paired.end());
  expect_error(ErrorKind::internal, trials);
}

// The trials of trials_over_seeds(), each taken for one of `folds` folds of a deal.
std::vector<Trial> as_folds(std::vector<Trial> trials, int folds) {
  for (Trial& trial : trials) {
    trial.fold = 1 + static_cast<int>(trial.seed) % folds;
    trial.seed /= static_cast<std::uint64_t>(folds);
  }
  return trials;
}

TEST(CompareOverFolds, TakesTheShareOfTheRowsThatAFoldTests) {
  std::vector<Trial> trials = as_folds(trials_over_seeds({{500, 590}, {510, 610}, {520, 630}}), 3);
  for (Trial& trial : trials) trial.train_rows = 2000;
  std::reverse(trials.begin(), trials.end());
  // Differences 9, 10, 11 points, a test set half the training set: 4.3027 · sqrt(1/3 + 1/2).
  const Comparison comparison = compare(trials, 2);
  EXPECT_EQ(comparison.sentence, "The text helps: +10.0 points of accuracy (6.1 to 13.9).");
  EXPECT_EQ(comparison.test,
            "corrected repeated k-fold t test over 1 × 3 folds (Bouckaert and Frank, 2004)");
  EXPECT_EQ(comparison.caution, "");
  const std::vector<double>& values = comparison.pairs[0].per_seed;
  EXPECT_NEAR(values.at(0), 0.09, 1e-12) << "in order of fold";
  EXPECT_NEAR(values.at(2), 0.11, 1e-12);
}

TEST(CompareOverFolds, NamesTheFoldOfASplit) {
  EXPECT_EQ(split_name(7, 0), "seed 7");
  EXPECT_EQ(split_name(7, 1), "seed 7 fold 1");
}

TEST(CompareOverFolds, CountsTheFoldsOfEachDeal) {
  const std::vector<Trial> trials =
      as_folds(trials_over_seeds({{500, 590}, {510, 610}, {520, 630}, {500, 590}}), 2);
  const Comparison comparison = compare(trials, 2);
  EXPECT_THAT(comparison.test, HasSubstr("over 2 × 2 folds"));
  EXPECT_EQ(comparison.pairs[0].per_seed.size(), 4u);
}

TEST(CompareOverFolds, RefusesFoldsThatAreNotPaired) {
  std::vector<Trial> trials = as_folds(trials_over_seeds({{500, 600}, {400, 700}}), 2);
  EXPECT_NO_THROW(compare(trials, 2));
  trials[3].fold = 3;
  expect_error(ErrorKind::internal, trials);
  trials[2].fold = trials[3].fold = 1;
  expect_error(ErrorKind::internal, trials);
}

TEST(Compare, RefusesTrialsThatCannotBeScored) {
  const std::vector<Trial> paired = trials_over_seeds({{500, 600}});
  expect_error(ErrorKind::data, {});
  expect_error(ErrorKind::data, {made_up_trial("image", 0, {})});
  std::vector<Trial> trials = paired;
  trials[0].probabilities.pop_back();
  expect_error(ErrorKind::internal, trials);
  trials = paired;
  trials[0].labels[5] = 2;
  expect_error(ErrorKind::internal, trials);
  trials = paired;
  trials[1].probabilities[5] = std::numeric_limits<float>::quiet_NaN();
  expect_error(ErrorKind::numeric, trials);
}

TEST(PairedBootstrap, IsTheSameEachTime) {
  const Trial a = made_up_trial("a", 0, first_right(30, 40));
  const Trial b = made_up_trial("b", 0, first_right(20, 40));
  const BootstrapResult first = paired_bootstrap({&a}, {&b}, Metric::macro_f1, 2);
  const BootstrapResult second = paired_bootstrap({&a}, {&b}, Metric::macro_f1, 2);
  EXPECT_EQ(first.low, second.low);
  EXPECT_EQ(first.high, second.high);
  EXPECT_EQ(first.p, second.p);
}

TEST(PairedBootstrap, AgreesWithTheNormalIntervalOfManyRows) {
  // 100 of 1,000 rows better: mean 0.1, deviation 0.3, so 0.1 ± 1.96 · 0.3 / sqrt(1000).
  const Trial a = made_up_trial("a", 0, first_right(600, 1000));
  const Trial b = made_up_trial("b", 0, first_right(500, 1000));
  const BootstrapResult result = paired_bootstrap({&a}, {&b}, Metric::accuracy, 2);
  EXPECT_NEAR(result.difference, 0.1, 1e-12);
  EXPECT_NEAR(result.low, 0.1 - 0.0186, 0.002);
  EXPECT_NEAR(result.high, 0.1 + 0.0186, 0.002);
}

TEST(PairedBootstrap, ScoresTheWholeAsScoreDoes) {
  const Trial trial = made_up_trial("a", 0, first_right(29, 40));
  const Scores scores = score(trial.probabilities, trial.labels, 2);
  EXPECT_NEAR(bootstrap_interval({&trial}, Metric::accuracy, 2).mean, scores.accuracy, 1e-12);
  EXPECT_NEAR(bootstrap_interval({&trial}, Metric::macro_f1, 2).mean, scores.macro_f1, 1e-12);
  EXPECT_NEAR(bootstrap_interval({&trial}, Metric::log_loss, 2).mean, scores.log_loss, 1e-12);
}

TEST(PairedBootstrap, OfSeveralTrainingsIsWiderTheMoreTheyDiffer) {
  std::vector<Trial> steady, varied;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    steady.push_back(made_up_trial("a", seed, first_right(600, 1000)));
    varied.push_back(made_up_trial("a", seed, first_right(450 + 100 * seed, 1000)));
  }
  const Trial other = made_up_trial("b", 0, first_right(500, 1000));
  const Trainings b(4, &other);
  const auto width = [&](const std::vector<Trial>& trials) {
    Trainings a;
    for (const Trial& trial : trials) a.push_back(&trial);
    const BootstrapResult result = paired_bootstrap(a, b, Metric::accuracy, 2);
    EXPECT_NEAR(result.difference, 0.1, 1e-12);
    return result.high - result.low;
  };
  const BootstrapResult one = paired_bootstrap({&steady[0]}, {&other}, Metric::accuracy, 2);
  EXPECT_NEAR(width(steady), one.high - one.low, 0.005);
  EXPECT_GT(width(varied), 3 * width(steady));
}

TEST(GivenSplit, NeedsTheSameTestRowsForEverySeed) {
  std::vector<Trial> trials = trials_over_seeds({{500, 590}, {510, 610}});
  for (Trial& trial : trials) {
    if (trial.seed > 0) trial.rows.front() = 5000;
  }
  EXPECT_NO_THROW(compare(trials, 2));
  EXPECT_THROW(compare(trials, 2, SplitSource::given), Error);
}

}  // namespace
}  // namespace diptych
