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
    const BootstrapResult result = paired_bootstrap(trials[1], trials[0], Metric::accuracy, 2);
    grouped += excludes_zero(result);
    by_p += result.p < 0.05;
    if (i % 4 != 0) continue;
    for (std::size_t row = 0; row < trials[1].groups.size(); ++row) {
      trials[1].groups[row] = std::to_string(row);
    }
    ungrouped += 4 * excludes_zero(paired_bootstrap(trials[1], trials[0], Metric::accuracy, 2));
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
    const BootstrapResult direct = paired_bootstrap(trials[1], trials[0], Metric::accuracy, 2);
    EXPECT_EQ(comparison.pairs.front().low, direct.low);
    EXPECT_EQ(comparison.pairs.front().p, direct.p);
    helps += comparison.verdict == Verdict::helps;
    hurts += comparison.verdict == Verdict::hurts;
  }
  EXPECT_GE(helps, 7);
  EXPECT_EQ(hurts, 0);
}

}  // namespace
}  // namespace diptych
