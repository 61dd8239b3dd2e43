#include <arrow/api.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <glob.h>
#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/fetching.h"
#include "cli/progress.h"
#include "cli/stop_signal.h"
#include "data/coyo.h"
#include "data/label_names.h"
#include "data/layout.h"
#include "data/table_arrow.h"
#include "download/shard.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

// Kept in the sample's Parquet, so that a resumed import knows whether it is its own.
constexpr const char *kSettings = "diptych.import", *kAccounts = "diptych.accounts";

struct Arguments {
  std::string name;
  std::vector<std::string> pairs, labels;
  fs::path folder;
  std::uint64_t seed = 1;
  bool stops = false, resume = false, overwrite = false;
};

// In order of name, each once.
std::vector<fs::path> files_of(const std::vector<std::string>& patterns) {
  std::set<fs::path> found;
  for (const std::string& pattern : patterns) {
    std::error_code code;
    std::vector<std::string> names;
    for (const std::string& name : expand_braces(pattern)) {
      glob_t matches{};
      if (fs::exists(name, code)) {
        names.push_back(name);
      } else if (::glob(name.c_str(), 0, nullptr, &matches) == 0) {
        names.insert(names.end(), matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
      }
      ::globfree(&matches);
    }
    if (names.empty()) {
      throw Error(ErrorKind::not_found, "no file has such a name", pattern,
                  "name files, or a pattern in quotes: 'coyo-700m/*.parquet'");
    }
    for (const std::string& name : names) found.insert(fs::path(name).lexically_normal());
  }
  return {found.begin(), found.end()};
}

CoyoOptions coyo_options(const Arguments& given, const ResolvedConfig& resolved) {
  const Config& config = resolved.config;
  CoyoOptions options;
  options.pairs = files_of(given.pairs);
  options.labels = files_of(given.labels);
  options.rules = {config.classes, config.min_probability, {}};
  if (config.label_map != kNone) {
    options.rules.names = read_label_names(config.label_map);
    if (resolved.sources.at("classes") == "default") options.rules.classes = 0;
  }
  if (config.where != kNone) options.where = config.where;
  options.rows = config.sample;
  options.balanced = config.balanced;
  options.seed = given.seed;
  return options;
}

// All that the sample depends on, as far as names and sizes of files tell.
std::string settings_text(const CoyoOptions& options) {
  std::string text = fmt::format(
      "sample: {}\nseed: {}\nclasses: {}\nbalanced: {}\nmin-probability: {}\nwhere: {}\n",
      options.rows, options.seed, options.rules.classes, options.balanced,
      options.rules.min_probability, options.where);
  for (const auto& [label, name] : options.rules.names) text += label + ": " + name + "\n";
  for (const auto* files : {&options.pairs, &options.labels}) {
    for (const fs::path& file : *files) {
      std::error_code code;
      text += fmt::format("{}, {} bytes\n", file.filename().string(), fs::file_size(file, code));
    }
  }
  return text;
}

CoyoSample draw(const CoyoOptions& options) {
  const StopSignal listening;
  Progress progress;
  std::map<std::string, double> all;
  for (const auto& file : options.pairs) all["pairs"] += TableStream(file).rows();
  for (const auto& file : options.labels) all["labels"] += TableStream(file).rows();
  return sample_coyo(options, [&](const char* side, std::int64_t rows) {
    StopSignal::throw_if_raised();
    progress.live(rows / std::max(1.0, all[side]), fmt::format("reading {}: {}", side, rows));
  });
}

// Prints what became of every row; writes the rows that were drawn.
void make_sample(const CoyoOptions& options, const fs::path& path, const std::string& settings) {
  const CoyoSample sample = draw(options);
  const std::string accounts = accounts_text(sample);
  std::cout << accounts << std::flush;
  if (!sample.table) {
    throw Error(ErrorKind::data, "no row is left to draw from", "",
                "the table above says what became of all; ids join pairs and labels");
  }
  const auto notes = arrow::key_value_metadata({kSettings, kAccounts}, {settings, accounts});
  write_parquet(*sample.table->ReplaceSchemaMetadata(notes), path);
  const std::int64_t rows = sample.table->num_rows();
  Progress().line(fmt::format("{}: {} rows{}", path.string(), rows,
                              rows < options.rows ? ", no more are eligible" : ""));
}

// Whether an earlier import has drawn this sample already.
bool has_sample(const fs::path& path, const std::string& settings) {
  std::error_code code;
  if (!fs::exists(path, code)) return false;
  const auto schema = guarded(path, [&] { return open_parquet(path).schema; });
  const auto notes = schema->metadata();
  const auto found = notes ? notes->Get(kSettings) : arrow::Result<std::string>("");
  if (!found.ok() || *found != settings) {
    throw Error(ErrorKind::config, "was drawn from other files or with other settings",
                path.string(), "use the same again, another -o, or --overwrite");
  }
  std::cout << notes->Get(kAccounts).ValueOr("") << std::flush;
  return true;
}

void run(const Arguments& given, const ResolvedConfig& resolved) {
  const CoyoOptions options = coyo_options(given, resolved);
  const fs::path path = given.folder / kSampleFile;
  FetchOptions fetching = fetch_options(resolved.config, {path}, given.folder);
  const bool goes_on = given.resume || (fetching.world_size > 1 && !given.overwrite);
  make_output_folder(given.folder, goes_on || given.overwrite);
  if (fetching.world_size == 1) remove_partial_files(given.folder);
  const std::string settings = settings_text(options);
  if (!goes_on || !has_sample(path, settings)) make_sample(options, path, settings);
  if (given.stops) return;
  // The folder holds the sample, so fetch must not ask that it be empty.
  fetching.resume = goes_on && !given.overwrite;
  fetching.overwrite = !fetching.resume || !fs::exists(given.folder / "fetch.settings");
  std::cout << "\n";
  print_counts(fetch_with_progress(fetching), false);
  Progress().line(fmt::format("next: diptych compare {} --preset paper", given.folder.string()));
}

}  // namespace

Action declare_import(CLI::App& command) {
  auto given = std::make_shared<Arguments>();
  auto* name = command.add_option(
      "NAME", given->name, "COYO-700M joined with COYO-Labeled-300M: draw rows, fetch pictures");
  allow_only(name->required(), {"coyo"});
  command.add_option("--pairs", given->pairs, "Parquet files of COYO-700M; patterns in quotes")
      ->required();
  command.add_option("--labels", given->labels, "Parquet files of COYO-Labeled-300M")->required();
  command.add_option("-o,--output", given->folder, "Folder for the sample and its pictures")
      ->required();
  command.add_option("--seed", given->seed, "Seed of the draw")->capture_default_str();
  command.add_flag("--no-download", given->stops, "Stop at the sampled table, sample.parquet");
  command.add_flag("--resume", given->resume, "Keep sample and finished shards, fetch the others");
  command.add_flag("--overwrite", given->overwrite, "Replace what the folder holds");
  const Settings settings(command, {OptionGroup::import, OptionGroup::download});
  return [given, settings] {
    const ResolvedConfig resolved = settings.resolve();
    if (!settings.print_if_asked(resolved)) run(*given, resolved);
  };
}

}  // namespace diptych
