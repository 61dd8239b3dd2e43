#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "cli/command.h"
#include "cli/comparison_output.h"
#include "cli/loading.h"
#include "cli/progress.h"
#include "cli/run_folder.h"
#include "cli/stop_signal.h"
#include "cli/torchrun.h"
#include "data/loading.h"
#include "data/picture_scan.h"
#include "metrics/leaks.h"
#include "metrics/table_text.h"
#include "nn/versions.h"
#include "text/label_words.h"
#include "train/experiment.h"

namespace diptych {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path data, output;
  std::vector<std::string> recipes;
  bool overwrite = false, resume = false, json = false;
};

// How much of the whole work is done, from the steps of every trial; the cost of a recipe in
// relation to the others is a guess that only the time left depends on.
class Meter {
 public:
  Meter(Progress& progress, const std::vector<Inputs>& recipes, int runs)
      : progress_(progress), start_(std::chrono::steady_clock::now()) {
    for (Inputs inputs : recipes) total_ += runs * cost(inputs_name(inputs));
  }

  void step(const TrialProgress& at) {
    const std::lock_guard lock(mutex_);
    const StepProgress& step = at.step;
    done_[at.recipe + split_name(at.seed, at.fold)] =
        cost(at.recipe) * (step.epoch - 1 + static_cast<double>(step.step) / step.steps) /
        step.epochs;
    double done = 0;
    for (const auto& [name, share] : done_) done += share;
    const double share = done / total_;
    const double elapsed = seconds();
    progress_.live(
        share, fmt::format("{} {}: epoch {}/{} loss {:.3f} accuracy {:.3f} {:.0f} rows/s  {} left",
                           at.recipe, split_name(at.seed, at.fold), step.epoch, step.epochs,
                           step.loss, step.accuracy, step.rows_per_second,
                           clock_text(elapsed / std::max(share, 1e-6) * (1 - share))));
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  static double cost(const std::string& recipe) {
    return recipe == "text" ? 1 : recipe == "image" ? 5 : 6;
  }
  Progress& progress_;
  std::chrono::steady_clock::time_point start_;
  double total_ = 0;
  std::map<std::string, double> done_;
  std::mutex mutex_;
};

std::vector<Inputs> recipes_of(const Arguments& given) {
  if (given.recipes.empty()) return {Inputs::image, Inputs::text, Inputs::image_text};
  std::vector<Inputs> recipes;
  for (Inputs inputs : {Inputs::image, Inputs::text, Inputs::image_text}) {
    const std::string name = inputs_name(inputs);
    if (std::find(given.recipes.begin(), given.recipes.end(), name) != given.recipes.end()) {
      recipes.push_back(inputs);
    }
  }
  return recipes;
}

void open_run(const Arguments& given) {
  make_output_folder(given.output, given.overwrite || given.resume);
  for (const fs::path& folder : {given.output, given.output / kTrialsName}) {
    remove_partial_files(folder);
  }
  if (given.resume) return;
  fs::remove_all(given.output / kTrialsName);
  for (const char* name : {kResultsName, kReportName, kPredictionsName, kProblemsName}) {
    fs::remove(given.output / name);
  }
}

struct Leaks {
  KnownLeaks known;
  Dataset masked;  // the words of labels left out of the texts
};

Leaks look_for_leaks(const Dataset& dataset, const Config& config, Progress& progress) {
  Leaks leaks;
  leaks.known.rows = std::ssize(dataset.rows());
  const LabelWords words(dataset.classes());
  std::vector<Example> rows(dataset.rows().begin(), dataset.rows().end());
  for (Example& row : rows) {
    const auto found = words.found_in(row.text);
    const auto label = static_cast<std::size_t>(row.labels.front());
    leaks.known.naming_rows += std::binary_search(found.begin(), found.end(), label);
    if (!found.empty()) row.text = words.masked(row.text);
  }
  leaks.masked = Dataset(std::move(rows), dataset.classes());
  if (leaks.known.naming_rows > 0) {
    progress.line(
        fmt::format("{} texts hold the words of their label: scores follow with these "
                    "masked as well",
                    leaks.known.naming_rows));
  }
  if (config.group_by == GroupBy::duplicates) return leaks;
  ScanOptions scan;
  scan.limits = {config.max_megapixels};
  scan.threads = available_threads();
  scan.progress = [&](std::size_t done, std::size_t total) {
    StopSignal::throw_if_raised();
    progress.live(static_cast<double>(done) / static_cast<double>(total), "looking for copies");
  };
  const std::vector<std::size_t> copies = near_copies(dataset, scan);
  leaks.known.copies.assign(copies.begin(), copies.end());
  const std::vector<std::string> groups = joined_groups(dataset, copies);
  std::int64_t apart = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) apart += groups[i] != dataset[i].group;
  if (apart > 0) {
    progress.line(fmt::format(
        "{} rows have copies that a split may part: --group-by duplicates keeps them together",
        apart));
  }
  return leaks;
}

