#include "base/text_column.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace diptych {
namespace {

using testing::ElementsAre;

TEST(TextColumn, KeepsEachTextWhateverItsLength) {
  TextColumn column;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < 400; ++i) {
    expected.emplace_back(i % 3 ? i * 7 : i * 997, static_cast<char>('a' + i % 26));
    column.push_back(expected.back());
  }
  ASSERT_EQ(column.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(column[i], expected[i]) << i;
}

TEST(TextColumn, CopiesOutliveWhatTheyWereCopiedFromAndDoNotWriteToIt) {
  TextColumn copy;
  {
    TextColumn column{"a", "b"};
    copy = column;
    column.push_back("of the column");
    copy.push_back("of the copy");
    EXPECT_THAT(column, ElementsAre("a", "b", "of the column"));
  }
  EXPECT_THAT(copy, ElementsAre("a", "b", "of the copy"));
}

TEST(TextColumn, IsSetResizedAssignedAndAppended) {
  TextColumn column{"a", "b"};
  column.set(0, "other");
  column.resize(3);
  EXPECT_THAT(column, ElementsAre("other", "b", ""));
  {
    TextColumn more;
    more.assign(2, "same");
    column.append(more);
  }
  EXPECT_THAT(column, ElementsAre("other", "b", "", "same", "same"));
  column.resize(1);
  EXPECT_THAT(column, ElementsAre("other"));
}

TEST(TextColumn, SharesTheMemoryOfOthersWhileItLives) {
  TextColumn column;
  std::weak_ptr<const std::string> watched;
  {
    const auto owner = std::make_shared<const std::string>("theirs");
    watched = owner;
    column.keep(owner);
    column.share(*owner);
    EXPECT_EQ(column[0].data(), owner->data());
  }
  EXPECT_THAT(column, ElementsAre("theirs"));
  column = TextColumn();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace diptych
