#include "base/hash.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace diptych {
namespace {

std::string digest_of(std::initializer_list<std::string_view> parts) {
  Digest digest;
  for (const std::string_view part : parts) digest.add(part);
  return digest.hex();
}

TEST(Hash, IsXxh3AsPublished) {
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2u);
  EXPECT_EQ(digest_of({}), "99aa06d3014798d86001c324468d497f");
  EXPECT_NE(hash64("a", 1), hash64("a", 2));
}

TEST(Digest, TellsWhereOnePartEnds) {
  EXPECT_EQ(digest_of({"ab", "c"}), digest_of({"ab", "c"}));
  EXPECT_NE(digest_of({"ab", "c"}), digest_of({"a", "bc"}));
  EXPECT_NE(digest_of({"a", ""}), digest_of({"a"}));
  EXPECT_NE(digest_of({"a", "b"}), digest_of({"b", "a"}));
}

TEST(Digest, MayBeAskedOnTheWay) {
  Digest digest;
  digest.add("a");
  EXPECT_EQ(digest.hex(), digest_of({"a"}));
  digest.add("b");
  EXPECT_EQ(digest.hex(), digest_of({"a", "b"}));
}

}  // namespace
}  // namespace diptych
