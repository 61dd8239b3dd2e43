#include "download/shard.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace diptych
