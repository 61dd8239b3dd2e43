// A comparison as JSON and as the text that the program prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "metrics/made_up_trials.h"
#include "metrics/table_text.h"

namespace diptych {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const std::vector<std::string> kNames{"cat", "dog"};

Comparison of_three_recipes() {
  std::vector<Trial> trials;
  for (std::size_t seed = 0; seed < 3; ++seed) {
    trials.push_back(made_up_trial("image", seed, first_right(500 + 5 * seed, 1000)));
    trials.push_back(made_up_trial("text", seed, first_right(450 - 9 * seed, 1000)));
    trials.push_back(made_up_trial("image,text", seed, first_right(600 + 5 * seed, 1000)));
  }
  return compare(trials, 2);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(ComparisonJson, HasEveryPartOfTheRecord) {
  const Comparison comparison = of_three_recipes();
  const nlohmann::json record = to_json(comparison, kNames);
  const auto& image = record.at("recipes").at("image");
  EXPECT_DOUBLE_EQ(image.at("accuracy").at("mean"), comparison.recipes[0].accuracy.mean);
  EXPECT_THAT(image.at("accuracy").at("per_seed"), SizeIs(3));
  for (const char* score : {"accuracy", "macro_f1", "log_loss", "calibration_error"}) {
    EXPECT_LE(image.at(score).at("low"), image.at(score).at("high")) << score;
  }
  EXPECT_DOUBLE_EQ(image.at("recall").at("dog"), comparison.recipes[0].recall[1]);
  EXPECT_EQ(image.at("confusion").at(0).at(1), comparison.recipes[0].confusion[1]);
  EXPECT_DOUBLE_EQ(image.at("seconds"), 4.5);
  ASSERT_THAT(record.at("pairs"), SizeIs(9));
  const auto& pair = record.at("pairs").at(0);
  EXPECT_EQ(pair.at("a"), "image,text");
  EXPECT_EQ(pair.at("b"), "image");
  EXPECT_EQ(pair.at("metric"), "accuracy");
  EXPECT_DOUBLE_EQ(pair.at("difference"), comparison.pairs[0].difference);
  EXPECT_DOUBLE_EQ(pair.at("p_holm"), comparison.pairs[0].p_holm);
  EXPECT_THAT(pair.at("mcnemar_p"), SizeIs(3));
  EXPECT_TRUE(pair.at("per_class").contains("cat"));
  EXPECT_FALSE(record.at("pairs").at(8).contains("mcnemar_p"));
  EXPECT_EQ(record.at("verdict").at("text"), "helps");
  EXPECT_EQ(record.at("verdict").at("sentence"), comparison.sentence);
  EXPECT_EQ(record.at("test"), comparison.test);
}

TEST(ComparisonJson, WritesWhatIsUnknownAsNull) {
  Trial trial = made_up_trial("image", 0, first_right(8, 10));
  trial.labels.assign(10, 0);
  const nlohmann::json record = to_json(compare(std::vector{trial}, 2), kNames);
  EXPECT_TRUE(record.at("recipes").at("image").at("recall").at("dog").is_null());
  EXPECT_THAT(record.dump(), Not(HasSubstr("nan")));
}

TEST(ComparisonJson, NeedsAsManyNamesAsClasses) {
  EXPECT_THROW(to_json(of_three_recipes(), std::vector<std::string>{"cat"}), Error);
}

TEST(Table, ShowsScoresThenDifferencesThenTheVerdict) {
  const Comparison comparison = of_three_recipes();
  const std::vector<std::string> lines = lines_of(format_table(comparison));
  ASSERT_THAT(lines, SizeIs(11)) << format_table(comparison);
  EXPECT_THAT(lines[1], testing::StartsWith("image       50.5 ("));
  EXPECT_THAT(lines[3], testing::StartsWith("image,text  60.5 ("));
  EXPECT_EQ(lines[4], "");
  EXPECT_THAT(lines[5], testing::MatchesRegex("difference +points of accuracy +p .Holm."));
  EXPECT_THAT(lines[6], testing::StartsWith("image,text - image  +10.0 ("));
  EXPECT_THAT(lines[8], testing::StartsWith("text - image         -6.4 ("));
  EXPECT_EQ(lines[9], "") << "before the sentence";
}

TEST(Table, EndsWithTheSentence) {
  const Comparison comparison = of_three_recipes();
  EXPECT_THAT(format_table(comparison), testing::EndsWith("\n" + comparison.sentence + "\n"));
}

TEST(Table, SaysOfAGivenSplitThatSeedsAloneDiffer) {
  std::vector<Trial> trials;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    trials.push_back(made_up_trial("image", seed, first_right(50, 100)));
    trials.push_back(made_up_trial("image,text", seed, first_right(60 + seed, 100)));
  }
  const Comparison comparison = compare(trials, 2, SplitSource::given);
  EXPECT_THAT(
      format_table(comparison),
      testing::EndsWith(
          "\nThe split is the data's own: all runs test the same rows, only seeds differ.\n"));
  EXPECT_EQ(to_json(comparison, kNames).at("caution"), comparison.caution);
  EXPECT_EQ(to_json(of_three_recipes(), kNames).at("caution"), "");
}

TEST(Table, AlignsItsColumns) {
  const std::vector<std::string> lines = lines_of(format_table(of_three_recipes()));
  const std::size_t macro_f1 = lines[0].find("macro-F1"), log_loss = lines[0].find("log loss");
  for (std::size_t i = 1; i <= 3; ++i) {
    for (std::size_t column : {macro_f1, log_loss}) {
      EXPECT_EQ(lines[i][column - 1], ' ') << lines[i];
      EXPECT_NE(lines[i].substr(column, 5).find_first_of("0123456789"), std::string::npos);
    }
  }
}

TEST(Table, StaysWithinEightyColumnsForTheWidestValues) {
  Comparison comparison = of_three_recipes();
  for (RecipeScores& scores : comparison.recipes) {
    scores.accuracy = scores.macro_f1 = {1, 1, 1, {}};
    scores.log_loss = {16.12, 16.12, 16.12, {}};
  }
  for (PairDifference& pair : comparison.pairs) {
    pair.difference = pair.low = pair.high = -1;
  }
  comparison.caution =
      compare(std::vector{made_up_trial("text", 0, first_right(1, 2))}, 2, SplitSource::given)
          .caution;
  for (const std::string& line : lines_of(format_table(comparison))) {
    EXPECT_LE(line.size(), 80U) << line;
    EXPECT_THAT(line, testing::Not(testing::EndsWith(" ")));
  }
}

TEST(Table, OfOneRecipeHasNoDifferences) {
  const std::vector<Trial> trials{made_up_trial("text", 0, first_right(30, 40))};
  const std::string table = format_table(compare(trials, 2));
  EXPECT_THAT(table, Not(HasSubstr("p (Holm)")));
  EXPECT_THAT(table, HasSubstr("No verdict on the text"));
}

TEST(Points, HaveOneDecimalAndNoNegativeZero) {
  EXPECT_EQ(in_points(0.0984), 9.8);
  EXPECT_FALSE(std::signbit(in_points(-0.0001)));
}

TEST(ClassTable, ShowsADashForAClassWithoutRows) {
  Trial trial = made_up_trial("image", 0, first_right(10, 10));
  trial.labels.assign(10, 0);
  const std::vector<std::string> lines =
      lines_of(format_classes(compare(std::vector{trial}, 2), kNames));
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines[2], HasSubstr("50.0 %       10  cat"));
  EXPECT_THAT(lines[3], HasSubstr("-        0  dog"));
}

}  // namespace
}  // namespace diptych
