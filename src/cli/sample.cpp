#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>
#include <memory>

#include "base/file.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "data/sample_emoji.h"

namespace diptych {

Action declare_sample(CLI::App& command) {
  struct Arguments {
    std::string name;
    std::filesystem::path folder;
    bool overwrite = false;
  };
  auto given = std::make_shared<Arguments>();
  auto* name = command.add_option("NAME", given->name,
                                  "About 1,870 pictures, 9 classes, text in two languages");
  allow_only(name->required(), {"emoji"});
  command.add_option("FOLDER", given->folder, "Where to put data.csv and images/")->required();
  command.add_flag("--overwrite", given->overwrite, "Replace what the folder holds");
  return [given] {
    make_output_folder(given->folder, given->overwrite);
    Progress progress;
    const int rows = write_emoji_sample(given->folder, EmojiSources(), [&](int done, int total) {
      progress.live(static_cast<double>(done) / total, "drawing");
    });
    progress.line(fmt::format("{} rows in {}", rows, (given->folder / "data.csv").string()));
  };
}

}  // namespace diptych
