// The main job: paired trials whose results depend on nothing but their settings and data.
#include "train/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "base/file.h"
#include "diptych/model.h"
#include "train/made_up_training.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;

Config two_seeds() {
  Config config = quick(Preset::standard);
  config.epochs = 2;
  return config;
}

struct Finished {
  std::vector<TrialResult> results;
  int trained = 0;  // trials that took a step
  int told = 0;     // trials that were reported
};

Finished run(const MadeUpRows& made, const Config& config, ExperimentOptions options) {
  Finished ran;
  std::atomic<int> trained{0};
  options.on_step = [&](const TrialProgress& progress) {
    if (progress.step.epoch == 1 && progress.step.step == 1) ++trained;
  };
  options.on_trial = [&](const TrialResult&, std::size_t done, std::size_t total) {
    EXPECT_EQ(static_cast<int>(done), ++ran.told);
    EXPECT_EQ(total, options.recipes.size() * static_cast<std::size_t>(config.seeds));
  };
  ran.results = run_experiment(config, made.dataset, made.images, options);
  ran.trained = trained;
  return ran;
}

void expect_same(const std::vector<TrialResult>& a, const std::vector<TrialResult>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    SCOPED_TRACE(a[i].trial.recipe + " " + std::to_string(a[i].trial.seed));
    EXPECT_EQ(a[i].trial.recipe, b[i].trial.recipe);
    EXPECT_EQ(a[i].trial.seed, b[i].trial.seed);
    EXPECT_EQ(a[i].trial.rows, b[i].trial.rows);
    EXPECT_EQ(a[i].trial.labels, b[i].trial.labels);
    EXPECT_EQ(a[i].trial.groups, b[i].trial.groups);
    EXPECT_EQ(a[i].trial.train_rows, b[i].trial.train_rows);
    EXPECT_EQ(a[i].trial.probabilities, b[i].trial.probabilities);
    EXPECT_EQ(a[i].best_epoch, b[i].best_epoch);
    EXPECT_EQ(a[i].model, b[i].model);
  }
}

TEST(Experiment, RunsEveryRecipeOnTheSameSplitOfEachSeed) {
  const MadeUpRows made = quick_rows();
  const Config config = two_seeds();
  const Finished one = run(made, config, {});
  ASSERT_EQ(one.results.size(), 6u);
  EXPECT_EQ(one.trained, 6);
  EXPECT_EQ(one.told, 6);
  const char* const recipes[] = {"image", "text", "image,text"};
  for (std::size_t i = 0; i < 6; ++i) {
    const TrialResult& result = one.results[i];
    EXPECT_EQ(result.trial.recipe, recipes[i / 2]);
    EXPECT_EQ(result.trial.seed, config.seed + i % 2);
    EXPECT_EQ(result.trial.fold, 0);
    EXPECT_EQ(result.trial.rows, one.results[i % 2].trial.rows);
    EXPECT_EQ(result.trial.probabilities.size(), result.trial.rows.size() * 3);
    EXPECT_EQ(result.history.size(), 2u);
    EXPECT_EQ(result.model.empty(), i % 2 == 1);  // the first seed's models are kept
    for (std::size_t row = 0; row < result.trial.rows.size(); ++row) {
      const Example& example = made.dataset[static_cast<std::size_t>(result.trial.rows[row])];
      EXPECT_EQ(result.trial.labels[row], example.labels.front());
      EXPECT_EQ(result.trial.groups[row], example.id);  // its own group
    }
    EXPECT_EQ(result.trial.train_rows + static_cast<std::int64_t>(result.trial.rows.size()), 80);
  }
  EXPECT_NE(one.results[0].trial.rows, one.results[1].trial.rows);
  EXPECT_EQ(Model::from_bytes(one.results[2].model, "kept").config().inputs, Inputs::text);
}

TEST(Experiment, GivesTheSameWhateverRunsSideBySide) {
  const MadeUpRows made = quick_rows();
  ExperimentOptions two_jobs;
  two_jobs.jobs = 2;
  expect_same(run(made, two_seeds(), {}).results, run(made, two_seeds(), two_jobs).results);
}

