#include "base/error.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace diptych {
namespace {

TEST(ErrorTable, HasOneRowPerKindInOrderWithItsOwnExitCode) {
  std::set<int> codes;
  std::set<std::string> names;
  int index = 0;
  for (const ErrorRow& row : error_table()) {
    EXPECT_EQ(static_cast<int>(row.kind), index++);
    EXPECT_TRUE(codes.insert(row.exit_code).second) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(&error_row(row.kind), &row);
    EXPECT_GT(row.exit_code, 1);
    EXPECT_LT(row.exit_code, 256);
    EXPECT_GE(row.http_status, 400);
    EXPECT_LT(row.http_status, 600);
  }
  EXPECT_EQ(error_row(ErrorKind::internal).kind, error_table().back().kind);
}

TEST(Error, TellsWhereWhatAndTheWayOut) {
  const Error error(ErrorKind::data, "no column 'label'", "data.csv",
                    "name it with --label-column");
  EXPECT_EQ(error.full(), "data.csv: no column 'label'\n  name it with --label-column");
}

TEST(DidYouMean, NamesTheNearestAndKeepsSilentWhenNoneIsNear) {
  const std::vector<std::string> names{"epochs", "batch-size", "learning-rate"};
  EXPECT_EQ(did_you_mean("epoch", names), "did you mean 'epochs'?");
  EXPECT_EQ(did_you_mean("lerning-rate", names), "did you mean 'learning-rate'?");
  EXPECT_EQ(did_you_mean("zzz", names), "");
}

}  // namespace
}  // namespace diptych
