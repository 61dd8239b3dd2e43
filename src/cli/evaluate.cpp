#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/file.h"
#include "base/parallel.h"
#include "cli/command.h"
#include "cli/loading.h"
#include "cli/model_rows.h"
#include "cli/progress.h"
#include "cli/run_folder.h"
#include "data/loading.h"
#include "diptych/model.h"
#include "metrics/comparison.h"
#include "metrics/table_text.h"
#include "nn/dataset_prediction.h"

namespace diptych {
namespace {

struct Arguments {
  std::filesystem::path model, data;
  std::string split = "all";
  bool json = false;
  Arithmetic arithmetic = Arithmetic::fp32;
};

Trial answer_rows(const Model& model, const LoadedData& data, std::vector<std::int64_t> rows) {
  Trial trial;
  trial.recipe = inputs_name(model.config().inputs);
  trial.probabilities = predict_rows(model, data.dataset, &data.images, rows);
  for (std::int64_t row : rows) {
    const Example& example = data.dataset[static_cast<std::size_t>(row)];
    trial.labels.push_back(example.labels.front());
    trial.groups.push_back(example.group.empty() ? example.id : example.group);
  }
  trial.rows = std::move(rows);
  trial.train_rows = 1;
  return trial;
}

void run(const Arguments& given, const Config& config, const Model& model) {
  Progress progress;
  LoadOptions loading;
  loading.threads = available_threads();
  if (given.split == "all") loading.classes = model.classes();
  const LoadedData data = load_with_progress(given.data, config, loading, progress);
  progress.line(rows_line(data.dataset));
  std::vector<std::int64_t> rows(data.dataset.size());
  std::iota(rows.begin(), rows.end(), 0);
  if (given.split != "all") rows = rows_of_part(model, data.dataset, given.split);

  const Trial trial = answer_rows(model, data, std::move(rows));
  const Comparison comparison =
      compare(std::span(&trial, 1), static_cast<int>(model.classes().size()));
  if (given.json) {
    nlohmann::json result = to_json(comparison, model.classes())["recipes"][trial.recipe];
    result.erase("seconds");
    result["rows"] = trial.rows.size();
    result["skipped"] = data.dataset.skipped();
    std::cout << result.dump(2) << "\n";
    return;
  }
  std::cout << format_scores(comparison) << format_classes(comparison, model.classes());
}

}  // namespace

Action declare_evaluate(CLI::App& command) {
  auto given = std::make_shared<Arguments>();
  command.add_option("MODEL", given->model, "A run's folder or a model file")->required();
  add_data(command, "DATA", given->data, "A table, a folder or shards: see below")->required();
  auto* split = command.add_option("--split", given->split,
                                   "Which rows: all, or those of the model's own split");
  allow_only(split->capture_default_str(), {"all", "test", "validation", "train"});
  command.add_flag("--json", given->json, "As one JSON object");
  add_arithmetic(command, given->arithmetic);
  const Settings settings(command, {OptionGroup::data, OptionGroup::machine, OptionGroup::device});
  return [given, settings] {
    const Model model = Model::load(given->model, given->arithmetic);
    const ResolvedConfig resolved = settings.resolve(model.config());
    if (settings.print_if_asked(resolved)) return;
    run(*given, resolved.config, model.on(resolved.config.device));
  };
}

}  // namespace diptych
