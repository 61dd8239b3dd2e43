#include "base/csv.h"

#include <gtest/gtest.h>

namespace diptych {
namespace {

TEST(Csv, QuotesACellOnlyWhereItMust) {
  EXPECT_EQ(csv_cell("a cat's | 한국어"), "a cat's | 한국어");
  EXPECT_EQ(csv_cell(""), "");
  EXPECT_EQ(csv_cell("red, blue"), "\"red, blue\"");
  EXPECT_EQ(csv_cell("a \"b\""), "\"a \"\"b\"\"\"");
  EXPECT_EQ(csv_cell("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_cell("\r"), "\"\r\"");
}

}  // namespace
}  // namespace diptych