std::vector<TrialResult> run_trials(const Arguments& given, const Config& config,
                                    const LoadedData& data, const Leaks& leaks,
                                    Progress& progress) {
  ExperimentOptions options;
  options.recipes = recipes_of(given);
  options.jobs = config.jobs > 0 ? config.jobs : available_threads();
  options.folder = given.output / kTrialsName;
  if (leaks.known.naming_rows > 0) options.masked = &leaks.masked;
  Meter meter(progress, options.recipes, config.seeds * std::max(1, config.folds));
  options.on_step = [&](const TrialProgress& at) {
    StopSignal::throw_if_raised();
    meter.step(at);
  };
  options.on_trial = [&](const TrialResult& result, std::size_t done, std::size_t total) {
    const Trial& trial = result.trial;
    const int classes = static_cast<int>(data.dataset.classes().size());
    progress.line(fmt::format("{:2}/{} {:<10} {}: test accuracy {:.1f} %, {:.0f} s", done, total,
                              trial.recipe, split_name(trial.seed, trial.fold),
                              100 * score(trial.probabilities, trial.labels, classes).accuracy,
                              trial.seconds));
  };
  return run_experiment(config, data.dataset, data.images, options);
}

void run(const Arguments& given, const Config& config) {
  const auto start = std::chrono::steady_clock::now();
  const StopSignal listening;
  require_device(config);
  open_run(given);
  Progress progress;
  Config reading = config;
  reading.inputs = Inputs::image_text;  // every recipe gets the same rows
  const LoadedData data =
      load_with_progress(given.data, reading, {.threads = available_threads()}, progress);
  write_file(given.output / kProblemsName, problems_csv(data.dataset.problems()));
  progress.line(rows_line(data.dataset));
  require_test_rows(data.dataset);
  make_split(data.dataset, split_options(config), config.seed);  // what cannot be split fails here

  const Leaks leaks = look_for_leaks(data.dataset, config, progress);
  const std::vector<TrialResult> results = run_trials(given, config, data, leaks, progress);
  std::vector<Trial> trials;
  for (const TrialResult& result : results) trials.push_back(result.trial);
  const int classes = static_cast<int>(data.dataset.classes().size());
  const bool given_split = data.dataset.gives_split();
  const Comparison comparison =
      compare(trials, classes, given_split ? SplitSource::given : SplitSource::drawn);
  const std::vector<Leak> measured = measure_leaks(trials, leaks.known, classes);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  nlohmann::json json = results_json(comparison, data.dataset, {config, seconds});
  json["leaks"] = to_json(measured);
  write_file(given.output / kPredictionsName, predictions_csv(trials, data.dataset));
  write_file(given.output / kResultsName, json.dump(2) + "\n");
  write_file(given.output / kReportName, report_page(json, results, data.dataset));
  if (given.json) {
    std::cout << json.dump(2) << "\n";
  } else {
    std::cout << format_table(comparison) << format_leaks(measured);
  }
  progress.line(fmt::format("report: {}  ({} for {} trials)", (given.output / kReportName).string(),
                            clock_text(seconds), results.size()));
}

}  // namespace

Action declare_compare(CLI::App& command) {
  auto given = std::make_shared<Arguments>();
  add_data(command, "DATA", given->data, "A table, a folder or shards: see below")->required();
  command.add_option("-o,--output", given->output, "Where results.json and report.html go")
      ->required();
  auto* recipe = command.add_option("--recipe", given->recipes,
                                    "Only this recipe; may be repeated (default: all three)");
  allow_only(recipe->allow_extra_args(false), {"image", "text", "image,text"});
  command.add_flag("--overwrite", given->overwrite, "Replace the run that the folder holds");
  command.add_flag("--resume", given->resume, "Keep the trials that are finished, run the others");
  command.add_flag("--json", given->json, "Print results.json instead of the table");
  const Settings settings(
      command, {OptionGroup::preset, OptionGroup::data, OptionGroup::model, OptionGroup::training,
                OptionGroup::comparison, OptionGroup::machine, OptionGroup::device});
  return [given, settings] {
    const ResolvedConfig resolved = settings.resolve();
    if (settings.print_if_asked(resolved)) return;
    if (torchrun_rank().size > 1) {
      throw Error(ErrorKind::usage, "several processes cannot share a comparison", "",
                  "start one without torchrun: it trains --jobs models side by side");
    }
    run(*given, resolved.config);
  };
}

}  // namespace diptych
