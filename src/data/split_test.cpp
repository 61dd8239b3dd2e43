#include "data/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/drawn_rows.h"
#include "data/written_tables.h"

namespace diptych {
namespace {
using testing::AllOf;
using testing::HasSubstr;

TEST(Split, DealsEveryRowOnceInAscendingOrder) {
  const Dataset dataset = drawn(1, 3, 100);
  RowVector<std::int64_t> all;
  for (const auto& part : parts_of(make_split(dataset, {}, 1))) {
    EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), dataset.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<std::int64_t>(i));
}

TEST(Split, KeepsGroupsWhole) {
  const Dataset dataset = drawn(2, 3, 120);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::map<std::string, std::set<int>> seen;
    int number = 0;
    for (const auto& part : parts_of(make_split(dataset, {}, seed))) {
      for (std::int64_t row : part) {
        const std::string& group = dataset[static_cast<std::size_t>(row)].group;
        if (!group.empty()) seen[group].insert(number);
      }
      ++number;
    }
    for (const auto& [group, parts] : seen) EXPECT_EQ(parts.size(), 1u) << group;
  }
}

TEST(Split, KeepsTheFractionsOfEachClassWithinOneGroup) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Dataset dataset = drawn(seed, 4, 200);
    const SplitOptions fractions{0.3, 0.25};
    const Split split = make_split(dataset, fractions, seed);
    for (int label = 0; label < 4; ++label) {
      RowVector<std::int64_t> all(dataset.size());
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
      const auto total = static_cast<double>(rows_of(dataset, all, label));
      constexpr double kLargestGroup = 6;
      EXPECT_NEAR(rows_of(dataset, split.test, label), 0.3 * total, kLargestGroup);
      EXPECT_NEAR(rows_of(dataset, split.validation, label), 0.7 * 0.25 * total, kLargestGroup);
      EXPECT_NEAR(rows_of(dataset, split.train, label), 0.7 * 0.75 * total, kLargestGroup);
    }
  }
}

TEST(Split, KeepsTheFractionsWithinOneRowWhenThereAreNoGroups) {
  std::vector<Member> members;
  for (int i = 0; i < 1000; ++i) members.push_back({i % 2});
  const Dataset dataset = dataset_of(members, 2);
  const Split split = make_split(dataset, {0.2, 0.15}, 3);
  for (int label = 0; label < 2; ++label) {
    EXPECT_NEAR(rows_of(dataset, split.test, label), 100, 1);
    EXPECT_NEAR(rows_of(dataset, split.validation, label), 60, 1);
    EXPECT_NEAR(rows_of(dataset, split.train, label), 340, 1);
  }
}

TEST(Split, PutsEveryClassInEveryPartHoweverSmallTheFractions) {
  std::vector<Member> members;
  for (int i = 0; i < 60; ++i) members.push_back({0});
  for (int i = 0; i < 3; ++i) members.push_back({1});
  for (int i = 0; i < 3; ++i) members.insert(members.end(), 1 + 20 * i, {2, std::to_string(i)});
  const Dataset dataset = dataset_of(members, 3);
  for (const SplitOptions& fractions :
       {SplitOptions{}, SplitOptions{0.001, 0.001}, SplitOptions{0.98, 0.98}}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      for (const auto& part : parts_of(make_split(dataset, fractions, seed))) {
        for (int label = 0; label < 3; ++label) EXPECT_GT(rows_of(dataset, part, label), 0);
      }
    }
  }
}

TEST(Split, TestsOnTheSameRowsWhateverIsLeftOutForValidation) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Dataset dataset = drawn(seed, 3, 100);
    const Split little = make_split(dataset, {0.2, 0.05}, seed);
    const Split much = make_split(dataset, {0.2, 0.5}, seed);
    EXPECT_EQ(little.test, much.test);
    EXPECT_LT(little.validation.size(), much.validation.size());
  }
}

TEST(Split, IsTheSeedsOwnOnEveryMachine) {
  const Dataset dataset = drawn(7, 2, 60);
  const Split split = make_split(dataset, {}, 1);
  EXPECT_EQ(parts_of(split), parts_of(make_split(dataset, {}, 1)));
  std::set<RowVector<std::int64_t>> tests;
  for (std::uint64_t seed = 0; seed < 50; ++seed) tests.insert(make_split(dataset, {}, seed).test);
  EXPECT_EQ(tests.size(), 50u);
  std::vector<Member> members;
  for (int i = 0; i < 20; ++i) members.push_back({i % 2});
  const Split known = make_split(dataset_of(members, 2), {0.2, 0.25}, 1);
  EXPECT_THAT(known.test, testing::ElementsAre(0, 5, 10, 17));
  EXPECT_THAT(known.validation, testing::ElementsAre(3, 12, 13, 18));
}

TEST(Split, DoesNotDependOnTheNamesOfGroups) {
  std::vector<Member> members, renamed;
  for (int i = 0; i < 60; ++i) {
    members.push_back({i % 2, "a" + std::to_string(i / 4 * 2 + i % 2)});
    renamed.push_back({i % 2, "b" + std::to_string(1000 - (i / 4 * 2 + i % 2))});
  }
  EXPECT_EQ(parts_of(make_split(dataset_of(members, 2), {}, 5)),
            parts_of(make_split(dataset_of(renamed, 2), {}, 5)));
}

TEST(Split, OfOneClassIsRefusedWithTheWayOut) {
  const Error error = error_of([] { make_split(dataset_of({{0}, {0}, {0}}, 1), {}, 1); });
  EXPECT_EQ(error.kind(), ErrorKind::data);
  EXPECT_THAT(error.full(),
              AllOf(HasSubstr("'class 0'"), HasSubstr("two classes"), HasSubstr("--label-column")));
  EXPECT_THAT(error_of([] { make_split(Dataset(), {}, 1); }).what(), HasSubstr("no rows"));
}

