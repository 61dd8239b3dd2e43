#include "text/unicode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/rng.h"

namespace diptych {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::string_literals;

// Bytes from the pieces that text code gets wrong: lead bytes, halves of characters, marks, NUL.
std::string hostile_bytes(std::uint64_t seed) {
  static const std::vector<std::string> pieces = {
      "a",    " ",   "\xF0\x9F", "\x98\x80",         "\xED\xA0\x80", "\xC0\xAF",
      "\xFF", "|",   "\u0301",   "\u200D",           "\uFE0F",       "\U0001F469",
      "한",   "ไทย", "\0"s,      "\xF4\x90\x80\x80", "漢字",         "ﷺ"};
  Rng rng(seed, Stream::sample);
  std::string text;
  for (std::uint64_t left = rng.below(60); left > 0; --left) {
    text += rng.chance(0.3) ? std::string(1, static_cast<char>(rng.below(256)))
                            : pieces[rng.below(pieces.size())];
  }
  return text;
}

TEST(UnicodeTest, OnlyWellFormedUtf8IsValid) {
  for (const auto& valid : {""s, "abc"s, "é한😀"s, "\0"s, "\xF4\x8F\xBF\xBF"s}) {
    EXPECT_TRUE(is_valid_utf8(valid)) << valid;
  }
  for (const auto& invalid : {"\x80"s, "\xC3"s, "\xC0\xAF"s, "\xED\xA0\x80"s, "\xF4\x90\x80\x80"s,
                              "abc\xE2\x82"s, "\xFF"s}) {
    EXPECT_FALSE(is_valid_utf8(invalid)) << testing::PrintToString(invalid);
  }
}

TEST(UnicodeTest, EachMaximalInvalidPartBecomesOneReplacementCharacter) {
  EXPECT_EQ(repair_utf8("a\xE2\x82z"), "a\uFFFDz");              // two bytes of three: one part
  EXPECT_EQ(repair_utf8("\xF0\x80\x80"), "\uFFFD\uFFFD\uFFFD");  // overlong: no part is a prefix
  EXPECT_EQ(repair_utf8("\xFF\xFE"), "\uFFFD\uFFFD");
  EXPECT_EQ(repair_utf8("naïve 😀"), "naïve 😀");
}

TEST(UnicodeTest, ACutNeverEndsInsideACharacter) {
  const std::string text = "aé한😀";  // 1 + 2 + 3 + 4 bytes
  const std::vector<std::string> expected = {"",     "a",    "a",    "aé",   "aé", "aé",
                                             "aé한", "aé한", "aé한", "aé한", text};
  for (std::size_t bytes = 0; bytes < expected.size(); ++bytes) {
    EXPECT_EQ(cut_utf8(text, bytes), expected[bytes]) << bytes;
  }
  EXPECT_EQ(cut_utf8(text, 1000), text);
}

TEST(UnicodeTest, NormalisingFoldsWidthCaseAndWhiteSpace) {
  EXPECT_EQ(normalise("  ＦＵＬＬ width\t\u00A0\n Straße  "), "full width strasse");
  EXPECT_EQ(normalise("e\u0301"), normalise("É"));
  EXPECT_EQ(normalise("각"), "각");  // conjoining jamo become one syllable
  EXPECT_EQ(normalise("ﬁ ½ ②"), "fi 1⁄2 2");
  EXPECT_EQ(normalise(" \t\u2028"), "");
}

TEST(UnicodeTest, NormalisingKeepsCaseWhenAsked) {
  EXPECT_EQ(normalise(" ＦＵＬＬ  Straße", Case::keep), "FULL Straße");
}

TEST(UnicodeTest, CasingTellsNoneSomeAndAllCapitals) {
  for (const auto& [word, expected] : {std::pair{"cat", Casing::lower},
                                       {"Cat", Casing::capitalised},
                                       {"iPhone", Casing::capitalised},
                                       {"A", Casing::capitalised},
                                       {"NASA", Casing::capitals},
                                       {"R2D2", Casing::capitals},
                                       {"ÉTÉ", Casing::capitals},
                                       {"Ёлка", Casing::capitalised},
                                       {"ǅ", Casing::capitalised},
                                       {"고양이", Casing::lower},
                                       {"猫", Casing::lower},
                                       {"42", Casing::lower},
                                       {"", Casing::lower},
                                       {"\xFF\xC3", Casing::lower}}) {
    EXPECT_EQ(casing(word), expected) << word;
  }
}

TEST(UnicodeTest, WordsAreFoundInScriptsWithAndWithoutSpaces) {
  EXPECT_THAT(words("the cat's 3.5 meals, served."),
              ElementsAre("the", "cat's", "3.5", "meals", "served"));
  EXPECT_THAT(words("고양이가 웃는 얼굴"), ElementsAre("고양이가", "웃는", "얼굴"));
  EXPECT_THAT(words("我喜欢猫"), ElementsAre("我", "喜欢", "猫"));
  EXPECT_THAT(words("ฉันรักแมว"), ElementsAre("ฉัน", "รัก", "แมว"));
  EXPECT_THAT(words("القط الأسود، نائم"), ElementsAre("القط", "الأسود", "نائم"));
}

TEST(UnicodeTest, EmojiAndSymbolsAreWordsButPunctuationAndSeparatorsAreNot) {
  EXPECT_THAT(words("cat | 😀 | 👩‍🍳 … (€5)!"),
              ElementsAre("cat", "😀", "👩‍🍳", "€", "5"));
  EXPECT_THAT(words("🇰🇷🇫🇷 ❤️ ♻"), ElementsAre("🇰🇷", "🇫🇷", "❤️", "♻"));
  EXPECT_THAT(words("#\uFE0F\u20E3"), ElementsAre("#\uFE0F\u20E3"));
  EXPECT_THAT(words("\U0001FAE9"), ElementsAre("\U0001FAE9"));  // given out after Unicode 15
  EXPECT_THAT(words("| - … ! 「」 \u0301"), IsEmpty());
}

TEST(UnicodeTest, WordsStopAtTheLimit) {
  EXPECT_THAT(words("one, two, three", 2), ElementsAre("one", "two"));
  EXPECT_THAT(words("one", 0), IsEmpty());
}

TEST(UnicodeTest, CodePointsAreSplitAsUtf8) {
  EXPECT_THAT(code_points("<é한😀>"), ElementsAre("<", "é", "한", "😀", ">"));
}

TEST(UnicodeTest, AnyBytesAreSafeEverywhere) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const std::string bytes = hostile_bytes(seed);
    const std::string repaired = repair_utf8(bytes);
    EXPECT_TRUE(is_valid_utf8(repaired));
    EXPECT_EQ(repair_utf8(repaired), repaired);
    EXPECT_EQ(is_valid_utf8(bytes), repaired == bytes);
    const std::string normalised = normalise(bytes);
    EXPECT_TRUE(is_valid_utf8(normalised));
    EXPECT_EQ(normalise(repaired), normalised);
    EXPECT_EQ(normalise(normalised), normalised) << seed;
    std::string joined;
    for (const auto character : code_points(bytes)) joined += character;
    EXPECT_EQ(joined, bytes);
    for (const auto& word : words(bytes)) EXPECT_NE(bytes.find(word), std::string::npos);
    for (const std::size_t limit : {0, 1, 5, 17}) {
      EXPECT_LE(cut_utf8(bytes, limit).size(), limit);
      EXPECT_TRUE(is_valid_utf8(cut_utf8(repaired, limit)));
    }
  }
}

TEST(UnicodeTest, ThreadsFindTheSameWordsAtTheSameTime) {
  const std::vector<std::string> texts = {"ฉันรักแมว and cats", "我喜欢猫 고양이",
                                          "👩‍🍳 cooks rice"};
  std::vector<std::vector<std::string>> expected;
  for (const auto& text : texts) expected.push_back(words(text));
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 600; ++i) count += words(texts[i % 3]) != expected[i % 3];
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(WritingSystem, IsThatOfMostLetters) {
  EXPECT_EQ(writing_system("A photo of 고양이"), "Latin");
  EXPECT_EQ(writing_system("사진 photo 고양이가 잔다"), "Korean");
  EXPECT_EQ(writing_system("猫の写真です"), "Japanese");
  EXPECT_EQ(writing_system("すてきな猫と写真"), "Japanese");
  EXPECT_EQ(writing_system("猫的照片"), "Chinese");
  EXPECT_EQ(writing_system("кошка"), "Cyrillic");
  EXPECT_EQ(writing_system("แมว"), "Thai");
  EXPECT_EQ(writing_system("12:30 \xff 😀 …"), "");
  EXPECT_EQ(writing_system(""), "");
}

}  // namespace
}  // namespace diptych
