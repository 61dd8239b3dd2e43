#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "data/loading.h"
#include "data/preprocessor.h"
#include "diptych/model.h"
#include "nn/dataset_prediction.h"

namespace diptych {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct Arguments {
  fs::path model, table, image, output;
  std::string text;
  bool json = false;
};

// One answer or one reason why there is none.
struct Line {
  std::string id;
  std::string error;                 // empty: answered
  std::vector<float> probabilities;  // [K]
};

std::size_t best_of(const Line& line) {
  return static_cast<std::size_t>(
      std::max_element(line.probabilities.begin(), line.probabilities.end()) -
      line.probabilities.begin());
}

std::string json_line(const Line& line, const std::vector<std::string>& classes) {
  ordered_json object = {{"id", line.id}};
  if (!line.error.empty()) {
    object["error"] = line.error;
    return object.dump();
  }
  object["class"] = classes[best_of(line)];
  object["probability"] = line.probabilities[best_of(line)];
  for (std::size_t k = 0; k < classes.size(); ++k) {
    object["probabilities"][classes[k]] = line.probabilities[k];
  }
  return object.dump();
}

std::string csv_line(const Line& line, const std::vector<std::string>& classes) {
  if (!line.error.empty()) return fmt::format("{},,,{}", csv_cell(line.id), csv_cell(line.error));
  return fmt::format("{},{},{:.6f},", csv_cell(line.id), csv_cell(classes[best_of(line)]),
                     line.probabilities[best_of(line)]);
}

constexpr const char* kCsvHeader = "id,class,probability,error";

// Answers a part of the rows: pictures in memory are bounded by it.
void answer_part(const Model& model, const std::vector<Example>& rows, std::vector<Line>& lines) {
  const Dataset part(rows, model.classes());
  DecodedImages images;
  std::map<std::int64_t, std::string> errors;
  if (model.preprocessor().takes_image()) {
    images = decode_images(part, model.preprocessor().decode_options(available_threads()));
    for (const RowProblem& problem : images.problems) {
      errors[problem.row] = fmt::format("{}: {}", problem_name(problem.problem), problem.detail);
    }
    for (const Example& row : rows) {
      if (row.image.empty()) errors[row.row] = "missing image: the cell is empty";
    }
  }
  std::vector<std::int64_t> all(rows.size());
  std::iota(all.begin(), all.end(), 0);
  const std::vector<float> probabilities = predict_rows(model, part, &images, all);
  const std::size_t classes = model.classes().size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Line line{rows[i].id, "", {}};
    if (const auto error = errors.find(rows[i].row); error != errors.end()) {
      line.error = error->second;
    } else {
      const auto begin = probabilities.begin() + static_cast<std::ptrdiff_t>(i * classes);
      line.probabilities.assign(begin, begin + static_cast<std::ptrdiff_t>(classes));
    }
    lines.push_back(std::move(line));
  }
}

std::vector<Line> answer_table(const Arguments& given, const Model& model, const Config& config) {
  ReadOptions reading = read_options(config);
  reading.needs_label = false;
  reading.skips_empty_image = false;  // answered with an error, in its place
  const Dataset dataset = read_dataset(given.table, reading);
  Progress progress;
  constexpr std::size_t kPart = 512;
  std::vector<Line> lines;
  for (std::size_t begin = 0; begin < dataset.size(); begin += kPart) {
    std::vector<Example> part;
    for (std::size_t i = begin; i < std::min(begin + kPart, dataset.size()); ++i) {
      part.push_back(dataset[i]);
    }
    answer_part(model, part, lines);
    progress.live(static_cast<double>(lines.size()) / static_cast<double>(dataset.size()),
                  "predicting");
  }
  return lines;
}

void write_lines(const Arguments& given, const Model& model, const std::vector<Line>& lines) {
  const bool json = given.json || given.output.extension() == ".jsonl";
  std::string text = json ? "" : std::string(kCsvHeader) + "\n";
  for (const Line& line : lines) {
    text += (json ? json_line(line, model.classes()) : csv_line(line, model.classes())) + "\n";
  }
  if (given.output.empty()) {
    std::cout << text;
    return;
  }
  write_file(given.output, text);
  const auto failed = std::count_if(lines.begin(), lines.end(),
                                    [](const Line& line) { return !line.error.empty(); });
  std::cerr << fmt::format("{} rows: {} answered, {} not; in {}\n", lines.size(),
                           lines.size() - static_cast<std::size_t>(failed), failed,
                           given.output.string());
}

void answer_one(const Arguments& given, const Model& model) {
  Question question;
  if (!given.image.empty()) question.image = given.image;
  question.text = given.text;
  const Line line{given.image.empty() ? "text" : given.image.string(), "",
                  model.answer(question).probabilities};
  if (given.json) {
    std::cout << json_line(line, model.classes()) << "\n";
    return;
  }
  std::vector<std::size_t> order(line.probabilities.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return line.probabilities[a] > line.probabilities[b];
  });
  for (std::size_t k : order) {
    std::cout << fmt::format("{:6.2f} %  {}\n", 100 * line.probabilities[k], model.classes()[k]);
  }
}

}  // namespace

Action declare_predict(CLI::App& command) {
  auto given = std::make_shared<Arguments>();
  command.add_option("MODEL", given->model, "A run's folder or a model file")->required();
  auto* table =
      add_data(command, "TABLE", given->table, "Rows to answer for: a table, a folder or shards");
  command.add_option("--image", given->image, "One picture")->excludes(table);
  command.add_option("--text", given->text, "Its text")->excludes(table);
  command.add_option("-o,--output", given->output, "Where the answers go: .csv or .jsonl")
      ->needs(table);
  command.add_flag("--json", given->json, "A JSON object per row, with every class's probability");
  const Settings settings(command, {OptionGroup::data});
  return [given, settings] {
    const Model model = Model::load(given->model);
    const ResolvedConfig resolved = settings.resolve(model.config());
    if (settings.print_if_asked(resolved)) return;
    if (given->table.empty()) return answer_one(*given, model);
    write_lines(*given, model, answer_table(*given, model, resolved.config));
  };
}

}  // namespace diptych
