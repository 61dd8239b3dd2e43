#include "train/experiment.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "config/options.h"
#include "nn/dataset_prediction.h"
#include "train/trial_file.h"

namespace diptych {
namespace {

struct Plan {
  Config config;
  int fold = 0;           // as in Trial
  std::size_t place = 0;  // in the results
  bool keeps_model = false;
};

class StepObserver : public Observer {
 public:
  StepObserver(const ExperimentOptions& options, const Plan& plan)
      : options_(options),
        progress_{inputs_name(plan.config.inputs), plan.config.seed, plan.fold, {}} {}
  void on_step(const StepProgress& step) override {
    if (!options_.on_step) return;
    progress_.step = step;
    options_.on_step(progress_);
  }

 private:
  const ExperimentOptions& options_;
  TrialProgress progress_;
};

TrialResult run_trial(const Plan& plan, const Dataset& dataset, const DecodedImages& images,
                      const ExperimentOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const Split split = make_split(dataset, split_options(plan.config), plan.config.seed);
  StepObserver observer(options, plan);
  TrainOptions train_options;  // one thread
  TrainResult trained = train(plan.config, {dataset, &images, split}, train_options, observer);
  const Model model = Model::from_bytes(trained.model, "the trained model").on(plan.config.device);

  TrialResult result;
  result.trial.recipe = inputs_name(plan.config.inputs);
  result.trial.seed = plan.config.seed;
  result.trial.fold = plan.fold;
  result.trial.train_rows = static_cast<std::int64_t>(split.train.size() + split.validation.size());
  result.trial.rows.assign(split.test.begin(), split.test.end());
  result.trial.probabilities = predict_rows(model, dataset, &images, split.test);
  if (options.masked != nullptr && plan.config.inputs != Inputs::image) {
    result.trial.masked_probabilities = predict_rows(model, *options.masked, &images, split.test);
  }
  for (std::int64_t row : split.test) {
    const Example& example = dataset[static_cast<std::size_t>(row)];
    result.trial.labels.push_back(example.labels.front());
    result.trial.groups.push_back(example.group.empty() ? example.id : example.group);
  }
  result.history = std::move(trained.history);
  result.best_epoch = trained.best_epoch;
  if (plan.keeps_model) result.model = std::move(trained.model);
  result.trial.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

// The long ones first, so that the last to finish is a short one.
std::vector<Plan> plan_trials(const Config& config, const ExperimentOptions& options) {
  std::vector<Plan> plans;
  for (Inputs inputs : options.recipes) {
    const int folds = std::max(1, config.folds);
    for (int run = 0; run < config.seeds * folds; ++run) {
      Plan plan{config, config.folds > 0 ? run % folds + 1 : 0, plans.size(), run == 0};
      plan.config.inputs = inputs;
      plan.config.seed = config.seed + static_cast<std::uint64_t>(run / folds);
      plan.config.fold = run % folds + 1;
      plans.push_back(plan);
    }
  }
  const auto cost = [](Inputs inputs) {
    switch (inputs) {
      case Inputs::text:
        return 1;
      case Inputs::image:
        return 2;
      case Inputs::image_text:
        return 3;
    }
    return 0;
  };
  std::stable_sort(plans.begin(), plans.end(), [&](const Plan& a, const Plan& b) {
    return cost(a.config.inputs) > cost(b.config.inputs);
  });
  return plans;
}

}  // namespace

std::vector<TrialResult> run_experiment(const Config& config, const Dataset& dataset,
                                        const DecodedImages& images,
                                        const ExperimentOptions& options) {
  const std::vector<Plan> plans = plan_trials(config, options);
  std::vector<TrialResult> results(plans.size());
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(plans.size(), options.jobs, [&](std::size_t i) {
    const Plan& plan = plans[i];
    const TrialFile file(options.folder, plan.config, dataset.digest_for(plan.config.inputs));
    TrialResult result;
    if (!file.load(result)) {
      result = run_trial(plan, dataset, images, options);
      file.save(result);
    }
    const std::lock_guard lock(mutex);
    results[plan.place] = std::move(result);
    if (options.on_trial) options.on_trial(results[plan.place], ++done, plans.size());
  });
  return results;
}

}  // namespace diptych
