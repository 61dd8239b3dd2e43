#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/torchrun.h"
#include "data/loading.h"
#include "diptych/model.h"
#include "nn/answering.h"

namespace diptych {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct Arguments {
  fs::path model, table, image, output;
  std::string text;
  bool json = false;
  Arithmetic arithmetic = Arithmetic::fp32;
};

struct Line {
  std::string id;
  RowAnswer answer;
};

std::size_t best_of(const std::vector<float>& probabilities) {
  return static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                                  probabilities.begin());
}

std::string json_line(const Line& line, const std::vector<std::string>& classes) {
  ordered_json object = {{"id", line.id}};
  const auto& [error, probabilities] = line.answer;
  if (!error.empty()) {
    object["error"] = error;
    return object.dump();
  }
  object["class"] = classes[best_of(probabilities)];
  object["probability"] = probabilities[best_of(probabilities)];
  for (std::size_t k = 0; k < classes.size(); ++k) {
    object["probabilities"][classes[k]] = probabilities[k];
  }
  return object.dump();
}

std::string csv_line(const Line& line, const std::vector<std::string>& classes) {
  const auto& [error, probabilities] = line.answer;
  if (!error.empty()) return fmt::format("{},,,{}", csv_cell(line.id), csv_cell(error));
  const std::size_t best = best_of(probabilities);
  return fmt::format("{},{},{:.6f},", csv_cell(line.id), csv_cell(classes[best]),
                     probabilities[best]);
}

constexpr const char* kCsvHeader = "id,class,probability,error";

// One after the other, the shares of all processes are the whole.
Dataset own_rows(const Dataset& whole, const std::vector<std::string>& classes, const Rank& rank) {
  if (rank.size == 1) return whole;
  std::vector<Example> rows;
  const std::size_t end = Rank{rank.rank + 1, rank.size}.first_of(whole.size());
  for (std::size_t i = rank.first_of(whole.size()); i < end; ++i) rows.push_back(whole[i]);
  return Dataset(rows, classes);
}

// answers.csv becomes answers-00001-of-00004.csv, in whose order the parts are the whole file.
fs::path own_part(const fs::path& output, const Rank& rank) {
  if (rank.size == 1) return output;
  if (output.empty()) {
    throw Error(ErrorKind::usage, "several processes cannot write one stream of answers", "",
                "give -o: each process writes a part of that file");
  }
  fs::path part = output;
  part.replace_filename(fmt::format("{}-{:05}-of-{:05}{}", output.stem().string(), rank.rank,
                                    rank.size, output.extension().string()));
  return part;
}

std::vector<Line> answer_table(const Arguments& given, const Model& model, const Config& config,
                               const Rank& rank) {
  ReadOptions reading = read_options(config);
  reading.needs_label = false;
  reading.skips_empty_image = false;  // answered with an error, in its place
  const Dataset dataset = own_rows(read_dataset(given.table, reading), model.classes(), rank);
  Progress progress(rank.rank == 0);
  std::vector<RowAnswer> answers = answer_dataset(
      model, dataset, threads_of_process(), [&progress](std::size_t done, std::size_t total) {
        progress.live(static_cast<double>(done) / static_cast<double>(total), "predicting");
      });
  std::vector<Line> lines;
  for (std::size_t row = 0; row < answers.size(); ++row) {
    lines.push_back({dataset[row].id, std::move(answers[row])});
  }
  return lines;
}

void write_lines(const Arguments& given, const Model& model, const std::vector<Line>& lines,
                 const Rank& rank) {
  const bool json = given.json || given.output.extension() == ".jsonl";
  std::string text = json || rank.rank > 0 ? "" : std::string(kCsvHeader) + "\n";
  for (const Line& line : lines) {
    text += (json ? json_line(line, model.classes()) : csv_line(line, model.classes())) + "\n";
  }
  if (given.output.empty()) {
    std::cout << text;
    return;
  }
  write_file(given.output, text);
  const auto failed = std::count_if(lines.begin(), lines.end(),
                                    [](const Line& line) { return !line.answer.error.empty(); });
  std::cerr << fmt::format("{} rows: {} answered, {} not; in {}\n", lines.size(),
                           lines.size() - static_cast<std::size_t>(failed), failed,
                           given.output.string());
}

void answer_one(const Arguments& given, const Model& model) {
  Question question;
  if (!given.image.empty()) question.image = given.image;
  question.text = given.text;
  const Line line{given.image.empty() ? "text" : given.image.string(),
                  {"", model.answer(question).probabilities}};
  if (given.json) {
    std::cout << json_line(line, model.classes()) << "\n";
    return;
  }
  const std::vector<float>& probabilities = line.answer.probabilities;
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return probabilities[a] > probabilities[b]; });
  for (std::size_t k : order) {
    std::cout << fmt::format("{:6.2f} %  {}\n", 100 * probabilities[k], model.classes()[k]);
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
  command
      .add_option("-o,--output", given->output,
                  "Where the answers go: .csv or .jsonl; of each of torchrun's processes, a part")
      ->needs(table);
  command.add_flag("--json", given->json, "A JSON object per row, with every class's probability");
  add_arithmetic(command, given->arithmetic);
  const Settings settings(command, {OptionGroup::data, OptionGroup::device});
  return [given, settings] {
    const Model loaded = Model::load(given->model, given->arithmetic);
    const ResolvedConfig resolved = settings.resolve(loaded.config());
    if (settings.print_if_asked(resolved)) return;
    const Model model = loaded.on(resolved.config.device);
    if (given->table.empty()) return answer_one(*given, model);
    const Rank rank = torchrun_rank();
    given->output = own_part(given->output, rank);
    write_lines(*given, model, answer_table(*given, model, resolved.config, rank), rank);
  };
}

}  // namespace diptych
