#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "cli/command.h"
#include "cli/comparison_output.h"
#include "cli/progress.h"
#include "data/cleaned_table.h"
#include "data/inspection.h"
#include "data/loading.h"
#include "report/inspection_page.h"

namespace diptych {
namespace {

struct Arguments {
  std::filesystem::path data, report, fix;
  bool json = false;
};

InspectOptions inspect_options(const Config& config, Progress& progress) {
  InspectOptions options;
  options.scan.limits = {config.max_megapixels};
  options.scan.threads = available_threads();
  options.scan.progress = [&](std::size_t done, std::size_t total) {
    progress.live(static_cast<double>(done) / static_cast<double>(total), "looking at pictures");
  };
  options.split = {config.test_fraction, config.validation_fraction};
  options.seed = config.seed;
  options.group_by = config.group_by;
  return options;
}

// Before the long look at every picture, not after it.
void require_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  if (folder.empty() || std::filesystem::is_directory(folder)) return;
  throw Error(ErrorKind::not_found, "there is no folder for it", file.string(),
              "make it first, or name another place");
}

// Rendered twice, so that the pictures that it shows are read in one pass over the files that hold
// them.
std::string page_of(const Inspection& inspection, const std::string& title) {
  std::vector<Example> shown;
  render_inspection(inspection, title, [&](const Example& row) {
    shown.push_back(row);
    return std::string();
  });
  const std::vector<std::string> pngs = small_pngs(std::move(shown));
  std::size_t next = 0;
  return render_inspection(inspection, title, [&](const Example&) { return pngs[next++]; });
}

void run(const Arguments& given, const Config& config) {
  for (const auto& file : {given.report, given.fix}) require_folder_of(file);
  Progress progress;
  ReadOptions reading = read_options(config);
  reading.needs_text = config.text_column != Config().text_column;
  const Dataset dataset = read_dataset(given.data, reading);
  const Inspection inspection = inspect(dataset, inspect_options(config, progress));
  std::cout << (given.json ? to_json(inspection).dump(2) + "\n" : inspection_text(inspection));
  if (!given.report.empty()) {
    write_file(given.report, page_of(inspection, dataset_title(dataset)));
    progress.line("report: " + given.report.string());
  }
  if (given.fix.empty()) return;
  const CleanedTable table = cleaned_table(inspection, reading, given.fix);
  write_file(given.fix, table.csv);
  progress.line(
      fmt::format("{}: {} rows kept, {} unusable and {} doubled rows left out, {} given "
                  "a group",
                  given.fix.string(), table.kept, table.unusable, table.doubled, table.grouped));
}

}  // namespace

Action declare_inspect(CLI::App& command) {
  auto given = std::make_shared<Arguments>();
  add_data(command, "DATA", given->data, "A table, a folder or shards: see below")->required();
  command.add_option("--report", given->report, "Where a page with pictures of each finding goes");
  command.add_option("--fix", given->fix,
                     "Where a table goes without unusable and doubled rows, copies in one group");
  command.add_flag("--json", given->json, "As one JSON object");
  const Settings settings(command, {OptionGroup::data});
  return [given, settings] {
    const ResolvedConfig resolved = settings.resolve();
    if (!settings.print_if_asked(resolved)) run(*given, resolved.config);
  };
}

}  // namespace diptych
