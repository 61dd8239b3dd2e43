#include "cli/comparison_output.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/csv.h"
#include "base/error.h"
#include "base/parallel.h"
#include "config/options.h"
#include "data/pixels.h"
#include "metrics/scores.h"
#include "nn/dataset_prediction.h"
#include "nn/versions.h"
#include "report/report.h"

namespace diptych {
namespace {

using nlohmann::json;

constexpr std::size_t kGallerySide = 12;  // pictures of each kind

float probability_of(const Trial& trial, std::size_t row, std::int32_t chosen) {
  const std::size_t classes = trial.probabilities.size() / trial.rows.size();
  return trial.probabilities[row * classes + static_cast<std::size_t>(chosen)];
}

const TrialResult* find(std::span<const TrialResult> trials, const std::string& recipe) {
  const auto found = std::find_if(trials.begin(), trials.end(), [&](const TrialResult& result) {
    return result.trial.recipe == recipe;
  });
  return found == trials.end() ? nullptr : &*found;
}

// Of the first seed: where the text changed a right or wrong answer, the most confident first.
std::vector<GalleryItem> gallery(std::span<const TrialResult> trials, const Dataset& dataset) {
  const TrialResult* image_result = find(trials, "image");
  const TrialResult* fused_result = find(trials, "image,text");
  if (!image_result || !fused_result) return {};
  const Trial& image = image_result->trial;
  const Trial& fused = fused_result->trial;
  const auto& classes = dataset.classes();
  const auto image_answers =
      predicted_classes(image.probabilities, static_cast<int>(classes.size()));
  const auto fused_answers =
      predicted_classes(fused.probabilities, static_cast<int>(classes.size()));
  const auto name = [&](std::int32_t k) { return classes[static_cast<std::size_t>(k)]; };
  std::vector<std::size_t> order(image.rows.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return probability_of(fused, a, fused_answers[a]) > probability_of(fused, b, fused_answers[b]);
  });
  std::vector<GalleryItem> items;
  std::vector<Example> rows;
  for (const bool gained : {true, false}) {
    std::size_t taken = 0;
    for (std::size_t i : order) {
      const std::int32_t label = image.labels[i];
      if ((fused_answers[i] == label) != gained || (image_answers[i] == label) == gained) continue;
      if (++taken > kGallerySide) break;
      rows.push_back(dataset[static_cast<std::size_t>(image.rows[i])]);
      items.push_back({rows.back().id, rows.back().text, name(label), name(image_answers[i]),
                       probability_of(image, i, image_answers[i]), name(fused_answers[i]),
                       probability_of(fused, i, fused_answers[i]), "", gained});
    }
  }
  const std::vector<std::string> pngs = small_pngs(std::move(rows));
  for (std::size_t i = 0; i < pngs.size(); ++i) items[i].png = pngs[i];
  return items;
}

std::vector<Curve> curves(std::span<const TrialResult> trials) {
  std::vector<Curve> all;
  for (const TrialResult& result : trials) {
    Curve curve{result.trial.recipe, result.trial.seed, result.best_epoch, {}};
    for (const EpochRecord& epoch : result.history) {
      curve.points.push_back({epoch.epoch, epoch.train_accuracy, epoch.train_loss,
                              epoch.validation_accuracy, epoch.validation_loss});
    }
    all.push_back(std::move(curve));
  }
  return all;
}

}  // namespace

std::vector<std::string> small_pngs(std::vector<Example> rows) {
  constexpr int kSide = 112;
  for (Example& row : rows) row.labels.clear();  // their classes are not asked for
  const DecodedImages images =
      decode_images(Dataset(std::move(rows), {}), {kSide, ImageFit::pad, {}, 1});
  std::vector<std::string> pngs(images.present.size());
  std::vector<std::uint8_t> buffer;
  for (std::size_t i = 0; i < pngs.size(); ++i) {
    if (!images.present[i]) continue;
    const auto pixels = images.row(i, buffer);
    pngs[i] = encode_png({kSide, kSide, {pixels.begin(), pixels.end()}});
  }
  return pngs;
}

std::string dataset_title(const Dataset& dataset) {
  const std::filesystem::path source(dataset.source());
  return source.stem() == "data" && source.has_parent_path()
             ? source.parent_path().filename().string()
             : source.stem().string();
}

json results_json(const Comparison& comparison, const Dataset& dataset, const RunFacts& facts) {
  json results = to_json(comparison, dataset.classes());
  results["rows"] = {
      {"read", dataset.rows_read()}, {"used", dataset.size()}, {"skipped", dataset.skipped()}};
  results["classes"] = dataset.classes();
  results["seconds"] = facts.seconds;
  for (const Option& option : kept_options()) {
    if (option.name != "inputs" && option.name != "fold")
      results["config"][option.name] = option.get(facts.config);
  }
  const std::time_t now = std::time(nullptr);
  results["provenance"] = {{"diptych", DIPTYCH_VERSION},
                           {"torch", torch_version()},
                           {"precision", precision_name(facts.config)},
                           {"device", device_name(facts.config)},
                           {"data", std::filesystem::path(dataset.source()).filename().string()},
                           {"data_digest", dataset.digest()},
                           {"processors", std::to_string(available_threads())},
                           {"created", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now))}};
  return results;
}

std::string predictions_csv(std::span<const Trial> trials, const Dataset& dataset) {
  std::string csv = "seed,fold,recipe,row,id,label,answer,probability\n";
  const auto& classes = dataset.classes();
  for (const Trial& trial : trials) {
    const auto answers = predicted_classes(trial.probabilities, static_cast<int>(classes.size()));
    for (std::size_t i = 0; i < trial.rows.size(); ++i) {
      const Example& example = dataset[static_cast<std::size_t>(trial.rows[i])];
      csv += fmt::format("{},{},{},{},{},{},{},{:.6f}\n", trial.seed, trial.fold,
                         csv_cell(trial.recipe), example.row, csv_cell(example.id),
                         csv_cell(classes[static_cast<std::size_t>(trial.labels[i])]),
                         csv_cell(classes[static_cast<std::size_t>(answers[i])]),
                         probability_of(trial, i, answers[i]));
    }
  }
  return csv;
}

std::string report_page(const json& results, std::span<const TrialResult> trials,
                        const Dataset& dataset) {
  return render_report(results, {dataset_title(dataset), curves(trials), gallery(trials, dataset)});
}

}  // namespace diptych
