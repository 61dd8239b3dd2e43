#include "report/markup.h"

#include <gtest/gtest.h>

namespace diptych::report {
namespace {

const std::string kReplacement = "\uFFFD";

TEST(Escaped, TurnsTheFiveCharactersOfMarkupIntoReferences) {
  EXPECT_EQ(escaped("<a href=\"x\" id='y'>&amp;").str(),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;");
}

TEST(Escaped, KeepsTextOfAnyScript) {
  const std::string text = "나비 \u05D1\u05D9\u05EA 👩‍🍳 \u00E9\n\tnaïve";
  EXPECT_EQ(escaped(text).str(), text);
}

TEST(Escaped, ReplacesBytesThatAreNotText) {
  EXPECT_EQ(escaped(std::string("a\0b", 3)).str(), "a" + kReplacement + "b");
  EXPECT_EQ(escaped("\x1b[0m").str(), kReplacement + "[0m");
  EXPECT_EQ(escaped("\xff").str(), kReplacement);
  EXPECT_EQ(escaped("\xc0\xaf").str(), kReplacement + kReplacement);  // an overlong "/"
  EXPECT_EQ(escaped("\xe2\x82").str(), kReplacement + kReplacement);  // cut short
  EXPECT_EQ(escaped("\xed\xa0\x80").str(), kReplacement + kReplacement + kReplacement);
  EXPECT_EQ(escaped("\uFFFE\u0085").str(), kReplacement + kReplacement);
}

TEST(Escaped, DropsMarksThatTurnTheDirectionOfWhatFollows) {
  EXPECT_EQ(escaped("a\u202Eb\u2066c").str(), "abc");
}

TEST(Element, EscapesAttributesAndLeavesOutEmptyOnes) {
  EXPECT_EQ(element("p", {{"title", "\"><b>"}, {"class", ""}}, "x").str(),
            "<p title=\"&quot;&gt;&lt;b&gt;\">x</p>");
  EXPECT_EQ(element("img", {{"alt", ""}}).str(), "<img alt=\"\" />");
}

TEST(Shortened, CountsCharactersAndNeverCutsOneInTwo) {
  EXPECT_EQ(shortened("나비나비", 4), "나비나비");
  EXPECT_EQ(shortened("나비나비", 3), "나비…");
  EXPECT_EQ(shortened("", 3), "");
}

TEST(DataUri, WritesBase64WithItsPadding) {
  EXPECT_EQ(data_uri("M"), "data:image/png;base64,TQ==");
  EXPECT_EQ(data_uri("Ma"), "data:image/png;base64,TWE=");
  EXPECT_EQ(data_uri("Man"), "data:image/png;base64,TWFu");
  EXPECT_EQ(data_uri("\xff\xfe\xfd\xfc"), "data:image/png;base64,//79/A==");
}

}  // namespace
}  // namespace diptych::report