TEST(Experiment, FindsFinishedTrialsAndTrainsTheRest) {
  const MadeUpRows made = quick_rows();
  const TemporaryFolder folder("experiment_test");
  ExperimentOptions options;
  options.folder = folder / "trials";
  const Config config = two_seeds();
  const Finished first = run(made, config, options);
  EXPECT_EQ(first.trained, 6);
  const Finished again = run(made, config, options);
  EXPECT_EQ(again.trained, 0);
  EXPECT_EQ(again.told, 6);
  expect_same(first.results, again.results);

  // One is gone, one is damaged, one has lost its model, one is another's, one is not JSON.
  const auto trial = [&](const char* name) { return folder.path() / "trials" / name; };
  fs::remove(trial("image-1.json"));
  std::string text = read_file(trial("image-2.json"));
  const std::size_t place = text.find("\"probabilities\":[0.") + 19;
  text[place] = text[place] == '5' ? '4' : '5';
  write_file(trial("image-2.json"), text);
  fs::remove(trial("text-1.safetensors"));
  fs::copy_file(trial("image+text-1.json"), trial("text-2.json"),
                fs::copy_options::overwrite_existing);
  write_file(trial("image+text-2.json"), std::string(100000, '['));
  const Finished mended = run(made, config, options);
  EXPECT_EQ(mended.trained, 5);
  expect_same(first.results, mended.results);
  EXPECT_EQ(run(made, config, options).trained, 0);

  Config other = config;
  other.dropout = 0.45;
  EXPECT_EQ(run(made, other, options).trained, 6);
  Config more = other;
  more.seeds = 3;
  EXPECT_EQ(run(made, more, options).trained, 3);
}

TEST(Experiment, TestsEveryRowOnceASeedOverFolds) {
  const MadeUpRows made = quick_rows();
  const TemporaryFolder folder("folds_test");
  ExperimentOptions options;
  options.recipes = {Inputs::text, Inputs::image_text};
  options.folder = folder / "trials";
  Config config = two_seeds();
  config.folds = 3;
  config.test_fraction = Config().test_fraction;
  config.seeds = 1;
  const auto run_folds = [&] { return run_experiment(config, made.dataset, made.images, options); };
  const std::vector<TrialResult> once = run_folds();
  ASSERT_EQ(once.size(), 6u);
  std::vector<int> tested(made.dataset.size());
  for (std::size_t i = 0; i < once.size(); ++i) {
    EXPECT_EQ(once[i].trial.recipe, i < 3 ? "text" : "image,text");
    EXPECT_EQ(once[i].trial.seed, config.seed);
    EXPECT_EQ(once[i].trial.fold, static_cast<int>(i % 3) + 1);
    EXPECT_EQ(once[i].trial.rows, once[i % 3].trial.rows);
    EXPECT_EQ(once[i].model.empty(), i % 3 != 0) << "the first fold's models are kept";
    for (std::int64_t row : once[i].trial.rows) ++tested[static_cast<std::size_t>(row)];
  }
  EXPECT_THAT(tested, testing::Each(2));

  // More seeds keep what is there; the kept model is that of its seed and fold.
  config.seeds = 2;
  int trained = 0;
  options.on_step = [&](const TrialProgress& at) {
    trained += at.step.epoch == 1 && at.step.step == 1;
    EXPECT_EQ(at.seed, config.seed + 1);
  };
  const std::vector<TrialResult> twice = run_folds();
  EXPECT_EQ(trained, 6);
  ASSERT_EQ(twice.size(), 12u);
  EXPECT_EQ(twice[3].trial.seed, config.seed + 1);
  EXPECT_NE(twice[3].trial.rows, twice[0].trial.rows);
  EXPECT_EQ(twice[1].trial.probabilities, once[1].trial.probabilities);
  const Config kept = Model::from_bytes(twice[0].model, "kept").config();
  EXPECT_TRUE(std::ranges::equal(make_split(made.dataset, split_options(kept), kept.seed).test,
                                 twice[0].trial.rows));
}

TEST(Experiment, AsksAgainWithOtherTextsThoseThatReadThem) {
  const MadeUpRows made = quick_rows();
  std::vector<Example> rows(made.dataset.rows().begin(), made.dataset.rows().end());
  for (Example& row : rows) row.text = "";
  const Dataset wordless(rows, made.dataset.classes());
  const TemporaryFolder folder("masked_test");
  ExperimentOptions options;
  options.masked = &made.dataset;
  options.folder = folder / "trials";
  for (const TrialResult& result : run(made, two_seeds(), options).results) {
    const bool reads = result.trial.recipe != "image";
    EXPECT_EQ(result.trial.masked_probabilities,
              reads ? result.trial.probabilities : std::vector<float>());
  }
  const Finished again = run(made, two_seeds(), options);
  EXPECT_EQ(again.trained, 0);
  EXPECT_EQ(again.results.back().trial.masked_probabilities,
            again.results.back().trial.probabilities);
  options.masked = &wordless;
  options.folder.clear();
  const Trial masked = run(made, two_seeds(), options).results.back().trial;
  EXPECT_EQ(masked.masked_probabilities.size(), masked.probabilities.size());
  EXPECT_NE(masked.masked_probabilities, masked.probabilities);
}

}  // namespace
}  // namespace diptych
