// Where settings come from: flags, environment, TOML, preset; the strongest wins.
#include "config/options.h"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "config/option_value.h"

namespace diptych {
namespace {

struct Setting {
  std::string name, value, source;
};
using Settings = std::vector<Setting>;

bool contains(std::span<const OptionGroup> groups, OptionGroup group) {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

nlohmann::json to_json(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* truth = node.as_boolean()) return truth->get();
  if (const auto* list = node.as_array()) {
    auto items = nlohmann::json::array();
    for (const toml::node& item : *list) items.push_back(to_json(item));
    return items;
  }
  if (node.is_table()) return nlohmann::json::object();
  return nullptr;  // dates and times: no option has such a type
}

// Becomes a comment in describe(), so no character of a path may end the line.
std::string place(const std::filesystem::path& path, const toml::source_region& region) {
  std::string name = path.string();
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::replace_if(name.begin(), name.end(), is_control, '?');
  return fmt::format("{}:{}", name, region.begin.line);
}

Settings read_toml(const std::filesystem::path& path) {
  if (path.empty()) return {};
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  const std::string text = read_file(path, kMaxBytes);
  try {
    Settings settings;
    for (const auto& [key, node] : toml::parse(text)) {
      const std::string source = place(path, node.source());
      const Option& option = find_option(std::string(key.str()), source);
      settings.push_back({option.name, value_text(option, to_json(node), source), source});
    }
    return settings;
  } catch (const toml::parse_error& error) {
    throw Error(ErrorKind::config, std::string(error.description()), place(path, error.source()));
  }
}

Settings read_environment(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> known;
  for (const Option& option : options()) known.push_back(environment_name(option.name));
  Settings settings;
  for (const auto& [variable, value] : environment) {
    if (variable == "DIPTYCH_DATA") continue;  // where data lies, not how a run behaves
    const auto found = std::find(known.begin(), known.end(), variable);
    if (found == known.end()) {
      throw Error(ErrorKind::config, "no option has this environment variable", variable,
                  did_you_mean(variable, known));
    }
    const auto index = static_cast<std::size_t>(found - known.begin());
    settings.push_back({options()[index].name, value, variable});
  }
  return settings;
}

Settings read_flags(const std::vector<std::pair<std::string, std::string>>& flags) {
  Settings settings;
  for (const auto& [name, value] : flags) settings.push_back({name, value, "--" + name});
  return settings;
}

// Options of other commands are checked too, then left out: one file may serve all commands.
void apply(const Settings& settings, std::span<const OptionGroup> groups,
           ResolvedConfig& resolved) {
  for (const auto& [name, value, source] : settings) {
    Config checked;
    set_option(checked, name, value, source);
    if (!contains(groups, find_option(name, source).group)) continue;
    set_option(resolved.config, name, value, source);
    resolved.sources[name] = source;
  }
}

ResolvedConfig start_from(const Config& base, const std::string& base_name) {
  const Config built_in;
  ResolvedConfig resolved{base, {}};
  for (const Option& option : options()) {
    const bool same = option.get(base) == option.get(built_in);
    resolved.sources[option.name] = same ? "default" : base_name;
  }
  return resolved;
}

ResolvedConfig start_from_preset(std::span<const Settings> weakest_first) {
  constexpr OptionGroup kPresetAlone[] = {OptionGroup::preset};
  ResolvedConfig chosen;
  for (const Settings& settings : weakest_first) apply(settings, kPresetAlone, chosen);
  const std::string name = find_option("preset", "").get(chosen.config);
  return start_from(preset_config(chosen.config.preset), "preset " + name);
}

// A truth is a pair of flags, everything else takes a value.
CLI::Option* declare(CLI::App& command, const Option& option, ConfigSources& into) {
  const std::string help =
      fmt::format("{} ({}; default {})", option.help, option.values, option.get(Config{}));
  const auto keep = [&into, name = option.name](const std::string& value) {
    into.flags.emplace_back(name, value);
  };
  const std::string flag = "--" + option.name;
  if (option.type != OptionType::truth) {
    return command.add_option_function<std::string>(flag, keep, help);
  }
  return command.add_flag(flag + ",!--no-" + option.name, help)->each(keep);
}

}  // namespace

ResolvedConfig resolve(const ConfigSources& sources, std::span<const OptionGroup> groups) {
  const std::array<Settings, 3> weakest_first{
      read_toml(sources.toml), read_environment(sources.environment), read_flags(sources.flags)};
  ResolvedConfig resolved = contains(groups, OptionGroup::preset)
                                ? start_from_preset(weakest_first)
                                : start_from(sources.base, sources.base_name);
  for (const Settings& settings : weakest_first) apply(settings, groups, resolved);
  // One deal into folds tests every row: more is asked for.
  if (resolved.config.folds > 0 && resolved.sources["seeds"] == "default") {
    resolved.config.seeds = 1;
    resolved.sources["seeds"] = resolved.sources["folds"];
  }
  check(resolved.config);
  return resolved;
}

void add_options(CLI::App& command, std::span<const OptionGroup> groups, ConfigSources& into) {
  const auto named = [](const std::string& text) { return text.empty() ? "is empty" : ""; };
  command.add_option("--config", into.toml, "A TOML file with options, one 'name = value' a line")
      ->type_name("FILE")
      ->check(named, "");
  for (const Option& option : options()) {
    if (!contains(groups, option.group)) continue;
    declare(command, option, into)
        ->type_name("")
        ->multi_option_policy(CLI::MultiOptionPolicy::Throw)
        ->group(group_name(option.group));
  }
}

}  // namespace diptych
