// Options as JSON, TOML and Markdown, and the difference of two configurations.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <algorithm>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/option_value.h"

namespace diptych {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr OptionGroup kAll[] = {
    OptionGroup::preset,   OptionGroup::data,       OptionGroup::model,
    OptionGroup::training, OptionGroup::comparison, OptionGroup::machine,
    OptionGroup::device,   OptionGroup::download,   OptionGroup::import};

Config unusual_config() {
  Config config = preset_config(Preset::paper);
  config.text_column = "the \"text\" # = \\ 日本語";
  config.learning_rate = 0.1 + 0.2 - 0.25;
  config.weight_decay = 1e-7;
  config.max_megapixels = 100;
  config.channels = {1, 2};
  config.seed = INT64_MAX;
  return config;
}

Error failure(const json& value) {
  try {
    config_from_json(value);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was refused";
  return Error(ErrorKind::internal, "nothing was refused");
}

TEST(ConfigJson, ReadsBackByteForByte) {
  for (const Config& config : {Config{}, preset_config(Preset::paper), unusual_config()}) {
    const std::string text = to_json(config).dump();
    const Config again = config_from_json(json::parse(text));
    EXPECT_EQ(difference(config, again), "");
    EXPECT_EQ(to_json(again).dump(), text);
  }
}

TEST(ConfigJson, HoldsTypedValues) {
  const json value = to_json(unusual_config());
  EXPECT_EQ(value.size(), kept_options().size());
  EXPECT_FALSE(value.contains("url-column")) << "a model says nothing about downloads";
  EXPECT_EQ(value["channels"], json::parse("[1, 2]"));
  EXPECT_TRUE(value["branch-heads"].is_boolean());
  EXPECT_TRUE(value["max-megapixels"].is_number_float()) << "whatever its value is";
  EXPECT_TRUE(value["epochs"].is_number_integer());
  EXPECT_EQ(value["optimizer"], "adam");
  EXPECT_EQ(value["seed"], INT64_MAX);
}

TEST(ConfigJson, KeepsATextThatLooksLikeANumber) {
  Config config;
  config.text_column = "12";
  config.label_column = "true";
  EXPECT_EQ(to_json(config)["text-column"], "12");
  EXPECT_EQ(config_from_json(to_json(config)).label_column, "true");
}

TEST(ConfigJson, RefusesAMissingOptionOfAnyName) {
  for (const Option& option : kept_options()) {
    json value = to_json(Config{});
    value.erase(option.name);
    const Error error = failure(value);
    EXPECT_EQ(error.kind(), ErrorKind::model_file);
    EXPECT_EQ(std::string(error.what()), "option '" + option.name + "' is missing");
  }
}

TEST(ConfigJson, KeepsNothingOfTheMachine) {
  Config config;
  config.cache_mb = 7;
  config.cache_dir = "here";
  EXPECT_EQ(to_json(config), to_json(Config{}));
  EXPECT_GT(options().size(), kept_options().size());
  json value = to_json(config);
  value["cache-dir"] = "there";
  EXPECT_EQ(failure(value).kind(), ErrorKind::model_file);
}

TEST(ConfigJson, RefusesAnUnknownOption) {
  json value = to_json(Config{});
  value["epoch"] = 3;
  EXPECT_EQ(failure(value).kind(), ErrorKind::model_file);
  EXPECT_THAT(failure(value).what(), HasSubstr("'epoch'"));
}

TEST(ConfigJson, RefusesAnotherTypeForAnyOption) {
  for (const Option& option : options()) {
    const json right = typed_value(option, Config{});
    for (const json& wrong : {json(nullptr), json::object(), json::array(), json("7"), json(7),
                              json(0.5), json(true)}) {
      const bool whole = wrong.is_number_integer() && option.type == OptionType::number;
      if (wrong.type() == right.type() && !wrong.is_array()) continue;
      if (whole || (wrong.is_number_integer() && right.is_number_integer())) continue;
      json value = to_json(Config{});
      value[option.name] = wrong;
      const Error error = failure(value);
      EXPECT_EQ(error.kind(), ErrorKind::model_file);
      EXPECT_THAT(error.what(), HasSubstr(option.name)) << wrong;
    }
  }
}

TEST(ConfigJson, RefusesValuesOutOfRangeAndClashes) {
  json value = to_json(Config{});
  value["epochs"] = 0;
  EXPECT_EQ(failure(value).kind(), ErrorKind::model_file);
  value = to_json(Config{});
  value["ngram-min"] = 9;
  EXPECT_EQ(failure(value).kind(), ErrorKind::model_file);
  EXPECT_EQ(failure(json::array()).kind(), ErrorKind::model_file);
}

TEST(Description, IsTomlThatGivesTheSameConfiguration) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("describe_" + std::to_string(getpid()) + ".toml");
  for (const Config& config : {Config{}, preset_config(Preset::paper), unusual_config()}) {
    ResolvedConfig resolved{config, {}};
    for (const Option& option : options()) resolved.sources[option.name] = "some \"source\" = 3";
    std::ofstream(file) << describe(resolved, kAll);
    const ResolvedConfig again = resolve({.toml = file}, kAll);
    EXPECT_EQ(difference(config, again.config), "");
  }
  std::filesystem::remove(file);
}

TEST(Description, StaysTomlWhateverTheNameOfItsFile) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("line\nepochs = 3 " + std::to_string(getpid()) + ".toml");
  std::ofstream(file) << "seed = 7";
  const std::string text = describe(resolve({.toml = file}, kAll), kAll);
  std::ofstream(file) << text;
  EXPECT_EQ(resolve({.toml = file}, kAll).config.seed, 7u);
  std::filesystem::remove(file);
}

TEST(Description, NamesTheSourceOfEachValueOfItsGroups) {
  constexpr OptionGroup kTraining[] = {OptionGroup::preset, OptionGroup::training};
  const std::string text =
      describe(resolve({.flags = {{"preset", "paper"}, {"seed", "7"}}}, kAll), kTraining);
  EXPECT_THAT(text, testing::ContainsRegex("seed = 7 +# --seed\n"));
  EXPECT_THAT(text, testing::ContainsRegex("epochs = 15 +# preset paper\n"));
  EXPECT_THAT(text, testing::ContainsRegex("threads = 0 +# default\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("image-size")));
}

TEST(OptionsPage, HasARowForEveryOption) {
  const std::string page = options_markdown();
  for (const Option& option : options()) {
    EXPECT_THAT(page, HasSubstr("\n| `" + option.name + "` | "));
    EXPECT_THAT(page, HasSubstr("`" + environment_name(option.name) + "`"));
  }
  EXPECT_THAT(page, HasSubstr(fmt::format("| `epochs` | `{}` | `15` |", Config{}.epochs)));
}

TEST(OptionsPage, HasTablesWhoseRowsAllHaveTheirColumns) {
  const std::string page = options_markdown();
  std::size_t rows = 0, columns = 0;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    }
    if (line.starts_with("|") && columns != 0) {
      EXPECT_EQ(bars, columns) << line;
    }
    columns = bars;
    rows += bars != 0;
  }
  EXPECT_GT(rows, options().size());
}

TEST(Difference, ListsOptionsThatDifferInTheirOrder) {
  Config before, after;
  before.learning_rate = 0.002;
  before.image_size = 64;
  after.learning_rate = 0.001;
  after.image_size = 48;
  EXPECT_EQ(difference(before, after), "image-size: 64 → 48\nlearning-rate: 0.002 → 0.001");
  EXPECT_EQ(difference(after, after), "");
}

}  // namespace
}  // namespace diptych
