// Flags, environment, TOML and preset: the same options everywhere, the strongest source wins.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/option_value.h"

namespace diptych {
namespace {

using testing::HasSubstr;

constexpr OptionGroup kAll[] = {
    OptionGroup::preset,   OptionGroup::data,       OptionGroup::model,
    OptionGroup::training, OptionGroup::comparison, OptionGroup::machine,
    OptionGroup::device,   OptionGroup::download,   OptionGroup::import};

class Sources : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(file_); }

  std::filesystem::path toml(const std::string& text) {
    std::ofstream(file_) << text;
    return file_;
  }
  ResolvedConfig from_toml(const std::string& text) { return resolve({.toml = toml(text)}, kAll); }

  Error failure(const ConfigSources& sources) {
    try {
      resolve(sources, kAll);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was refused";
    return Error(ErrorKind::internal, "nothing was refused");
  }

  const std::filesystem::path file_ =
      std::filesystem::path(testing::TempDir()) / ("options_" + std::to_string(getpid()) + ".toml");
};

std::vector<std::pair<std::string, std::string>> parse(std::vector<std::string> arguments) {
  CLI::App command;
  ConfigSources into;
  add_options(command, kAll, into);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  command.parse(arguments);
  return into.flags;
}

std::vector<std::string> as_flag(const Option& option, const std::string& value) {
  if (option.type != OptionType::truth) return {"--" + option.name, value};
  return {(value == "true" ? "--" : "--no-") + option.name};
}

// A value that differs from the default and clashes with no other option.
std::string other_value(const Option& option) {
  const Config defaults;
  if (option.type == OptionType::text) return "other";
  if (option.type == OptionType::integers) return "8,16";
  for (const char* value : {"paper", "image", "fp32", "plain", "lstm", "adam", "cosine", "pad",
                            "balanced", "false", "0.4", "3", "77"}) {
    Config config;
    try {
      option.set(config, value);
      check(config);
      if (option.get(config) != option.get(defaults)) return value;
    } catch (const Error&) {
    }
  }
  return option.get(defaults);  // a single choice
}

TEST_F(Sources, GiveTheSameForEveryOption) {
  for (const Option& option : options()) {
    const std::string value = other_value(option);
    Config config;
    option.set(config, value);
    const std::string line = option.name + " = " + typed_value(option, config).dump();
    const Config by_toml = from_toml(line).config;
    const Config by_environment =
        resolve({.environment = {{environment_name(option.name), value}}}, kAll).config;
    const Config by_flag = resolve({.flags = parse(as_flag(option, value))}, kAll).config;
    EXPECT_EQ(option.get(by_flag), value) << option.name;
    EXPECT_EQ(difference(by_toml, by_flag), "") << option.name;
    EXPECT_EQ(difference(by_environment, by_flag), "") << option.name;
  }
}

TEST_F(Sources, AreOrderedPresetThenFileThenEnvironmentThenFlags) {
  ConfigSources sources{.toml = toml("preset = 'paper'\nepochs = 3\nbatch-size = 4\nseed = 5")};
  sources.environment = {{"DIPTYCH_BATCH_SIZE", "6"}, {"DIPTYCH_SEED", "7"}};
  sources.flags = {{"seed", "8"}};
  const auto [config, from] = resolve(sources, kAll);
  EXPECT_EQ(config.image_size, 48);
  EXPECT_EQ(config.epochs, 3);
  EXPECT_EQ(config.batch_size, 6);
  EXPECT_EQ(config.seed, 8u);
  EXPECT_EQ(from.at("image-size"), "preset paper");
  EXPECT_EQ(from.at("epochs"), file_.string() + ":2");
  EXPECT_EQ(from.at("batch-size"), "DIPTYCH_BATCH_SIZE");
  EXPECT_EQ(from.at("seed"), "--seed");
  EXPECT_EQ(from.at("jobs"), "default");
}

TEST_F(Sources, SettleThePresetFirstByTheStrongestThatNamesIt) {
  ConfigSources sources{.toml = toml("preset = 'paper'\nepochs = 3"),
                        .environment = {{"DIPTYCH_PRESET", "default"}}};
  EXPECT_EQ(resolve(sources, kAll).config.image_size, Config{}.image_size);
  EXPECT_EQ(resolve(sources, kAll).config.epochs, 3);

  sources.flags = {{"preset", "paper"}};
  const auto [config, from] = resolve(sources, kAll);
  EXPECT_EQ(config.image_size, 48);
  EXPECT_EQ(config.epochs, 3) << "a preset is weaker than a file even when a flag names it";
  EXPECT_EQ(from.at("preset"), "--preset");
}

TEST_F(Sources, StartFromTheBaseWhenThereIsNoPreset) {
  Config base;
  base.epochs = 3;
  base.max_text_kb = 5;
  constexpr OptionGroup kData[] = {OptionGroup::data};
  const ConfigSources sources{.environment = {{"DIPTYCH_EPOCHS", "9"}}, .base = base};
  const auto [config, from] = resolve(sources, kData);
  EXPECT_EQ(config.epochs, 3) << "an option of another command is left alone";
  EXPECT_EQ(from.at("max-text-kb"), "model");
  EXPECT_EQ(from.at("text-column"), "default");
}

TEST_F(Sources, RefuseAWrongValueOfAnotherCommandToo) {
  constexpr OptionGroup kData[] = {OptionGroup::data};
  EXPECT_THROW(resolve({.environment = {{"DIPTYCH_EPOCHS", "many"}}}, kData), Error);
}

TEST_F(Sources, CheckAcrossOptions) {
  EXPECT_THAT(failure({.flags = {{"ngram-min", "9"}, {"ngram-max", "8"}}}).what(),
              HasSubstr("larger than ngram-max"));
}

TEST_F(Sources, DealTheRowsIntoFoldsOnceIfSeedsAreNotGiven) {
  EXPECT_EQ(resolve({}, kAll).config.seeds, 5);
  const auto [config, from] = resolve({.flags = {{"folds", "4"}, {"fold", "4"}}}, kAll);
  EXPECT_EQ(config.seeds, 1);
  EXPECT_EQ(from.at("seeds"), "--folds");
  EXPECT_EQ(resolve({.flags = {{"folds", "4"}, {"seeds", "5"}}}, kAll).config.seeds, 5);
  EXPECT_EQ(resolve({.toml = toml("seeds = 5"), .flags = {{"folds", "4"}}}, kAll).config.seeds, 5);
}

TEST_F(Sources, RefuseAMissingFile) {
  const Error error = failure({.toml = "/nonexistent/run.toml"});
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_EQ(error.where(), "/nonexistent/run.toml");
}

TEST_F(Sources, RefuseAFileTooLargeToBeOptions) {
  EXPECT_EQ(failure({.toml = toml(std::string(2 << 20, '#'))}).kind(), ErrorKind::data);
}

TEST_F(Sources, RefuseAnUnknownKeyOfTheFileNamingTheNearest) {
  const Error error = failure({.toml = toml("epochs = 3\nlearning_rate = 0.1")});
  EXPECT_EQ(error.where(), file_.string() + ":2");
  EXPECT_THAT(error.what(), HasSubstr("'learning_rate'"));
  EXPECT_EQ(error.hint(), "did you mean 'learning-rate'?");
}

TEST_F(Sources, RefuseARepeatedKeyOfTheFileWithItsLine) {
  const Error error = failure({.toml = toml("epochs = 3\n\nepochs = 4")});
  EXPECT_EQ(error.kind(), ErrorKind::config);
  EXPECT_THAT(error.where(), HasSubstr(file_.string() + ":3"));
  EXPECT_THAT(error.what(), HasSubstr("epochs"));
}

TEST_F(Sources, RefuseBrokenTomlWithItsLine) {
  EXPECT_THAT(failure({.toml = toml("epochs = 3\nseed = = 4")}).where(),
              HasSubstr(file_.string() + ":2"));
}

TEST_F(Sources, RefuseAWrongTypeInTheFileNamingTheKey) {
  for (const char* line :
       {"epochs = 1.5", "epochs = 3.0", "epochs = '5'", "learning-rate = '0.1'",
        "learning-rate = nan", "branch-heads = 1", "branch-heads = 'true'", "text-column = 3",
        "optimizer = true", "channels = '32,64'", "channels = 32", "channels = [32, 'x']",
        "channels = [32.5]", "channels = []", "epochs = [5]", "seed = 2020-01-01", "seed = -1"}) {
    const Error error = failure({.toml = toml(line)});
    const std::string key = std::string(line).substr(0, std::string(line).find(' '));
    EXPECT_EQ(error.kind(), ErrorKind::config) << line;
    EXPECT_THAT(error.what(), HasSubstr(key)) << line;
    EXPECT_EQ(error.where(), file_.string() + ":1") << line;
  }
  EXPECT_THAT(failure({.toml = toml("[training]\nepochs = 3")}).what(), HasSubstr("'training'"));
}

TEST_F(Sources, TakeAWholeNumberWhereTheFileMayHaveAFraction) {
  EXPECT_EQ(from_toml("augment-rotate = 5").config.augment_rotate, 5.0);
  EXPECT_EQ(from_toml("learning-rate = 1e-3").config.learning_rate, 1e-3);
}

TEST_F(Sources, RefuseAnUnknownVariableNamingTheNearest) {
  const Error error = failure({.environment = {{"DIPTYCH_EPOCH", "3"}}});
  EXPECT_EQ(error.where(), "DIPTYCH_EPOCH");
  EXPECT_EQ(error.hint(), "did you mean 'DIPTYCH_EPOCHS'?");
}

TEST_F(Sources, LeaveTheVariableOfTheDataFolderAlone) {
  EXPECT_NO_THROW(resolve({.environment = {{"DIPTYCH_DATA", "/data"}}}, kAll));
}

TEST_F(Sources, NameTheFlagOfAWrongValue) {
  const Error error = failure({.flags = parse({"--epochs", "0"})});
  EXPECT_EQ(error.where(), "--epochs");
  EXPECT_STREQ(error.what(), "epochs cannot be '0'");
  EXPECT_EQ(error.hint(), "allowed: integer 1..100000");
}

TEST(Flags, AreRefusedWhenGivenTwice) {
  EXPECT_THROW(parse({"--epochs", "3", "--epochs", "3"}), CLI::ParseError);
  EXPECT_THROW(parse({"--config", "a.toml", "--config", "b.toml"}), CLI::ParseError);
}

TEST(Flags, AreRefusedWhenUnknownOrWithoutAValue) {
  EXPECT_THROW(parse({"--lerning-rate", "3"}), CLI::ParseError);
  EXPECT_THROW(parse({"--epochs"}), CLI::ParseError);
  EXPECT_THROW(parse({"--config", ""}), CLI::ParseError);
}

TEST(Flags, OfTruthsAreAPairWithoutAValue) {
  using Given = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(parse({"--branch-heads"}), (Given{{"branch-heads", "true"}}));
  EXPECT_EQ(parse({"--no-branch-heads"}), (Given{{"branch-heads", "false"}}));
  EXPECT_EQ(parse({"--branch-heads=false"}), (Given{{"branch-heads", "false"}}));
  EXPECT_THROW(parse({"--branch-heads", "--no-branch-heads"}), CLI::ParseError);
}

TEST(Flags, KeepTheirTextWhole) {
  using Given = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(parse({"--channels", "8,16"}), (Given{{"channels", "8,16"}}));
  EXPECT_EQ(parse({"--inputs=image,text"}), (Given{{"inputs", "image,text"}}));
  EXPECT_EQ(parse({"--epochs", "-1"}), (Given{{"epochs", "-1"}}));
}

TEST(Flags, AreThoseOfTheirGroupsWithRangeAndDefaultInTheHelp) {
  CLI::App command;
  ConfigSources into;
  constexpr OptionGroup kTraining[] = {OptionGroup::training};
  add_options(command, kTraining, into);
  const std::string help = command.help();
  EXPECT_THAT(help, HasSubstr("\nTraining:"));
  EXPECT_THAT(help, HasSubstr("--epochs"));
  EXPECT_THAT(help, HasSubstr(fmt::format("integer 1..100000; default {}", Config{}.epochs)));
  EXPECT_THAT(help, HasSubstr("--config"));
  EXPECT_THAT(help, testing::Not(HasSubstr("--image-size")));
}

}  // namespace
}  // namespace diptych
