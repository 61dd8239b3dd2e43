#include <CLI/CLI.hpp>

#include <memory>

#include "cli/command.h"
#include "cli/fetching.h"

namespace diptych {

Action declare_fetch(CLI::App& command) {
  struct Arguments {
    std::vector<std::filesystem::path> lists;
    std::filesystem::path folder;
    bool resume = false, overwrite = false, json = false;
  };
  auto given = std::make_shared<Arguments>();
  command
      .add_option("LIST", given->lists, "Tables with a column of URLs: Parquet, Arrow, CSV, TSV")
      ->required();
  command.add_option("-o,--output", given->folder, "Folder for the shards")->required();
  command.add_flag("--resume", given->resume, "Keep finished shards and fetch the others");
  command.add_flag("--overwrite", given->overwrite, "Replace what the folder holds");
  command.add_flag("--json", given->json, "The counts as one JSON object");
  const Settings settings(command, {OptionGroup::download});
  return [given, settings] {
    const ResolvedConfig resolved = settings.resolve();
    if (settings.print_if_asked(resolved)) return;
    FetchOptions options = fetch_options(resolved.config, given->lists, given->folder);
    options.resume = given->resume;
    options.overwrite = given->overwrite;
    print_counts(fetch_with_progress(options), given->json);
  };
}

}  // namespace diptych
