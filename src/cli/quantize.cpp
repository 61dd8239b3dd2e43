#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "cli/command.h"
#include "cli/loading.h"
#include "cli/model_rows.h"
#include "cli/run_folder.h"
#include "nn/dataset_prediction.h"
#include "nn/quantization.h"

namespace diptych {
namespace {

struct Arguments {
  std::filesystem::path model, data, output;
  double largest_drop = 1;
  bool json = false;
};

using Rows = std::vector<std::int64_t>;

// What is measured for the limits, and what both kinds of arithmetic answer for.
struct Parts {
  Rows calibration, held_out;
};

// Of the model's own dataset, rows that it was trained on and its validation rows; of another one,
// half of the rows each.
Parts parts_of(const Model& model, const Dataset& dataset) {
  constexpr std::size_t kEnough = 256;
  Parts parts;
  if (is_trained_on(model, dataset)) {
    parts = {rows_of_part(model, dataset, "train"), rows_of_part(model, dataset, "validation")};
  } else {
    for (std::size_t row = 0; row < dataset.size(); ++row) {
      (row % 2 ? parts.held_out : parts.calibration).push_back(static_cast<std::int64_t>(row));
    }
  }
  if (parts.calibration.empty() || parts.held_out.empty()) {
    throw Error(ErrorKind::data, "has too few rows to measure on some and compare on others",
                dataset.source(), "give at least two rows; some hundred say more");
  }
  Rng(0, Stream::shuffle).shuffle(std::span(parts.calibration));
  parts.calibration.resize(std::min(parts.calibration.size(), kEnough));
  return parts;
}

struct Agreement {
  double right = 0, right_in_int8 = 0, same = 0;  // shares of the rows
  std::size_t rows = 0;
};

Agreement compare_answers(const Model& model, const Model& quantized, const LoadedData& data,
                          const Rows& rows) {
  const auto classes = static_cast<std::ptrdiff_t>(model.classes().size());
  const auto best = [classes](const std::vector<float>& probabilities, std::size_t row) {
    const auto begin = probabilities.begin() + static_cast<std::ptrdiff_t>(row) * classes;
    return static_cast<int>(std::max_element(begin, begin + classes) - begin);
  };
  const auto whole = predict_rows(model, data.dataset, &data.images, rows);
  const auto small = predict_rows(quantized, data.dataset, &data.images, rows);
  Agreement agreement{.rows = rows.size()};
  const double share = 1.0 / static_cast<double>(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int label = data.dataset[static_cast<std::size_t>(rows[i])].labels.front();
    agreement.right += share * (best(whole, i) == label);
    agreement.right_in_int8 += share * (best(small, i) == label);
    agreement.same += share * (best(whole, i) == best(small, i));
  }
  return agreement;
}

void print(const Arguments& given, const Agreement& agreement) {
  if (given.json) {
    std::cout << nlohmann::json{{"rows", agreement.rows},
                                {"accuracy", agreement.right},
                                {"accuracy_int8", agreement.right_in_int8},
                                {"same_answer", agreement.same}}
                     .dump(2)
              << "\n";
    return;
  }
  std::cout << fmt::format(
      "accuracy {:.4f} in fp32, {:.4f} in int8, over {} rows that were not measured; the same "
      "answer "
      "for {:.1f} %\nwritten to {}: answer with --arithmetic int8\n",
      agreement.right, agreement.right_in_int8, agreement.rows, 100 * agreement.same,
      given.output.string());
}

struct ModelFile {
  std::string where, bytes;
  Model model;
};

ModelFile open_model(const std::filesystem::path& path) {
  const std::string where = Model::file_of(path).string();
  const std::string bytes = read_file(where);
  return {where, bytes, Model::from_bytes(bytes, where)};
}

void run(const Arguments& given, const Config& config, const ModelFile& file) {
  const auto& [where, bytes, model] = file;
  Progress progress;
  LoadOptions loading;
  loading.threads = available_threads();
  loading.classes = model.classes();
  const LoadedData data = load_with_progress(given.data, config, loading, progress);
  progress.line(rows_line(data.dataset));
  const Parts parts = parts_of(model, data.dataset);
  const std::string quantized = quantize(bytes, where, {data.images, parts.calibration});
  const Agreement agreement = compare_answers(
      model, Model::from_bytes(quantized, where, Arithmetic::int8), data, parts.held_out);
  const double drop = 100 * (agreement.right - agreement.right_in_int8);
  if (drop > given.largest_drop) {
    throw Error(ErrorKind::numeric,
                fmt::format("int8 loses {:.2f} points of accuracy over {} rows, more than {:g}",
                            drop, agreement.rows, given.largest_drop),
                where, "allow more with --largest-drop, or answer with --arithmetic bf16");
  }
  write_file(given.output, quantized);
  print(given, agreement);
}

}  // namespace

Action declare_quantize(CLI::App& command) {
  auto given = std::make_shared<Arguments>();
  command.add_option("MODEL", given->model, "A run's folder or a model file")->required();
  add_data(command, "DATA", given->data, "Labelled rows to measure on and to compare answers for")
      ->required();
  command.add_option("-o,--output", given->output, "The model file to write")->required();
  command
      .add_option("--largest-drop", given->largest_drop,
                  "Points of accuracy that int8 may lose; beyond, nothing is written")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command.add_flag("--json", given->json, "As one JSON object");
  const Settings settings(command, {OptionGroup::data, OptionGroup::machine});
  return [given, settings] {
    const ModelFile file = open_model(given->model);
    const ResolvedConfig resolved = settings.resolve(file.model.config());
    if (!settings.print_if_asked(resolved)) run(*given, resolved.config, file);
  };
}

}  // namespace diptych
