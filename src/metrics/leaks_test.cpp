#include "metrics/leaks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "metrics/made_up_trials.h"

namespace diptych {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// Rows 0 to 19 are tested; the dataset has 60, of which row 40 + i is a copy of the tested row i
// for the first `copied` rows.
KnownLeaks copies(std::int64_t copied) {
  KnownLeaks known;
  known.rows = 60;
  for (std::int64_t row = 0; row < 60; ++row) {
    known.copies.push_back(row >= 40 && row - 40 < copied ? row - 40 : row);
  }
  return known;
}

double accuracy(const Leak& leak, std::size_t recipe = 0) {
  return leak.comparison.recipes.at(recipe).accuracy.mean;
}

TEST(Leaks, AreNoneWhereThereIsNothingToLeaveOut) {
  const std::vector<Trial> trials{made_up_trial("image", 0, first_right(10, 20))};
  EXPECT_THAT(measure_leaks(trials, copies(0), 2), IsEmpty());
  EXPECT_THAT(measure_leaks(trials, {}, 2), IsEmpty());
  EXPECT_EQ(format_leaks({}), "");
  EXPECT_EQ(to_json(std::span<const Leak>()), nlohmann::json::object());
}

TEST(Leaks, LeaveOutTestRowsWhosePictureWasLearntFrom) {
  // The ten rows that are right are those that were learnt from.
  std::vector<Trial> trials;
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    trials.push_back(made_up_trial("image", seed, first_right(10, 20)));
    trials.push_back(made_up_trial("image,text", seed, first_right(15, 20)));
  }
  const auto leaks = measure_leaks(trials, copies(10), 2);
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_EQ(leaks[0].rows, 20);
  EXPECT_EQ(leaks[0].of, 40);
  EXPECT_EQ(accuracy(leaks[0], 0), 0);
  EXPECT_EQ(accuracy(leaks[0], 1), 0.5);
}

TEST(Leaks, CountTheTestRowsOfEveryFold) {
  std::vector<Trial> trials;
  for (int fold : {1, 2}) {
    trials.push_back(made_up_trial("image", 0, first_right(10, 20)));
    trials.push_back(made_up_trial("image,text", 0, first_right(15, 20)));
    for (Trial& trial : std::span(trials).last(2)) trial.fold = fold;
  }
  const auto leaks = measure_leaks(trials, copies(10), 2);
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_EQ(leaks[0].rows, 20);
  EXPECT_EQ(leaks[0].of, 40);
}

TEST(Leaks, AreNoneAmongTheTestRowsThemselves) {
  KnownLeaks known = copies(0);
  for (std::size_t row = 0; row < 20; ++row) known.copies[row] = 0;
  const std::vector<Trial> trials{made_up_trial("image", 0, first_right(10, 20))};
  EXPECT_THAT(measure_leaks(trials, known, 2), IsEmpty());
}

// Without any row left there is nothing to say.
TEST(Leaks, OfEveryTestRowAreNotMeasured) {
  const std::vector<Trial> trials{made_up_trial("image", 0, first_right(10, 20))};
  EXPECT_THAT(measure_leaks(trials, copies(20), 2), IsEmpty());
}

TEST(Leaks, TakeTheMaskedAnswersOfThoseThatHaveThem) {
  std::vector<Trial> trials{made_up_trial("image", 0, first_right(10, 20)),
                            made_up_trial("image,text", 0, first_right(18, 20))};
  trials[1].masked_probabilities = made_up_trial("", 0, first_right(12, 20)).probabilities;
  KnownLeaks known = copies(0);
  known.naming_rows = 7;
  const auto leaks = measure_leaks(trials, known, 2);
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_EQ(accuracy(leaks[0], 0), 0.5);
  EXPECT_EQ(accuracy(leaks[0], 1), 0.6);
  const auto json = to_json(leaks)["label_words"];
  EXPECT_EQ(json["rows"], 7);
  EXPECT_EQ(json["of"], 60);
  EXPECT_EQ(json["accuracy"], nlohmann::json({{"image", 0.5}, {"image,text", 0.6}}));
  EXPECT_THAT(json["sentence"], HasSubstr("+10.0 points"));
  EXPECT_THAT(format_leaks(leaks),
              HasSubstr("\nWith the words of labels masked in the tested texts "
                        "(7 of 60):\n  accuracy, %: image 50.0   image,text "
                        "60.0\n  "));
  known.naming_rows = 0;
  EXPECT_THAT(measure_leaks(trials, known, 2), IsEmpty());
}

}  // namespace
}  // namespace diptych
