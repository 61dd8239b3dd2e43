#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

#include "cli/command.h"

namespace diptych {

Action declare_docs(CLI::App& command) {
  auto page = std::make_shared<std::string>();
  allow_only(command.add_option("PAGE", *page, "Which page")->required(), {"options", "commands"});
  return [page] { std::cout << (*page == "options" ? options_markdown() : commands_markdown()); };
}

}  // namespace diptych
