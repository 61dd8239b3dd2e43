// The promise behind the verdict, by simulation: without an effect it speaks at 5 % of the times,
// with a real one nearly always. The same trials through the wrong test show that this can fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "metrics/bootstrap.h"
#include "metrics/made_up_trials.h"

namespace diptych {
namespace {

struct World {
  std::size_t rows;     // a population, split 80:20 anew for each seed
  double helped, hurt;  // shares of rows, over the superpopulation that populations come from
  int simulations;
};

struct Alarms {
  double helps = 0, hurts = 0;  // shares of the verdicts
  double uncorrected = 0;       // share of significant differences by the ordinary t test
};

constexpr int kSeeds = 5;

std::vector<Trial> simulated_trials(const World& world, Rng& rng) {
  std::vector<int> population(world.rows);
  for (int& advantage : population) advantage = drawn_advantage(rng, world.helped, world.hurt);
  std::vector<std::size_t> order(world.rows);
  std::iota(order.begin(), order.end(), 0U);
  std::vector<Trial> trials;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    rng.shuffle(std::span(order));
    std::vector<int> tested;
    for (std::size_t i = 0; i < world.rows / 5; ++i) tested.push_back(population[order[i]]);
    add_pair(trials, seed, tested);
  }
  return trials;
}

Alarms simulate(const World& world) {
  Alarms alarms;
  for (int i = 0; i < world.simulations; ++i) {
    Rng rng(7, Stream::simulate, static_cast<std::uint64_t>(i));
    const Comparison comparison = compare(simulated_trials(world, rng), 2);
    alarms.helps += comparison.verdict == Verdict::helps;
    alarms.hurts += comparison.verdict == Verdict::hurts;
    const Interval ordinary = corrected_resampled_interval(comparison.pairs.front().per_seed, 0);
    alarms.uncorrected += ordinary.low > 0 || ordinary.high < 0;
  }
  alarms.helps /= world.simulations;
  alarms.hurts /= world.simulations;
  alarms.uncorrected /= world.simulations;
  return alarms;
}

TEST(VerdictOverSplits, IsAFalseAlarmInFivePercentOfTextsWithoutEffect) {
  const Alarms alarms = simulate({300, 0.2, 0.2, 4000});
  RecordProperty("false_alarms", std::to_string(alarms.helps + alarms.hurts));
  RecordProperty("uncorrected", std::to_string(alarms.uncorrected));
  EXPECT_NEAR(alarms.helps + alarms.hurts, 0.05, 0.015);
  EXPECT_NEAR(alarms.helps, alarms.hurts, 0.015) << "no side is favoured";
  EXPECT_GT(alarms.uncorrected, 0.10) << "the ordinary t test must fail here";
}

TEST(VerdictOverSplits, FindsAnEffectOfTenPoints) {
  const Alarms alarms = simulate({3000, 0.2, 0.1, 200});
  EXPECT_GT(alarms.helps, 0.95);
  EXPECT_EQ(alarms.hurts, 0);
}

TEST(VerdictOverSplits, FindsTheLossOfTenPoints) {
  const Alarms alarms = simulate({3000, 0.1, 0.2, 200});
  EXPECT_GT(alarms.hurts, 0.95);
  EXPECT_EQ(alarms.helps, 0);
}

// A population that is dealt into folds, each dealing anew. What the text does to a row depends on
// the rows that were learnt from, too: `learnt` is the weight of their mean in it, at 0.15 a third
// as much variance again as the tested rows have.
struct FoldWorld {
  std::size_t rows;
  int deals;
  double helped, hurt, learnt;
};

constexpr std::size_t kFolds = 5;

std::vector<Trial> trials_over_folds(const FoldWorld& world, Rng& rng) {
  std::vector<double> draws(world.rows), lessons(world.rows);
  for (double& draw : draws) draw = rng.uniform();
  for (double& lesson : lessons) lesson = rng.normal();
  const double of_all = std::accumulate(lessons.begin(), lessons.end(), 0.0);
  std::vector<std::size_t> order(world.rows);
  std::iota(order.begin(), order.end(), 0U);
  std::vector<Trial> trials;
  for (int deal = 0; deal < world.deals; ++deal) {
    rng.shuffle(std::span(order));
    for (std::size_t fold = 0; fold < kFolds; ++fold) {
      double learnt = of_all, learnt_rows = static_cast<double>(world.rows);
      for (std::size_t i = fold; i < world.rows; i += kFolds, --learnt_rows) {
        learnt -= lessons[order[i]];
      }
      const double shift = world.learnt * learnt / learnt_rows;
      std::vector<int> tested;
      for (std::size_t i = fold; i < world.rows; i += kFolds) {
        const double draw = draws[order[i]];
        const bool helps = draw < world.helped + shift;
        tested.push_back(helps ? 1 : draw < world.helped + world.hurt ? -1 : 0);
      }
      add_pair(trials, static_cast<std::uint64_t>(deal), tested);
      for (Trial& trial : std::span(trials).last(2)) trial.fold = static_cast<int>(fold) + 1;
    }
  }
  return trials;
}

struct FoldAlarms {
  double helps = 0, hurts = 0, uncorrected = 0;
  double covered = 0, covered_image = 0;  // true difference; true accuracy of the picture alone
};

FoldAlarms simulate(const FoldWorld& world, int simulations) {
  FoldAlarms shares;
  const double effect = world.helped - world.hurt;
  const double image = world.hurt + (1 - world.helped - world.hurt) * 2 / 3;
  for (int i = 0; i < simulations; ++i) {
    Rng rng(12, Stream::simulate, static_cast<std::uint64_t>(i));
    const Comparison comparison = compare(trials_over_folds(world, rng), 2);
    const PairDifference& pair = comparison.pairs.front();
    const Interval& accuracy = comparison.recipes.front().accuracy;
    const Interval ordinary = corrected_resampled_interval(pair.per_seed, 0);
    shares.helps += comparison.verdict == Verdict::helps;
    shares.hurts += comparison.verdict == Verdict::hurts;
    shares.uncorrected += ordinary.low > 0 || ordinary.high < 0;
    shares.covered += pair.low <= effect && effect <= pair.high;
    shares.covered_image += accuracy.low <= image && image <= accuracy.high;
  }
  for (double* share : {&shares.helps, &shares.hurts, &shares.uncorrected, &shares.covered,
                        &shares.covered_image}) {
    *share /= simulations;
  }
  return shares;
}

TEST(VerdictOverFolds, IsAFalseAlarmInAtMostFivePercentOfTextsWithoutEffect) {
  for (int deals : {1, 3}) {
    const FoldAlarms alarms = simulate({300, deals, 0.2, 0.2, 0.15}, 1500);
    RecordProperty("false_alarms", std::to_string(alarms.helps + alarms.hurts));
    EXPECT_LT(alarms.helps + alarms.hurts, 0.065);
    EXPECT_GT(alarms.helps + alarms.hurts, 0.005) << "a test that never speaks says nothing";
    EXPECT_NEAR(alarms.helps, alarms.hurts, 0.015) << "no side is favoured";
    if (deals > 1) EXPECT_GT(alarms.uncorrected, 0.25) << "deals share all of their rows";
    EXPECT_GT(alarms.covered_image, 0.94);
  }
}

TEST(VerdictOverFolds, CoversARealEffectAndFindsIt) {
  for (int deals : {1, 3}) {
    const FoldAlarms alarms = simulate({900, deals, 0.25, 0.1, 0.15}, 1500);
    EXPECT_GT(alarms.helps, 0.95);
    EXPECT_GT(alarms.covered, 0.935);
  }
}

// One split whose groups of four rows share what the text does to them.
std::vector<Trial> grouped_trials(std::size_t groups, double helped, double hurt, Rng& rng) {
  constexpr std::size_t kRowsInGroup = 4;
  std::vector<int> advantages;
  for (std::size_t g = 0; g < groups; ++g) {
    advantages.insert(advantages.end(), kRowsInGroup, drawn_advantage(rng, helped, hurt));
  }
  std::vector<Trial> trials;
  add_pair(trials, 0, advantages);
  for (Trial& trial : trials) {
    for (std::size_t i = 0; i < advantages.size(); ++i) {
      trial.groups[i] = std::to_string(i / kRowsInGroup);
    }
  }
  return trials;
}

bool excludes_zero(const BootstrapResult& result) { return result.low > 0 || result.high < 0; }

TEST(BootstrapOverGroups, IsAFalseAlarmInFivePercentOfTextsWithoutEffect) {
  constexpr int kSimulations = 1000;
  double grouped = 0, by_p = 0, ungrouped = 0;
  for (int i = 0; i < kSimulations; ++i) {
    Rng rng(8, Stream::simulate, static_cast<std::uint64_t>(i));
    std::vector<Trial> trials = grouped_trials(60, 0.25, 0.25, rng);
    const BootstrapResult result =
        paired_bootstrap({&trials[1]}, {&trials[0]}, Metric::accuracy, 2);
    grouped += excludes_zero(result);
    by_p += result.p < 0.05;
    if (i % 4 != 0) continue;
    for (std::size_t row = 0; row < trials[1].groups.size(); ++row) {
      trials[1].groups[row] = std::to_string(row);
    }
    ungrouped +=
        4 * excludes_zero(paired_bootstrap({&trials[1]}, {&trials[0]}, Metric::accuracy, 2));
  }
  EXPECT_NEAR(grouped / kSimulations, 0.05, 0.025);
  EXPECT_NEAR(by_p / kSimulations, 0.05, 0.025);
  EXPECT_GT(ungrouped / kSimulations, 0.20) << "rows of one group taken for independent must fail";
}

TEST(BootstrapOverGroups, GivesTheVerdictOfASingleSplit) {
  int helps = 0, hurts = 0;
  for (std::uint64_t i = 0; i < 8; ++i) {
    Rng rng(9, Stream::simulate, i);
    const std::vector<Trial> trials = grouped_trials(200, 0.35, 0.05, rng);
    const Comparison comparison = compare(trials, 2);
    const BootstrapResult direct =
        paired_bootstrap({&trials[1]}, {&trials[0]}, Metric::accuracy, 2);
    EXPECT_EQ(comparison.pairs.front().low, direct.low);
    EXPECT_EQ(comparison.pairs.front().p, direct.p);
    helps += comparison.verdict == Verdict::helps;
    hurts += comparison.verdict == Verdict::hurts;
  }
  EXPECT_GE(helps, 7);
  EXPECT_EQ(hurts, 0);
}

// One test set that several seeds answer: a row has what the text does to it, and a seed changes
// that for three rows of ten.
std::vector<Trial> trials_on_one_test_set(std::size_t rows, double helped, double hurt, Rng& rng) {
  std::vector<int> advantages(rows);
  for (int& advantage : advantages) advantage = drawn_advantage(rng, helped, hurt);
  std::vector<Trial> trials;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::vector<int> of_seed = advantages;
    for (int& advantage : of_seed) {
      if (rng.chance(0.3)) advantage = drawn_advantage(rng, helped, hurt);
    }
    add_pair(trials, seed, of_seed);
  }
  return trials;
}

