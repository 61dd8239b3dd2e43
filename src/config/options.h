// The option table and its readers. One line in option_table.cpp declares an option; everything
// here is driven by that table.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"

namespace CLI {
class App;
}

namespace diptych {

// Which part of the product an option belongs to; a command takes whole groups.
// machine: what changes no result; device: what changes it by rounding alone; download, import:
// nothing about a model. No model keeps them and no resume compares them.
enum class OptionGroup {
  preset,
  data,
  model,
  training,
  comparison,
  machine,
  device,
  download,
  import
};

// How a value is written in TOML and JSON: text and choice as strings, truth as true or false,
// integers as an array. Flags and the environment always give text.
enum class OptionType { text, choice, truth, integer, number, integers };

struct Option {
  std::string name;  // "learning-rate": the flag without dashes and the TOML key
  OptionGroup group{};
  OptionType type{};
  std::string values;  // "integer 1..10000", "one of: adam, adamw"
  std::string help;    // one line
  std::function<void(Config&, const std::string&)> set;  // throws Error{config} when out of range
  std::function<std::string(const Config&)> get;         // text that set() takes back
};

std::span<const Option> options();
// Those that may change a result: all but the machine's and device's, of downloads and imports,
// which stand last.
std::span<const Option> kept_options();
bool is_kept(const Option& option);

// Applies one setting by name. Throws Error{config}: unknown name (the nearest is named), value out
// of range (the range is named); `source` says where it came from ("--epochs", "run.toml", …).
void set_option(Config& config, const std::string& name, const std::string& value,
                const std::string& source);

// The values of a preset over the built-in defaults.
Config preset_config(Preset preset);

// Where the settings of a run come from, weakest first: preset, TOML file, environment
// (DIPTYCH_LEARNING_RATE), flags. Each value remembers its source.
struct ResolvedConfig {
  Config config;
  // Option name → "default", "preset paper", "run.toml:3", "DIPTYCH_SEED", "--seed".
  std::map<std::string, std::string> sources;
};

// Settings collected from flags, in order. The environment is passed in: library code reads none.
struct ConfigSources {
  // Braces: so that {.toml = …} alone draws no warning.
  std::filesystem::path toml{};                              // empty: none
  std::map<std::string, std::string> environment{};          // DIPTYCH_* only
  std::vector<std::pair<std::string, std::string>> flags{};  // name, value
  Config base{};                                             // what the weakest source starts from
  std::string base_name = "model";                           // source of base's own values
};
ResolvedConfig resolve(const ConfigSources& sources, std::span<const OptionGroup> groups);

// Adds --name for every option of the groups, and --config FILE, to a CLI11 command; what the user
// gives lands in `into` (which must outlive the parse). A flag given twice is an error.
void add_options(CLI::App& command, std::span<const OptionGroup> groups, ConfigSources& into);

// Of kept_options() alone.
nlohmann::json to_json(const Config& config);
// Throws Error{model_file} on unknown or missing keys and on values out of range.
Config config_from_json(const nlohmann::json& json);

// "name = value  # source", a line per option: --print-config. Valid TOML.
std::string describe(const ResolvedConfig& resolved, std::span<const OptionGroup> groups);
// docs/options.md, whole.
std::string options_markdown();
// "learning-rate: 0.002 → 0.001", a line per option that differs, but for those of the machine;
// empty when none does.
std::string difference(const Config& before, const Config& after);

// Combinations that no single range rules out. Throws Error{config}.
void check(const Config& config);

const char* inputs_name(Inputs inputs);  // "image", "text", "image,text"

}  // namespace diptych
