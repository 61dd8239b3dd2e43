// The commands of the program: one row in command_table() and one file each.
#pragma once
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "base/error.h"
#include "config/options.h"
#include "diptych/arithmetic.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace diptych {

using Action = std::function<void()>;

struct CommandRow {
  const char* name;
  const char* summary;
  // Adds the command's arguments; returns what runs it. Called once, before parsing.
  Action (*declare)(CLI::App& command);
};

std::span<const CommandRow> command_table();

Action declare_sample(CLI::App& command);
Action declare_train(CLI::App& command);
Action declare_compare(CLI::App& command);
Action declare_evaluate(CLI::App& command);
Action declare_predict(CLI::App& command);
Action declare_quantize(CLI::App& command);
Action declare_info(CLI::App& command);
Action declare_fetch(CLI::App& command);
Action declare_import(CLI::App& command);
Action declare_inspect(CLI::App& command);
Action declare_docs(CLI::App& command);

// An argument that names data in any layout; the command's help then lists them.
CLI::Option* add_data(CLI::App& command, const char* name, std::filesystem::path& into,
                      const std::string& help);
// --arithmetic, of answers.
void add_arithmetic(CLI::App& command, Arithmetic& into);
// Lets an argument be one of a few words.
void allow_only(CLI::Option* argument, const std::vector<std::string>& words);

// The program's whole command line.
std::unique_ptr<CLI::App> make_app(Action& chosen);
// What a command line that could not be parsed is told: the word that is wrong and the nearest one.
Error usage_error(const CLI::App& app, const std::string& message);
// docs/commands.md, whole.
std::string commands_markdown();

// DIPTYCH_* of this process.
std::map<std::string, std::string> diptych_environment();

// Options of whole groups for one command: collected while parsing, resolved when it runs.
class Settings {
 public:
  Settings(CLI::App& command, std::vector<OptionGroup> groups);
  // base: what the weakest source starts from.
  ResolvedConfig resolve(const Config& base = {}) const;
  // Prints the configuration and says true when --print-config was given.
  bool print_if_asked(const ResolvedConfig& resolved) const;

 private:
  std::vector<OptionGroup> groups_;
  std::shared_ptr<ConfigSources> sources_;
  std::shared_ptr<bool> print_;
};

}  // namespace diptych
