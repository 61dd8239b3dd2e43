// K folds instead of a share held out: over the folds of a seed every row is tested once.
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

SplitOptions fold_of(int folds, int fold, double validation = 0.15) {
  return {0.2, validation, folds, fold};
}

std::vector<Split> all_folds(const Dataset& dataset, int folds, std::uint64_t seed) {
  std::vector<Split> splits;
  for (int fold = 1; fold <= folds; ++fold) {
    splits.push_back(make_split(dataset, fold_of(folds, fold), seed));
  }
  return splits;
}

TEST(Folds, TestEveryRowOnceAndLearnFromAllOthers) {
  const Dataset dataset = drawn(1, 3, 100);
  for (int folds : {2, 5, 10, 100}) {
    std::vector<int> tested(dataset.size());
    for (const Split& split : all_folds(dataset, folds, 1)) {
      std::set<std::int64_t> seen;
      for (const auto& part : parts_of(split)) {
        EXPECT_FALSE(part.empty());
        EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
        seen.insert(part.begin(), part.end());
      }
      EXPECT_EQ(seen.size(), dataset.size());
      EXPECT_EQ(split.train.size() + split.validation.size() + split.test.size(), dataset.size());
      for (std::int64_t row : split.test) ++tested[static_cast<std::size_t>(row)];
    }
    EXPECT_THAT(tested, testing::Each(1)) << folds;
  }
}

TEST(Folds, KeepGroupsWhole) {
  const Dataset dataset = drawn(2, 3, 120);
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (const Split& split : all_folds(dataset, 4, seed)) {
      std::map<std::string, std::set<std::size_t>> seen;
      const auto parts = parts_of(split);
      for (std::size_t part = 0; part < parts.size(); ++part) {
        for (std::int64_t row : parts[part]) {
          const std::string group = dataset[static_cast<std::size_t>(row)].group;
          if (!group.empty()) seen[group].insert(part);
        }
      }
      for (const auto& [group, in] : seen) EXPECT_EQ(in.size(), 1u) << group;
    }
  }
}

TEST(Folds, ShareEachClassWithinItsLargestGroupAndAllRowsWithinOneWithoutGroups) {
  constexpr int kLargestGroup = 6;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Dataset dataset = drawn(seed, 4, 200);
    for (int label = 0; label < 4; ++label) {
      RowVector<std::int64_t> counts;
      for (const Split& split : all_folds(dataset, 5, seed)) {
        counts.push_back(rows_of(dataset, split.test, label));
      }
      const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
      EXPECT_LE(*most - *least, kLargestGroup);
    }
  }
  std::vector<Member> members;  // seven of each class: no class divides evenly
  for (int i = 0; i < 7 * 9; ++i) members.push_back({i % 9});
  const Dataset dataset = dataset_of(members, 9);
  for (const Split& split : all_folds(dataset, 5, 3)) {
    EXPECT_NEAR(split.test.size(), 63 / 5.0, 1);
    for (int label = 0; label < 9; ++label) {
      EXPECT_NEAR(rows_of(dataset, split.test, label), 1.5, 0.5);
    }
  }
}

TEST(Folds, TestOnTheSameRowsWhateverIsLeftOutForValidationAndDrawItAnew) {
  const Dataset dataset = drawn(3, 3, 150);
  std::set<RowVector<std::int64_t>> validation;
  for (int fold = 1; fold <= 5; ++fold) {
    const Split little = make_split(dataset, fold_of(5, fold, 0.05), 3);
    const Split much = make_split(dataset, fold_of(5, fold, 0.5), 3);
    EXPECT_EQ(little.test, much.test);
    EXPECT_LT(little.validation.size(), much.validation.size());
    validation.insert(little.validation);
    for (int label = 0; label < 3; ++label) {
      EXPECT_NEAR(rows_of(dataset, much.validation, label), rows_of(dataset, much.train, label), 6);
    }
  }
  EXPECT_EQ(validation.size(), 5u);
  std::set<std::int64_t> common;
  for (const auto& rows : validation) common.insert(rows.begin(), rows.end());
  EXPECT_GT(common.size(), 3 * validation.begin()->size()) << "drawn of other rows in each fold";
}

TEST(Folds, AreTheSeedsOwnOnEveryMachine) {
  const Dataset dataset = drawn(7, 2, 60);
  std::set<RowVector<std::int64_t>> tests;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const Split& split : all_folds(dataset, 3, seed)) tests.insert(split.test);
    EXPECT_EQ(parts_of(all_folds(dataset, 3, seed)[1]), parts_of(all_folds(dataset, 3, seed)[1]));
  }
  EXPECT_EQ(tests.size(), 60u);
  std::vector<Member> members;
  for (int i = 0; i < 20; ++i) members.push_back({i % 2});
  const Split known = make_split(dataset_of(members, 2), fold_of(5, 2, 0.25), 1);
  EXPECT_THAT(known.test, testing::ElementsAre(4, 6, 7, 11));
  EXPECT_THAT(known.validation, testing::ElementsAre(5, 8, 10, 15));
}

TEST(Folds, TestAClassWithFewGroupsInSomeAndLearnItInAll) {
  std::vector<Member> members;
  for (int i = 0; i < 60; ++i) members.push_back({0});
  for (int i = 0; i < 3; ++i) members.push_back({1});
  for (int i = 0; i < 3; ++i) members.insert(members.end(), 1 + 20 * i, {2, std::to_string(i)});
  const Dataset dataset = dataset_of(members, 3);
  EXPECT_TRUE(small_classes(dataset).empty());
  for (int folds : {2, 3, 5, 10}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      for (const Split& split : all_folds(dataset, folds, seed)) {
        for (int label = 0; label < 3; ++label) {
          EXPECT_GT(rows_of(dataset, split.train, label), 0) << folds;
          if (folds >= 3) {
            EXPECT_GT(rows_of(dataset, split.validation, label), 0) << folds;
          }
        }
      }
    }
  }
}

TEST(Folds, OfManySmallClassesLeaveNoFoldEmpty) {
  std::vector<Member> members;
  for (int i = 0; i < 4 * 3; ++i) members.push_back({i % 4});
  for (const Split& split : all_folds(dataset_of(members, 4), 12, 1)) {
    EXPECT_EQ(split.test.size(), 1u);
  }
}

TEST(Folds, OfTooFewGroupsOrOfAGivenSplitAreRefusedWithTheWayOut) {
  const Dataset six = dataset_of({{0}, {0}, {0}, {1}, {1}, {1}}, 2);
  const Error few = error_of([&] { make_split(six, fold_of(7, 1), 1); });
  EXPECT_EQ(few.kind(), ErrorKind::data);
  EXPECT_THAT(few.full(),
              AllOf(HasSubstr("6 groups of rows are too few for 7 folds"), HasSubstr("--folds 6")));
  EXPECT_NO_THROW(make_split(six, fold_of(6, 1), 1));
  const Dataset split = dataset_of({{0, "", Part::train}, {1, "", Part::test}}, 2);
  EXPECT_THAT(error_of([&] { make_split(split, fold_of(2, 1), 1); }).full(),
              AllOf(HasSubstr("the data gives a split"), HasSubstr("--split-column none"),
                    HasSubstr("--folds 0")));
}

}  // namespace
}  // namespace diptych
