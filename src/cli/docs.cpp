#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

#include "cli/command.h"

namespace diptych {

Action declare_docs(CLI::App& command) {
  auto page = std::make_shared<std::string>();
  command.add_option("PAGE", *page, "options or commands")
      ->required()
      ->check(CLI::IsMember({"options", "commands"}));
  return [page] { std::cout << (*page == "options" ? options_markdown() : commands_markdown()); };
}

}  // namespace diptych
