// The main job: for every seed one split, or its folds in turn, and on it every recipe (image,
// text, both), trained and asked for the same test rows. Trials run side by side, one thread each,
// so that the results do not depend on how many run at once.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "data/pixels.h"
#include "metrics/comparison.h"
#include "train/trainer.h"

namespace diptych {

struct TrialResult {
  Trial trial;
  std::vector<EpochRecord> history;
  int best_epoch = 0;
  std::string model;  // bytes of the model file; empty unless kept
};

struct TrialProgress {
  std::string recipe;
  std::uint64_t seed = 0;
  int fold = 0;  // as in Trial
  StepProgress step;
};

struct ExperimentOptions {
  std::vector<Inputs> recipes = {Inputs::image, Inputs::text, Inputs::image_text};
  int jobs = 1;                     // trials side by side
  const Dataset* masked = nullptr;  // the same rows with other texts, asked for as well
  std::filesystem::path folder;     // finished trials are kept here and found again; empty: none
  std::function<void(const TrialProgress&)> on_step;  // from several threads; may throw
  std::function<void(const TrialResult&, std::size_t done, std::size_t total)>
      on_trial;  // serialised
};

// The seeds config.seed … config.seed + config.seeds - 1, of each config.folds trials if there are
// folds; config.inputs is replaced by each recipe and config.fold by each fold.
// Results in the order recipe, seed, fold. The first trial of each recipe keeps its model. A trial
// that the folder already holds (same configuration, data and versions) is not trained again.
std::vector<TrialResult> run_experiment(const Config& config, const Dataset& dataset,
                                        const DecodedImages& images,
                                        const ExperimentOptions& options);

}  // namespace diptych
