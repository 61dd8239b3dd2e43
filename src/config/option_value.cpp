#include "config/option_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace diptych {
namespace {

using nlohmann::json;

bool has_type(const json& value, OptionType type) {
  switch (type) {
    case OptionType::text:
    case OptionType::choice:
      return value.is_string();
    case OptionType::truth:
      return value.is_boolean();
    case OptionType::integer:
      return value.is_number_integer();
    case OptionType::number:
      return value.is_number();
    case OptionType::integers:
      return value.is_array() && std::all_of(value.begin(), value.end(), [](const json& item) {
               return item.is_number_integer();
             });
  }
  return false;
}

const char* expected(OptionType type) {
  switch (type) {
    case OptionType::text:
    case OptionType::choice:
      return "a text in quotes";
    case OptionType::truth:
      return "true or false";
    case OptionType::integer:
      return "an integer";
    case OptionType::number:
      return "a number";
    case OptionType::integers:
      return "a list of integers such as [32, 64]";
  }
  return "";
}

}  // namespace

const Option& find_option(const std::string& name, const std::string& source) {
  std::vector<std::string> names;
  for (const Option& option : options()) {
    if (option.name == name) return option;
    names.push_back(option.name);
  }
  throw Error(ErrorKind::config, "there is no option '" + name + "'", source,
              did_you_mean(name, names));
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

std::string environment_name(const std::string& option) {
  std::string name = "DIPTYCH_" + option;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

const char* group_name(OptionGroup group) {
  switch (group) {
    case OptionGroup::preset:
      return "Preset";
    case OptionGroup::data:
      return "Data";
    case OptionGroup::model:
      return "Model";
    case OptionGroup::training:
      return "Training";
    case OptionGroup::comparison:
      return "Comparison";
    case OptionGroup::machine:
      return "Machine";
    case OptionGroup::device:
      return "Device";
    case OptionGroup::download:
      return "Download";
    case OptionGroup::import:
      return "Import";
  }
  return "";
}

json typed_value(const Option& option, const Config& config) {
  const std::string text = option.get(config);
  switch (option.type) {
    case OptionType::text:
    case OptionType::choice:
      return text;
    case OptionType::truth:
      return text == "true";
    case OptionType::integer:
      return json::parse(text);
    case OptionType::number:
      return json::parse(text).get<double>();
    case OptionType::integers:
      return json::parse("[" + text + "]");
  }
  return nullptr;
}

std::string value_text(const Option& option, const json& value, const std::string& source) {
  if (!has_type(value, option.type)) {
    throw Error(ErrorKind::config,
                fmt::format("{} must be {}, not {}", option.name, expected(option.type),
                            value.dump(-1, ' ', false, json::error_handler_t::replace)),
                source, "allowed: " + option.values);
  }
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const json& item : value) text += (text.empty() ? "" : ",") + item.dump();
  return text;
}

}  // namespace diptych
