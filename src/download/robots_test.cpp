#include "download/robots.h"

#include <gtest/gtest.h>

namespace diptych {
namespace {

TEST(Robots, EachDirectiveAgainstUseForbidsInAnyCaseAndPlace) {
  for (const char* value :
       {"noai", " NoAI\r\n", "noimageai", "noindex", "noimageindex", "none", "nofollow, noindex",
        "nofollow,,noai", "*: noindex", "diptych: noai", "Diptych : none",
        "otherbot: nofollow, diptych: noai", "unavailable_after: 25 Jun 2027, noindex"}) {
    EXPECT_TRUE(robots_disallow(value)) << value;
  }
}

TEST(Robots, OtherDirectivesAndOtherRobotsForbidNothing) {
  for (const char* value :
       {"", ",", "all", "index", "nofollow", "noarchive", "noaids", "xnoai", "no ai",
        "otherbot: noindex", "otherbot: nofollow, noai", "max-image-preview: none",
        "unavailable_after: 25 Jun 2027", "diptych: nofollow, otherbot: noai", ":::"}) {
    EXPECT_FALSE(robots_disallow(value)) << value;
  }
}

TEST(Robots, AnotherNameIsAskedForByThatName) {
  EXPECT_TRUE(robots_disallow("otherbot: noindex", "otherbot"));
  EXPECT_FALSE(robots_disallow("diptych: noindex", "otherbot"));
}

}  // namespace
}  // namespace diptych
