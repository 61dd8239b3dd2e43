#include "cli/command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include <array>
#include <iostream>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "data/layout.h"

extern char** environ;

namespace diptych {
namespace {

constexpr std::array<CommandRow, 11> kCommands{{
    {"compare", "Train image, text and both on the same splits; say whether the text helps",
     declare_compare},
    {"inspect", "Find what would spoil the answer: copies, leaks, wrong labels", declare_inspect},
    {"train", "Train one model", declare_train},
    {"evaluate", "Score a model on rows with labels", declare_evaluate},
    {"predict", "Answer for one picture and text, or for a table", declare_predict},
    {"quantize", "Make a model that can answer in int8, and say what that costs", declare_quantize},
    {"info", "Show what a model is: configuration, classes, size, provenance", declare_info},
    {"import", "Make a dataset of a public one: COYO", declare_import},
    {"fetch", "Download the pictures of a list of URLs", declare_fetch},
    {"sample", "Make a dataset to try things on", declare_sample},
    {"docs", "Print a page of the documentation that is generated from the program", declare_docs},
}};

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const CommandRow& row : kCommands) names.emplace_back(row.name);
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// The two of the parser's complaints that say little to a person.
std::string in_plain_words(const std::string& complaint) {
  const std::string name = complaint.substr(0, complaint.find(':'));
  if (complaint.find(": At Most 1 required") != std::string::npos) {
    return name + " is given more than once";
  }
  return complaint.find(": 1 required") != std::string::npos ? name + " needs a value" : complaint;
}

Error unknown(const char* kind, const std::string& word, const std::vector<std::string>& known,
              const std::string& help) {
  const std::string nearest = did_you_mean(word, known);
  return Error(ErrorKind::usage, fmt::format("there is no {} '{}'", kind, word), "",
               nearest.empty() ? help : nearest);
}

}  // namespace

std::span<const CommandRow> command_table() { return kCommands; }

std::unique_ptr<CLI::App> make_app(Action& chosen) {
  auto app = std::make_unique<CLI::App>(
      "Classifies images with the help of their text, and says how much the text helped.\n"
      "Start with: diptych sample emoji data/emoji && diptych compare data/emoji -o runs/emoji",
      "diptych");
  app->set_version_flag("--version", std::string("diptych ") + DIPTYCH_VERSION);
  app->require_subcommand(1);
  app->get_formatter()->column_width(34);
  for (const CommandRow& row : kCommands) {
    CLI::App* command = app->add_subcommand(row.name, row.summary);
    const Action action = row.declare(*command);
    command->callback([&chosen, action] { chosen = action; });
  }
  return app;
}

CLI::Option* add_data(CLI::App& command, const char* name, std::filesystem::path& into,
                      const std::string& help) {
  command.footer("What the data may be (docs/data.md):\n" + layouts_help());
  return command.add_option(name, into, help);
}

void allow_only(CLI::Option* argument, const std::vector<std::string>& words) {
  const std::string choice = fmt::format("{}", fmt::join(words, " | "));
  const auto check = [words, choice](const std::string& given) {
    const bool known = std::find(words.begin(), words.end(), given) != words.end();
    return known ? "" : fmt::format("cannot be '{}': it is one of {}", given, choice);
  };
  argument->type_name(choice)->check(check);
}

void add_arithmetic(CLI::App& command, Arithmetic& into) {
  const std::map<std::string, Arithmetic> names = {
      {"fp32", Arithmetic::fp32}, {"bf16", Arithmetic::bf16}, {"int8", Arithmetic::int8}};
  auto* option = command.add_option_function<std::string>(
      "--arithmetic", [names, &into](const std::string& name) { into = names.at(name); },
      "What the network multiplies in; int8 takes a model that 'diptych quantize' wrote");
  allow_only(option->default_str("fp32"), {"fp32", "bf16", "int8"});
}

Error usage_error(const CLI::App& app, const std::string& message) {
  const auto chosen = app.get_subcommands();
  const CLI::App& command = chosen.empty() ? app : *chosen.front();
  const std::string help =
      chosen.empty() ? "see diptych --help" : "see diptych " + command.get_name() + " --help";
  const std::vector<std::string> unplaced = app.remaining(/*recurse=*/true);
  if (chosen.empty() && !unplaced.empty() && !unplaced.front().starts_with("-")) {
    return unknown("command", unplaced.front(), command_names(), help);
  }
  for (const std::string& word : unplaced) {
    if (!word.starts_with("-")) continue;
    return unknown("option", word.substr(0, word.find('=')), option_names(command), help);
  }
  if (unplaced.empty()) return Error(ErrorKind::usage, in_plain_words(message), "", help);
  return Error(ErrorKind::usage, "'" + unplaced.front() + "' is one argument too many", "", help);
}

std::map<std::string, std::string> diptych_environment() {
  std::map<std::string, std::string> found;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (text.starts_with("DIPTYCH_") && equals != std::string_view::npos) {
      found.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return found;
}

std::string commands_markdown() {
  Action none;
  const auto app = make_app(none);
  std::string page =
      "# Commands\n\nGenerated by `diptych docs commands`; a test holds it against the program.\n\n"
      "```\n" +
      app->help() + "```\n";
  for (const CommandRow& row : kCommands) {
    page += fmt::format("\n## diptych {}\n\n```\n{}```\n", row.name,
                        app->get_subcommand(row.name)->help("diptych"));
  }
  page += "\n## Exit codes\n\n| code | kind | meaning |\n|---|---|---|\n| 0 | | done |\n";
  for (const ErrorRow& row : error_table()) {
    page += fmt::format("| {} | {} | {} |\n", row.exit_code, row.name, row.meaning);
  }
  return page;
}

Settings::Settings(CLI::App& command, std::vector<OptionGroup> groups)
    : groups_(std::move(groups)),
      sources_(std::make_shared<ConfigSources>()),
      print_(std::make_shared<bool>(false)) {
  command.add_flag("--print-config", *print_, "Print every setting with its source, and stop");
  add_options(command, groups_, *sources_);
}

ResolvedConfig Settings::resolve(const Config& base) const {
  ConfigSources sources = *sources_;
  sources.environment = diptych_environment();
  sources.base = base;
  return diptych::resolve(sources, groups_);
}

bool Settings::print_if_asked(const ResolvedConfig& resolved) const {
  if (*print_) std::cout << describe(resolved, groups_);
  return *print_;
}

}  // namespace diptych
