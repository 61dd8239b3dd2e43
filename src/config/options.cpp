#include "config/options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "config/option_binding.h"

namespace diptych {
namespace {

constexpr std::array<const char*, 5> kGroupNames{"Preset", "Data", "Model", "Training", "Comparison"};

std::string environment_name(const std::string& option) {
  std::string name = "DIPTYCH_" + option;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return name;
}

bool contains(std::span<const OptionGroup> groups, OptionGroup group) {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

struct Setting {
  std::string name, value, source;
};

std::string toml_value(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (const auto* list = node.as_array()) {
    std::string text;
    for (const toml::node& item : *list) text += (text.empty() ? "" : ",") + toml_value(item, where);
    return text;
  }
  throw Error(ErrorKind::config, "is neither text, number, true, false nor a list of them", where,
              "write one line per option: learning-rate = 0.001");
}

std::vector<Setting> read_toml(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    throw Error(ErrorKind::not_found, "there is no such file", path.string());
  }
  try {
    std::vector<Setting> settings;
    for (const auto& [key, node] : toml::parse_file(path.string())) {
      const std::string where = fmt::format("{}:{}", path.string(), node.source().begin.line);
      const std::string name(key.str());
      settings.push_back({name, toml_value(node, where + ": " + name), where});
    }
    return settings;
  } catch (const toml::parse_error& error) {
    throw Error(ErrorKind::config, std::string(error.description()),
                fmt::format("{}:{}", path.string(), error.source().begin.line));
  }
}

std::vector<Setting> read_environment(const std::map<std::string, std::string>& environment) {
  std::map<std::string, std::string> known;
  std::vector<std::string> names;
  for (const Option& option : options()) {
    known[environment_name(option.name)] = option.name;
    names.push_back(environment_name(option.name));
  }
  std::vector<Setting> settings;
  for (const auto& [variable, value] : environment) {
    if (variable == "DIPTYCH_DATA") continue;
    const auto found = known.find(variable);
    if (found == known.end()) {
      throw Error(ErrorKind::config, "is not an option of diptych", variable,
                  did_you_mean(variable, names));
    }
    settings.push_back({found->second, value, variable});
  }
  return settings;
}

const Option& find_option(const std::string& name, const std::string& source) {
  std::vector<std::string> names;
  for (const Option& option : options()) {
    if (option.name == name) return option;
    names.push_back(option.name);
  }
  throw Error(ErrorKind::config, "there is no option '" + name + "'", source,
              did_you_mean(name, names));
}

void apply(ResolvedConfig& resolved, const std::vector<Setting>& settings,
           std::span<const OptionGroup> groups) {
  for (const Setting& setting : settings) {
    const Option& option = find_option(setting.name, setting.source);
    if (!contains(groups, option.group)) continue;  // of another command
    set_option(resolved.config, setting.name, setting.value, setting.source);
    resolved.sources[setting.name] = setting.source;
  }
}

nlohmann::json typed(const std::string& name, const std::string& text) {
  static const std::set<std::string> kTexts{"image-column", "text-column", "label-column", "group-column"};
  if (text == "true" || text == "false") return text == "true";
  std::int64_t whole = 0;
  double number = 0;
  if (kTexts.contains(name)) return text;
  if (read_number(text, range(INT64_MIN, INT64_MAX), whole)) return whole;
  if (read_number(text, range(-1e300, 1e300), number)) return number;
  return text;
}

}  // namespace

void refuse_value(const std::string& name, const std::string& text, const std::string& allowed) {
  throw Error(ErrorKind::config, fmt::format("{} cannot be '{}'", name, text), "",
              "allowed: " + allowed);
}

void set_option(Config& config, const std::string& name, const std::string& value,
                const std::string& source) {
  const Option& option = find_option(name, source);
  try {
    option.set(config, value);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(), source, error.hint());
  }
}