Trainings of_recipe(const std::vector<Trial>& trials, const std::string& recipe) {
  Trainings found;
  for (const Trial& trial : trials) {
    if (trial.recipe == recipe) found.push_back(&trial);
  }
  return found;
}

// Resampling rows and trainings counts twice what a training changes for a row alone (Owen, "The
// pigeonhole bootstrap", 2007): the promise is kept, and more.
TEST(VerdictOnAGivenSplit, IsAFalseAlarmInAtMostFivePercentOfTextsWithoutEffect) {
  constexpr int kSimulations = 400;
  double alarms = 0, seeds_alone = 0;
  for (int i = 0; i < kSimulations; ++i) {
    Rng rng(10, Stream::simulate, static_cast<std::uint64_t>(i));
    const std::vector<Trial> trials = trials_on_one_test_set(80, 0.25, 0.25, rng);
    const Trainings fused = of_recipe(trials, "image,text"), image = of_recipe(trials, "image");
    alarms += excludes_zero(paired_bootstrap(fused, image, Metric::accuracy, 2));
    std::vector<double> differences;
    for (std::size_t seed = 0; seed < kSeeds; ++seed) {
      differences.push_back(score(fused[seed]->probabilities, fused[seed]->labels, 2).accuracy -
                            score(image[seed]->probabilities, image[seed]->labels, 2).accuracy);
    }
    const Interval by_seeds = corrected_resampled_interval(differences, 0.25);
    seeds_alone += by_seeds.low > 0 || by_seeds.high < 0;
  }
  EXPECT_LT(alarms / kSimulations, 0.065);
  EXPECT_GT(alarms, 0) << "an interval that never excludes zero says nothing";
  EXPECT_GT(seeds_alone / kSimulations, 0.10)
      << "the test over splits must fail where only seeds vary";
}

