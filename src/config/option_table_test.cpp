// Every line of the option table keeps the same promises.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/error.h"
#include "config/option_value.h"

namespace diptych {
namespace {

using testing::HasSubstr;

class EveryOption : public testing::TestWithParam<Option> {};

std::string test_name(const testing::TestParamInfo<Option>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Table, EveryOption, testing::ValuesIn(options().begin(), options().end()),
                         test_name);

// Values on both ends of the range as printed, or each choice.
std::vector<std::string> extreme_values(const Option& option) {
  const std::string& values = option.values;
  const std::size_t dots = values.find("..");
  if (option.type == OptionType::text) return {"a b", "\"'#=\\", "日本語"};
  if (dots != std::string::npos) {
    const std::size_t low = values.find(' ') + 1;
    return {values.substr(low, dots - low),
            values.substr(dots + 2, values.find(',', dots) - dots - 2)};
  }
  std::vector<std::string> names;
  const std::string separator = values.find(" | ") == std::string::npos ? ", " : " | ";
  for (std::size_t begin = std::string("one of: ").size(); begin < values.size();) {
    const std::size_t end = std::min(values.find(separator, begin), values.size());
    names.push_back(values.substr(begin, end - begin));
    begin = end + separator.size();
  }
  return names;
}

std::vector<std::string> refused_values(const Option& option) {
  switch (option.type) {
    case OptionType::text:
      return {"", "two\nlines", "\xff\xfe"};
    case OptionType::choice:
      return {"", "nonsense", "ADAM", extreme_values(option)[0] + " "};
    case OptionType::truth:
      return {"", "yes", "1", "True"};
    case OptionType::integers:
      return {"", "0", "-1", "32,,64", "32,", "32, 64", "[32]", "9999"};
    case OptionType::integer:
      return {"", "-1", "1.5", "x", "5x", " 5", "+5", "1e999", "nan", "99999999999999999999"};
    case OptionType::number:
      return {"", "-1", "x", "0.1x", " 0.1", "nan", "inf", "1e999", "1e9"};
  }
  return {};
}

TEST_P(EveryOption, HasADefaultThatItAccepts) {
  const Config defaults;
  Config config;
  EXPECT_NO_THROW(set_option(config, GetParam().name, GetParam().get(defaults), "test"));
  EXPECT_EQ(difference(defaults, config), "");
}

TEST_P(EveryOption, ReadsBackBothEndsOfItsRangeAndEveryChoice) {
  ASSERT_FALSE(extreme_values(GetParam()).empty());
  for (const std::string& value : extreme_values(GetParam())) {
    Config config, again;
    GetParam().set(config, value);
    EXPECT_EQ(GetParam().get(config), value);
    GetParam().set(again, GetParam().get(config));
    EXPECT_EQ(difference(config, again), "");
  }
}

TEST_P(EveryOption, RefusesNonsenseNamingItselfTheValueAndWhatIsAllowed) {
  for (const std::string& value : refused_values(GetParam())) {
    Config config;
    try {
      set_option(config, GetParam().name, value, "run.toml:3");
      ADD_FAILURE() << "accepted '" << value << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
      EXPECT_EQ(error.where(), "run.toml:3");
      EXPECT_EQ(std::string(error.what()), GetParam().name + " cannot be '" + value + "'");
      EXPECT_THAT(error.hint(), HasSubstr("allowed: "));
    }
    EXPECT_EQ(difference(Config{}, config), "") << "a refused value must change nothing";
  }
}

TEST_P(EveryOption, ChangesItsOwnMemberAlone) {
  const Config defaults;
  for (const std::string& value : extreme_values(GetParam())) {
    Config config;
    GetParam().set(config, value);
    for (const Option& option : options()) {
      const bool is_own = option.name == GetParam().name;
      EXPECT_EQ(option.get(config), is_own ? value : option.get(defaults)) << option.name;
    }
    const std::string before = GetParam().get(defaults);
    const bool tells = before != value && is_kept(GetParam());
    EXPECT_EQ(difference(defaults, config),
              tells ? GetParam().name + ": " + before + " → " + value : "");
  }
}

TEST_P(EveryOption, HasAHelpOfOneLine) {
  EXPECT_GT(GetParam().help.size(), 5u);
  EXPECT_LT(GetParam().help.size(), 100u);
  EXPECT_EQ(GetParam().help.find_first_of("\n"), std::string::npos);
  EXPECT_NE(GetParam().help.back(), '.');
}

TEST(OptionTable, NamesEachOptionOnce) {
  std::set<std::string> names;
  for (const Option& option : options()) EXPECT_TRUE(names.insert(option.name).second);
}

TEST(OptionTable, CoversEveryMemberOfConfig) {
  // No member is missed: a structured look at the bytes would depend on padding, so the source of
  // the struct is counted instead.
  std::ifstream source(std::filesystem::path(__FILE__).parent_path() / "config.h");
  ASSERT_TRUE(source) << "run where the source is";
  std::size_t members = 0;
  bool inside = false;
  for (std::string line; std::getline(source, line);) {
    if (line.starts_with("struct Config")) inside = true;
    if (line.starts_with("};")) inside = false;
    members += inside && line.find(" = ") != std::string::npos;
  }
  EXPECT_EQ(options().size(), members);
}

TEST(OptionTable, ReadsNumbersBackExactly) {
  for (const char* value : {"0.1", "0.30000000000000004", "1e-07", "0.0023456789012345678"}) {
    Config config, again;
    set_option(config, "learning-rate", value, "test");
    EXPECT_EQ(config.learning_rate, std::stod(value));
    set_option(again, "learning-rate", find_option("learning-rate", "").get(config), "test");
    EXPECT_EQ(config.learning_rate, again.learning_rate);
  }
}

TEST(OptionTable, NamesTheNearestOptionForAnUnknownOne) {
  Config config;
  try {
    set_option(config, "lerning-rate", "1", "run.toml:1");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "there is no option 'lerning-rate'");
    EXPECT_EQ(error.hint(), "did you mean 'learning-rate'?");
    EXPECT_EQ(error.where(), "run.toml:1");
  }
}

TEST(Preset, PaperIsTheModelOfThePublication) {
  const Config paper = preset_config(Preset::paper);
  EXPECT_EQ(paper.preset, Preset::paper);
  EXPECT_EQ(paper.image_size, 48);
  EXPECT_EQ(paper.image_encoder, ImageEncoderKind::plain);
  EXPECT_THAT(paper.channels, testing::ElementsAre(32, 64, 128));
  EXPECT_EQ(paper.text_encoder, TextEncoderKind::lstm);
  for (const int width : {paper.image_features, paper.text_features, paper.hidden_features}) {
    EXPECT_EQ(width, 128);
  }
  EXPECT_EQ(paper.optimizer, Optimizer::adam);
  EXPECT_EQ(paper.learning_rate, 1e-3);
  EXPECT_EQ(paper.schedule, Schedule::constant);
  EXPECT_EQ(paper.epochs, 15);
  EXPECT_EQ(paper.batch_size, 32);
  EXPECT_EQ(paper.precision, Precision::fp32);
  EXPECT_FALSE(paper.branch_heads);
  for (const double off :
       {paper.branch_loss, paper.branch_dropout, paper.dropout, paper.embedding_dropout,
        paper.word_dropout, paper.mixup, paper.weight_decay, paper.warmup, paper.label_smoothing,
        paper.clip_norm, paper.augment_flip, paper.augment_shift, paper.augment_scale,
        paper.augment_rotate, paper.augment_colour, paper.augment_erase}) {
    EXPECT_EQ(off, 0);
  }
  EXPECT_EQ(paper.ngram_min + paper.ngram_max + paper.ngram_buckets, 0);
}

TEST(Preset, PassesTheChecksAcrossOptions) {
  EXPECT_NO_THROW(check(preset_config(Preset::standard)));
  EXPECT_NO_THROW(check(preset_config(Preset::paper)));
}

struct Clash {
  std::vector<std::pair<std::string, std::string>> settings;
  std::string message;
};
std::vector<std::pair<std::string, std::string>> ngrams(const char* min, const char* max,
                                                        const char* buckets) {
  return {{"ngram-min", min}, {"ngram-max", max}, {"ngram-buckets", buckets}};
}
void PrintTo(const Clash& clash, std::ostream* out) { *out << clash.message; }
class CheckRefuses : public testing::TestWithParam<Clash> {};

INSTANTIATE_TEST_SUITE_P(
    Clashes, CheckRefuses,
    testing::Values(
        Clash{ngrams("6", "5", "9"), "ngram-min is larger than ngram-max"},
        Clash{ngrams("2", "5", "0"), "either all 0 or all positive"},
        Clash{ngrams("0", "0", "9"), "either all 0 or all positive"},
        Clash{ngrams("0", "5", "9"), "either all 0 or all positive"},
        Clash{{{"image-encoder", "residual"}, {"channels", "64"}}, "residual image-encoder"},
        Clash{{{"image-size", "8"}, {"channels", "8,8,8,8"}}, "image-size is too small"},
        Clash{{{"channels", "8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8"}},
              "image-size is too small"},
        Clash{{{"folds", "1"}}, "one fold leaves no rows"},
        Clash{{{"fold", "2"}}, "fold is larger than folds"},
        Clash{{{"folds", "3"}, {"fold", "4"}}, "fold is larger than folds"},
        Clash{{{"folds", "5"}, {"test-fraction", "0.3"}}, "test-fraction has no meaning"},
        Clash{{{"vocabulary", "0"}, {"ngram-min", "0"}, {"ngram-max", "0"}, {"ngram-buckets", "0"}},
              "neither words nor n-grams"}));

TEST_P(CheckRefuses, OptionsThatClash) {
  Config config;
  for (const auto& [name, value] : GetParam().settings) set_option(config, name, value, "test");
  try {
    check(config);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
    EXPECT_NE(error.hint(), "");
  }
}

TEST(Check, AcceptsTheSmallestPictureForItsStages) {
  Config config;
  config.image_size = 16;
  config.channels = {8, 8, 8, 8};
  EXPECT_NO_THROW(check(config));
}

}  // namespace
}  // namespace diptych