ResolvedConfig resolve(const ConfigSources& sources, std::span<const OptionGroup> groups) {
  const std::vector<Setting> file =
      sources.toml.empty() ? std::vector<Setting>() : read_toml(sources.toml);
  const std::vector<Setting> environment = read_environment(sources.environment);
  std::vector<Setting> flags;
  for (const auto& [name, value] : sources.flags) flags.push_back({name, value, "--" + name});
  const std::array<const std::vector<Setting>*, 3> weakest_first{&file, &environment, &flags};

  ResolvedConfig resolved{sources.base, {}};
  for (const Option& option : options()) resolved.sources[option.name] = "default";
  if (contains(groups, OptionGroup::preset)) {
    ResolvedConfig chosen;
    constexpr OptionGroup kPreset[] = {OptionGroup::preset};
    for (const auto* settings : weakest_first) apply(chosen, *settings, kPreset);
    resolved.config = preset_config(chosen.config.preset);
    const Config plain;
    for (const Option& option : options()) {
      if (option.get(resolved.config) != option.get(plain)) {
        resolved.sources[option.name] = std::string("preset ") + choice_name(chosen.config.preset);
      }
    }
  }
  for (const auto* settings : weakest_first) apply(resolved, *settings, groups);
  check(resolved.config);
  return resolved;
}

void add_options(CLI::App& command, std::span<const OptionGroup> groups, ConfigSources& into) {
  command.add_option("--config", into.toml, "A TOML file with options, one 'name = value' a line");
  const Config defaults;
  for (const Option& option : options()) {
    if (!contains(groups, option.group)) continue;
    const std::string help =
        fmt::format("{} ({}; default {})", option.help, option.values, option.get(defaults));
    command
        .add_option_function<std::string>(
            "--" + option.name,
            [&into, name = option.name](const std::string& value) {
              into.flags.emplace_back(name, value);
            },
            help)
        ->type_name("")
        ->multi_option_policy(CLI::MultiOptionPolicy::Throw)
        ->group(kGroupNames[static_cast<std::size_t>(option.group)]);
  }
}

nlohmann::json to_json(const Config& config) {
  nlohmann::json json;
  for (const Option& option : options()) json[option.name] = typed(option.name, option.get(config));
  return json;
}

Config config_from_json(const nlohmann::json& json) {
  Config config;
  if (!json.is_object() || json.size() != options().size()) {
    throw Error(ErrorKind::model_file, "the configuration has more or fewer options than are known");
  }
  try {
    for (const auto& [name, value] : json.items()) {
      set_option(config, name, value.is_string() ? value.get<std::string>() : value.dump(),
                 "configuration");
    }
    check(config);
  } catch (const Error& error) {
    throw Error(ErrorKind::model_file, error.what(), error.where(), error.hint());
  }
  return config;
}

std::string describe(const ResolvedConfig& resolved, std::span<const OptionGroup> groups) {
  std::string text;
  for (const Option& option : options()) {
    if (!contains(groups, option.group)) continue;
    const std::string value = option.get(resolved.config);
    const nlohmann::json written = typed(option.name, value);
    text += fmt::format("{:<28} # {}\n", fmt::format("{} = {}", option.name, written.dump()),
                        resolved.sources.at(option.name));
  }
  return text;
}

std::string options_markdown() {
  const Config defaults, paper = preset_config(Preset::paper);
  std::string page =
      "# Options\n\nGenerated by `diptych docs options`; a test holds it against the program.\n\n"
      "A value comes from the strongest source that gives it: a flag (`--learning-rate 0.001`), the "
      "environment (`DIPTYCH_LEARNING_RATE`), a TOML file named by `--config` "
      "(`learning-rate = 0.001`), the preset, the default. `--print-config` shows every value with "
      "its source, as TOML.\n";
  for (std::size_t group = 0; group < kGroupNames.size(); ++group) {
    page += fmt::format("\n## {}\n\n| option | values | default | preset paper | meaning |\n"
                        "|---|---|---|---|---|\n", kGroupNames[group]);
    for (const Option& option : options()) {
      if (static_cast<std::size_t>(option.group) != group) continue;
      const std::string same = option.get(defaults), other = option.get(paper);
      std::string values = option.values;
      for (std::size_t at = 0; (at = values.find('|', at)) != std::string::npos; at += 2) {
        values.insert(at, "\\");
      }
      page += fmt::format("| `{}` | {} | {} | {} | {} |\n", option.name, values, same,
                          same == other ? "" : other, option.help);
    }
  }
  return page;
}

std::string difference(const Config& before, const Config& after) {
  std::string text;
  for (const Option& option : options()) {
    const std::string old_value = option.get(before), new_value = option.get(after);
    if (old_value == new_value) continue;
    text += fmt::format("{}{}: {} → {}", text.empty() ? "" : "\n", option.name, old_value, new_value);
  }
  return text;
}

}  // namespace diptych
