#include "text/label_words.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace diptych {
namespace {

using Labels = std::vector<std::size_t>;

Labels found(const std::vector<std::string>& labels, std::string_view text) {
  return LabelWords(labels).found_in(text);
}

TEST(WordStem, IsSharedByTheFormsOfAWord) {
  const std::vector<std::vector<std::string>> families{
      {"cat", "cats", "cat's", "cats'", "cat\u2019s"},
      {"bake", "bakes", "baked", "baking"},
      {"smile", "smiles", "smiled", "smiling"},
      {"paint", "painted", "painting"},
      {"play", "plays", "played", "playing"},
      {"boat", "boats", "boating"},
      {"hop", "hopping", "hopped"},
      {"life", "lives"},
      {"run", "runs", "running"},
      {"box", "boxes"},
      {"bus", "buses"},
      {"house", "houses"},
      {"dish", "dishes"},
      {"berry", "berries"},
      {"wolf", "wolves"},
      {"knife", "knives"},
      {"leaf", "leaves"},
      {"glove", "gloves"},
      {"glass", "glasses"},
      {"fall", "falls", "falling"},
      {"fly", "flies", "flying"},
      {"breed", "breeds"},
      {"woman", "women", "woman's"},
      {"mouse", "mice"},
  };
  for (const auto& family : families) {
    for (const std::string& form : family) {
      EXPECT_EQ(word_stem(form), word_stem(family.front())) << form;
    }
  }
}

TEST(WordStem, KeepsOtherWordsApart) {
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"cat", "category"}, {"cat", "cattle"},  {"car", "care"}, {"king", "k"},     {"bed", "b"},
      {"string", "str"},   {"glass", "gla"},   {"bus", "bu"},   {"red", "r"},      {"seed", "se"},
      {"thing", "th"},     {"ring", "r"},      {"iris", "iri"}, {"bee", "be"},     {"tie", "ty"},
      {"hop", "hope"},     {"고양이", "고양"}, {"개", "개미"},  {"Ärger", "Ärge"}, {"see", "seed"}};
  for (const auto& [a, b] : pairs) EXPECT_NE(word_stem(a), word_stem(b)) << a << " " << b;
}

TEST(LabelWords, AreFoundInAnyCaseAndFormAtWordBoundaries) {
  const std::vector<std::string> labels{"cat", "dog"};
  EXPECT_EQ(found(labels, "A CAT on the mat"), Labels({0}));
  EXPECT_EQ(found(labels, "my cat's nose; dogs' ears"), Labels({0, 1}));
  EXPECT_EQ(found(labels, "#black_cats, ＣＡＴ"), Labels({0}));
  EXPECT_EQ(found(labels, "category of concatenated dogma, hotdog"), Labels());
  EXPECT_EQ(found(labels, ""), Labels());
  EXPECT_EQ(found(labels, "\xff\xfe cat \xc3"), Labels({0}));
}

TEST(LabelWords, OfALabelOfSeveralWordsMustStandTogether) {
  const std::vector<std::string> labels{"hot dog", "bird of prey", "tabby_cat"};
  EXPECT_EQ(found(labels, "two hot-dogs please"), Labels({0}));
  EXPECT_EQ(found(labels, "a dog on a hot day"), Labels());
  EXPECT_EQ(found(labels, "birds of prey"), Labels({1}));
  EXPECT_EQ(found(labels, "a bird"), Labels());
  EXPECT_EQ(found(labels, "hot"), Labels());
  EXPECT_EQ(found(labels, "the tabby cat"), Labels({2}));
}

TEST(LabelWords, OfALabelThatSaysSeveralThingsAreEnoughForOne) {
  const std::vector<std::string> labels{"Animals & Nature", "tabby, tabby cat", "Food and Drink",
                                        "The Flags"};
  EXPECT_EQ(found(labels, "an animal"), Labels({0}));
  EXPECT_EQ(found(labels, "by nature"), Labels({0}));
  EXPECT_EQ(found(labels, "a tabby"), Labels({1}));
  EXPECT_EQ(found(labels, "drinking"), Labels({2}));
  EXPECT_EQ(found(labels, "salt and pepper"), Labels());
  EXPECT_EQ(found(labels, "a flag"), Labels({3}));
}

TEST(LabelWords, AreNoNumbers) {
  const std::vector<std::string> labels{"3", "n02123045 tabby", "x", "?"};
  const LabelWords words(labels);
  EXPECT_FALSE(words.has_words(0));
  EXPECT_TRUE(words.has_words(1));
  EXPECT_FALSE(words.has_words(2));
  EXPECT_FALSE(words.has_words(3));
  EXPECT_EQ(words.found_in("3 tabbies x ?"), Labels({1}));
}

TEST(LabelWords, AreFoundBeforeKoreanParticles) {
  const std::vector<std::string> labels{"고양이", "개", "동물 및 자연"};
  EXPECT_EQ(found(labels, "고양이가 잔다"), Labels({0}));
  EXPECT_EQ(found(labels, "우리 고양이들은"), Labels({0}));
  EXPECT_EQ(found(labels, "개미와 베개"), Labels());
  EXPECT_EQ(found(labels, "개를 본다"), Labels({1}));
  EXPECT_EQ(found(labels, "자연에서"), Labels({2}));
}

TEST(LabelWords, AreMaskedAndNothingElse) {
  const std::vector<std::string> labels{"cat", "hot dog"};
  const LabelWords words(labels);
  EXPECT_EQ(words.masked("Two Cats eat a hot dog, hot!"), "Two eat a hot");
  EXPECT_EQ(words.masked("Nothing  of it, here."), "Nothing  of it, here.");
  EXPECT_EQ(words.masked("cat"), "");
  EXPECT_TRUE(words.found_in(words.masked("Hot dogs, cat! and cats: dog")).empty());
}

// What is planted is what is told, within a point: in any form, among words that only look alike.
TEST(LabelWords, AreCountedAsOftenAsTheyWerePlanted) {
  const std::vector<std::string> labels{"cat", "wolf", "apple pie"};
  const std::vector<std::vector<std::string>> forms{
      {"cat", "Cats", "CAT,", "(cat's)"},
      {"wolf", "Wolves!", "wolf's", "#wolf"},
      {"apple pie", "Apple Pies", "apple-pie", "\"apple pie\""}};
  const std::vector<std::string> others{"category", "catch", "wolfram",   "apples", "pie",
                                        "the",      "photo", "pineapple", "나무",   "scatter"};
  const LabelWords words(labels);
  for (const double share : {0.0, 0.1, 0.3}) {
    constexpr int kRows = 3000;
    int told = 0;
    for (int row = 0; row < kRows; ++row) {
      Rng rng(4, {static_cast<std::uint64_t>(row)});
      const auto label = static_cast<std::size_t>(row % 3);
      std::string text;
      for (int i = 0; i < 8; ++i) text += others[rng.below(9)] + " photo ";
      if (row < share * kRows) text.insert(0, forms[label][rng.below(4)] + " ");
      const Labels all = words.found_in(text);
      told += std::find(all.begin(), all.end(), label) != all.end();
    }
    EXPECT_NEAR(told / static_cast<double>(kRows), share, 0.01);
  }
}

}  // namespace
}  // namespace diptych