TEST(VerdictOnAGivenSplit, FindsAnEffectAndSaysThatSeedsAloneDiffer) {
  Rng rng(11, Stream::simulate, 0);
  const std::vector<Trial> trials = trials_on_one_test_set(400, 0.35, 0.1, rng);
  const Comparison comparison = compare(trials, 2, SplitSource::given);
  EXPECT_EQ(comparison.verdict, Verdict::helps);
  const PairDifference& pair = comparison.pairs.front();
  EXPECT_EQ(pair.per_seed.size(), static_cast<std::size_t>(kSeeds));
  EXPECT_NEAR(pair.difference,
              std::accumulate(pair.per_seed.begin(), pair.per_seed.end(), 0.0) / kSeeds, 1e-12);
  const BootstrapResult direct = paired_bootstrap(of_recipe(trials, "image,text"),
                                                  of_recipe(trials, "image"), Metric::accuracy, 2);
  EXPECT_EQ(pair.low, direct.low);
  EXPECT_EQ(pair.p, direct.p);
  EXPECT_EQ(comparison.test,
            "paired bootstrap over groups of the one test set, and over 5 trainings");
  EXPECT_NE(comparison.caution.find("the data's own"), std::string::npos);
  EXPECT_TRUE(compare(trials, 2).caution.empty());
}

}  // namespace
}  // namespace diptych
