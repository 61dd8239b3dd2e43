// Binds a member of Config to text: what one line of the option table turns into.
#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

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
struct Choices;
#define DIPTYCH_CHOICES(E, ...)                                     \
  template <>                                                       \
  struct Choices<E> {                                               \
    static constexpr auto kNames = std::to_array({__VA_ARGS__});    \
  }
DIPTYCH_CHOICES(Preset, "default", "paper");
DIPTYCH_CHOICES(Inputs, "image", "text", "image,text");
DIPTYCH_CHOICES(Precision, "auto", "fp32", "bf16");
DIPTYCH_CHOICES(ImageEncoderKind, "plain", "residual");
DIPTYCH_CHOICES(TextEncoderKind, "lstm", "bilstm", "average");
DIPTYCH_CHOICES(FusionKind, "concatenate");
DIPTYCH_CHOICES(Optimizer, "adam", "adamw");
DIPTYCH_CHOICES(Schedule, "constant", "cosine", "one_cycle");
DIPTYCH_CHOICES(ImageFit, "stretch", "pad", "crop");
DIPTYCH_CHOICES(ClassWeights, "none", "balanced");
#undef DIPTYCH_CHOICES

template <typename E>
const char* choice_name(E value) {
  return Choices<E>::kNames[static_cast<std::size_t>(value)];
}

// Reads a whole text as a number within bounds; false otherwise.
template <typename T>
bool read_number(std::string_view text, Range<T> bounds, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= bounds.low &&
         value <= bounds.high;
}

// Throws Error{config} naming the option, the text and what is allowed.
[[noreturn]] void refuse_value(const std::string& name, const std::string& text,
                               const std::string& allowed);

// Collects the table. add(group, name, member, [range], help).
class Binder {
 public:
  template <typename T>
  void operator()(OptionGroup group, const char* name, T Config::* member, Range<T> bounds,
                  const char* help) {
    const char* kind = std::is_integral_v<T> ? "integer" : "number";
    const std::string allowed = fmt::format("{} {}..{}", kind, bounds.low, bounds.high);
    row(group, name, allowed, help,
        [=](Config& config, const std::string& text) {
          T value{};
          if (!read_number(text, bounds, value)) refuse_value(name, text, allowed);
          config.*member = value;
        },
        [member](const Config& config) { return fmt::format("{}", config.*member); });
  }

  void operator()(OptionGroup group, const char* name, std::vector<int> Config::* member,
                  Range<int> bounds, const char* help) {
    const std::string allowed = fmt::format("integers {}..{}, comma-separated", bounds.low, bounds.high);
    row(group, name, allowed, help,
        [=](Config& config, const std::string& text) {
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
        },
        [member](const Config& config) { return fmt::format("{}", fmt::join(config.*member, ",")); });
  }

  void operator()(OptionGroup group, const char* name, std::uint64_t Config::* member,
                  const char* help) {
    (*this)(group, name, member, range<std::uint64_t>(0, INT64_MAX), help);
  }

  void operator()(OptionGroup group, const char* name, std::string Config::* member,
                  const char* help) {
    const std::string allowed = "text";
    row(group, name, allowed, help,
        [=](Config& config, const std::string& text) {
          if (text.empty()) refuse_value(name, text, "a text that is not empty");
          config.*member = text;
        },
        [member](const Config& config) { return config.*member; });
  }

  void operator()(OptionGroup group, const char* name, bool Config::* member, const char* help) {
    const std::string allowed = "one of: true, false";
    row(group, name, allowed, help,
        [=](Config& config, const std::string& text) {
          if (text != "true" && text != "false") refuse_value(name, text, allowed);
          config.*member = text == "true";
        },
        [member](const Config& config) { return std::string(config.*member ? "true" : "false"); });
  }

  template <typename E>
    requires std::is_enum_v<E>
  void operator()(OptionGroup group, const char* name, E Config::* member, const char* help) {
    const std::string allowed = fmt::format(
        "one of: {}", fmt::join(Choices<E>::kNames, std::is_same_v<E, Inputs> ? " | " : ", "));
    row(group, name, allowed, help,
        [=](Config& config, const std::string& text) {
          const auto& names = Choices<E>::kNames;
          for (std::size_t i = 0; i < names.size(); ++i) {
            if (text == names[i]) {
              config.*member = static_cast<E>(i);
              return;
            }
          }
          refuse_value(name, text, allowed);
        },
        [member](const Config& config) { return std::string(choice_name(config.*member)); });
  }

  std::vector<Option> table;

 private:
  void row(OptionGroup group, const char* name, std::string allowed, const char* help,
           std::function<void(Config&, const std::string&)> set,
           std::function<std::string(const Config&)> get) {
    table.push_back({name, group, std::move(allowed), help, std::move(set), std::move(get)});
  }
};

}  // namespace diptych
