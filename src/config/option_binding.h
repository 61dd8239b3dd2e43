// Binds a member of Config to text: what one line of the option table turns into. Included by
// option_table.cpp alone.
#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/options.h"

namespace diptych {

template <typename T>
struct Range {
  T low, high;
};
template <typename T>
Range<T> range(T low, T high) {
  return {low, high};
}

// Closed choices: the one table of names per enumeration.
template <typename E>
using Choices = std::vector<std::pair<E, const char*>>;

inline Choices<Preset> choices(Preset) {
  return {{Preset::standard, "default"}, {Preset::paper, "paper"}};
}
inline Choices<Inputs> choices(Inputs) {
  return {{Inputs::image, "image"}, {Inputs::text, "text"}, {Inputs::image_text, "image,text"}};
}
inline Choices<Precision> choices(Precision) {
  return {{Precision::automatic, "auto"}, {Precision::fp32, "fp32"}, {Precision::bf16, "bf16"}};
}
inline Choices<Device> choices(Device) {
  return {{Device::automatic, "auto"}, {Device::cpu, "cpu"}, {Device::cuda, "cuda"}};
}
inline Choices<ImageEncoderKind> choices(ImageEncoderKind) {
  return {{ImageEncoderKind::plain, "plain"}, {ImageEncoderKind::residual, "residual"}};
}
inline Choices<TextEncoderKind> choices(TextEncoderKind) {
  return {{TextEncoderKind::lstm, "lstm"},
          {TextEncoderKind::bilstm, "bilstm"},
          {TextEncoderKind::average, "average"},
          {TextEncoderKind::bag, "bag"}};
}
inline Choices<FusionKind> choices(FusionKind) {
  return {{FusionKind::concatenate, "concatenate"}};
}
inline Choices<Optimizer> choices(Optimizer) {
  return {{Optimizer::adam, "adam"}, {Optimizer::adamw, "adamw"}};
}
inline Choices<Schedule> choices(Schedule) {
  return {{Schedule::constant, "constant"},
          {Schedule::cosine, "cosine"},
          {Schedule::one_cycle, "one_cycle"}};
}
inline Choices<ImageFit> choices(ImageFit) {
  return {{ImageFit::stretch, "stretch"}, {ImageFit::pad, "pad"}, {ImageFit::crop, "crop"}};
}
inline Choices<ShardFormat> choices(ShardFormat) {
  return {{ShardFormat::webdataset, "webdataset"}, {ShardFormat::files, "files"}};
}
inline Choices<GroupBy> choices(GroupBy) {
  return {{GroupBy::column, "column"}, {GroupBy::duplicates, "duplicates"}};
}
inline Choices<ClassWeights> choices(ClassWeights) {
  return {{ClassWeights::none, "none"}, {ClassWeights::balanced, "balanced"}};
}

template <typename E>
const char* choice_name(E value) {
  static const Choices<E> table = choices(E{});
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const auto& choice) { return choice.first == value; });
  return row == table.end() ? "" : row->second;
}

// Reads a whole text as a number within bounds; false otherwise (also for nan).
template <typename T>
bool read_number(std::string_view text, Range<T> bounds, T& value) {
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  return error == std::errc() && end == last && value >= bounds.low && value <= bounds.high;
}

// Throws Error{config} naming the option, the text and what is allowed.
[[noreturn]] void refuse_value(const std::string& name, const std::string& text,
                               const std::string& allowed);

// Not empty, UTF-8, without control characters: what TOML, JSON and a terminal can all hold.
bool is_plain_text(const std::string& text);

// Collects the table: add(name, member, [range,] help), an overload per kind of member.
class Binder {
 public:
  OptionGroup group{};  // of the lines that follow

  template <typename T>
  requires std::integral<T> || std::floating_point<T>
  void operator()(const char* name, T Config::*member, Range<T> bounds, const char* help) {
    const OptionType type = std::integral<T> ? OptionType::integer : OptionType::number;
    const std::string allowed =
        fmt::format("{} {}..{}", std::integral<T> ? "integer" : "number", bounds.low, bounds.high);
    const auto set = [=](Config& config, const std::string& text) {
      T value{};
      if (!read_number(text, bounds, value)) refuse_value(name, text, allowed);
      config.*member = value;
    };
    const auto get = [=](const Config& config) { return fmt::format("{}", config.*member); };
    table.push_back({name, group, type, allowed, help, set, get});
  }

  void operator()(const char* name, std::vector<int> Config::*member, Range<int> bounds,
                  const char* help) {
    const std::string allowed =
        fmt::format("integers {}..{}, comma-separated", bounds.low, bounds.high);
    const auto set = [=](Config& config, const std::string& text) {
      std::vector<int> values;
      for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        int value = 0;
        if (!read_number(std::string_view(text).substr(begin, end - begin), bounds, value)) {
          refuse_value(name, text, allowed);
        }
        values.push_back(value);
        begin = end + 1;
      }
      config.*member = values;
    };
    const auto get = [=](const Config& config) {
      return fmt::format("{}", fmt::join(config.*member, ","));
    };
    table.push_back({name, group, OptionType::integers, allowed, help, set, get});
  }

  void operator()(const char* name, std::string Config::*member, const char* help) {
    const std::string allowed = "text";
    const auto set = [=](Config& config, const std::string& text) {
      if (!is_plain_text(text)) refuse_value(name, text, "UTF-8 text, not empty, of one line");
      config.*member = text;
    };
    const auto get = [=](const Config& config) { return config.*member; };
    table.push_back({name, group, OptionType::text, allowed, help, set, get});
  }

  void operator()(const char* name, bool Config::*member, const char* help) {
    const std::string allowed = "one of: true, false";
    const auto set = [=](Config& config, const std::string& text) {
      if (text != "true" && text != "false") refuse_value(name, text, allowed);
      config.*member = text == "true";
    };
    const auto get = [=](const Config& config) {
      return std::string(config.*member ? "true" : "false");
    };
    table.push_back({name, group, OptionType::truth, allowed, help, set, get});
  }

  template <typename E>
  requires std::is_enum_v<E>
  void operator()(const char* name, E Config::*member, const char* help) {
    const Choices<E> known = choices(E{});
    std::vector<std::string> names;
    for (const auto& choice : known) names.push_back(choice.second);
    // A name may hold a comma, then the list needs another separator.
    const char* separator = std::is_same_v<E, Inputs> ? " | " : ", ";
    const std::string allowed = fmt::format("one of: {}", fmt::join(names, separator));
    const auto set = [=](Config& config, const std::string& text) {
      for (const auto& [value, value_name] : known) {
        if (text != value_name) continue;
        config.*member = value;
        return;
      }
      refuse_value(name, text, allowed);
    };
    const auto get = [=](const Config& config) { return std::string(choice_name(config.*member)); };
    table.push_back({name, group, OptionType::choice, allowed, help, set, get});
  }

  std::vector<Option> table;
};

}  // namespace diptych
