#include "download/shard.h"

#include <gtest/gtest.h>

#include "download/fetch.h"

namespace diptych {
namespace {

TEST(ShardLayout, KeysAreThoseOfImg2dataset) {
  ShardLayout layout;
  EXPECT_EQ(layout.key(12, 345), "00012345");
  layout.rows = 10000;
  EXPECT_EQ(layout.key(12, 345), "000120345");
  layout.rows = 1;
  EXPECT_EQ(layout.key(7, 0), "00007");
  EXPECT_EQ(layout.shard_name(7), "00007");
}

TEST(CountsTable, AccountsForEveryRowTheMostFrequentFailureFirst) {
  EXPECT_EQ(counts_table({{"success", 70}, {"not a picture", 10}, {"HTTP status 404", 20}}),
            "fetched                               70\n"
            "HTTP status 404                       20\n"
            "not a picture                         10\n"
            "asked                                100\n");
}

}  // namespace
}  // namespace diptych