TEST(SmallClasses, AreThoseWithFewerThanThreeGroups) {
  std::vector<Member> members(10, {0});
  members.push_back({1});
  members.push_back({2});
  members.push_back({2});
  for (int i = 0; i < 3; ++i) members.push_back({3});
  for (int i = 0; i < 9; ++i) members.push_back({4, i % 2 ? "odd" : "even"});
  const auto problems = small_classes(dataset_of(members, 5));
  std::map<std::string, int> counts;
  for (const RowProblem& problem : problems) {
    EXPECT_EQ(problem.problem, Problem::small_class);
    EXPECT_EQ(problem.id, "row " + std::to_string(problem.row));
    ++counts[problem.detail];
  }
  EXPECT_EQ(counts, (std::map<std::string, int>{{"class 1", 1}, {"class 2", 2}, {"class 4", 9}}));
  EXPECT_TRUE(std::is_sorted(problems.begin(), problems.end(),
                             [](const auto& a, const auto& b) { return a.row < b.row; }));
}

TEST(SmallClasses, NameAClassThatIsTheRarerOneInEachOfItsGroups) {
  std::vector<Member> members;
  for (int group = 0; group < 5; ++group) {
    members.insert(members.end(), 3, {0, "g" + std::to_string(group)});
    members.push_back({1, "g" + std::to_string(group)});
  }
  for (int i = 0; i < 5; ++i) members.push_back({2});
  const auto problems = small_classes(dataset_of(members, 3));
  ASSERT_EQ(problems.size(), 5u);
  for (const RowProblem& problem : problems) EXPECT_EQ(problem.detail, "class 1");
}

// Six rows of each of two classes, in the parts that the word names by their first letters.
Dataset given(const std::string& parts, const std::vector<std::string>& groups = {}) {
  std::vector<Member> members;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part part = parts[i] == 'a'   ? Part::train
                      : parts[i] == 'v' ? Part::validation
                                        : Part::test;
    members.push_back({static_cast<int>(i % 2), i < groups.size() ? groups[i] : "", part});
  }
  return dataset_of(members, 2);
}

TEST(GivenSplit, IsTakenAsItIsWhateverTheSeed) {
  const Dataset dataset = given("aatvvaataaat");
  for (std::uint64_t seed : {1, 2, 3}) {
    const Split split = make_split(dataset, {0.5, 0.5}, seed);
    EXPECT_THAT(split.train, testing::ElementsAre(0, 1, 5, 6, 8, 9, 10));
    EXPECT_THAT(split.validation, testing::ElementsAre(3, 4));
    EXPECT_THAT(split.test, testing::ElementsAre(2, 7, 11));
  }
}

TEST(GivenSplit, WithoutValidationDealsItFromTrainingBySeed) {
  const Dataset dataset = given("aaaaaaaaaaaaaaaaaaaatttt", {"g", "h", "g", "h"});
  std::set<RowVector<std::int64_t>> drawn;
  for (std::uint64_t seed = 1; seed < 6; ++seed) {
    const Split split = make_split(dataset, {0.5, 0.2}, seed);
    EXPECT_THAT(split.test, testing::ElementsAre(20, 21, 22, 23));
    EXPECT_EQ(split.train.size() + split.validation.size(), 20u);
    for (int label : {0, 1}) EXPECT_NEAR(rows_of(dataset, split.validation, label), 2, 1);
    const std::set<std::int64_t> validation(split.validation.begin(), split.validation.end());
    EXPECT_EQ(validation.contains(0), validation.contains(2)) << "a group is dealt whole";
    drawn.insert(split.validation);
  }
  EXPECT_GT(drawn.size(), 1u);
}

TEST(GivenSplit, MayHaveNoTestRows) {
  const Split split = make_split(given("aaaaaavvvvvv"), {}, 1);
  EXPECT_EQ(split.train.size(), 6u);
  EXPECT_TRUE(split.test.empty());
  EXPECT_THAT(error_of([] { require_test_rows(given("aaaaaavvvvvv")); }).full(),
              AllOf(HasSubstr("without test rows"), HasSubstr("--split-column none")));
  EXPECT_NO_THROW(require_test_rows(given("aaaaaavvvvtt")));
  EXPECT_NO_THROW(require_test_rows(drawn(1, 3, 30)));
}

TEST(GivenSplit, NeedsTwoClassesInTraining) {
  const Error error = error_of([] { make_split(given("atatatatatvt"), {}, 1); });
  EXPECT_THAT(error.what(), HasSubstr("all training rows have the one class 'class 0'"));
}

TEST(GivenSplit, WithAGroupInTwoPartsIsRefused) {
  EXPECT_NO_THROW(make_split(given("aaaatt", {"g", "h", "g", "h", "i", "i"}), {}, 1));
  for (const char* parts : {"aaavtt", "aaattt"}) {
    const Error error = error_of([&] { make_split(given(parts, {"g", "h", "g", "h"}), {}, 1); });
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.full(),
                AllOf(HasSubstr("row 4 (row 4): its group 'h'"), HasSubstr("--split-column none"),
                      HasSubstr("--group-column none")));
  }
}

TEST(GivenSplit, NamesTheRowsOfClassesThatCannotBeLearnt) {
  std::vector<Member> members = {
      {0, "", Part::train}, {1, "", Part::train}, {2, "", Part::test}, {2, "", Part::validation}};
  const auto problems = small_classes(dataset_of(members, 3));
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].problem, Problem::untrained_class);
  EXPECT_EQ(problems[0].row, 3);
  EXPECT_EQ(problems[0].detail, "class 2");
}

}  // namespace
}  // namespace diptych
