#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"

namespace diptych {
namespace {
using nlohmann::json;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using Texts = std::vector<std::string_view>;

const Texts kTexts = {"a cat and a dog",
                      "the cat | the hat",
                      "고양이 얼굴 | 웃음",
                      "我喜欢猫",
                      "ฉันรักแมว",
                      "القط الأسود",
                      "😀 grinning face",
                      "CAT",
                      ""};

TokenizerOptions with_ngrams() {
  TokenizerOptions options;
  options.ngram_min = 2;
  options.ngram_max = 5;
  options.buckets = 1000;
  return options;
}

void expect_equal(const Encoding& a, const Encoding& b) {
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.ngrams, b.ngrams);
  EXPECT_EQ(a.ngram_ends, b.ngram_ends);
}

TEST(TokenizerTest, IdsFollowTheCountAndThenTheSpelling) {
  const auto tokenizer = Tokenizer::build(Texts{"b a c", "c", "a c"}, {});
  EXPECT_EQ(tokenizer.vocabulary_size(), 5);  // c 3, a 2, b 1
  EXPECT_THAT(tokenizer.encode("C a, b | zebra").tokens,
              ElementsAre(kFirstWord, kFirstWord + 1, kFirstWord + 2, kUnknownToken));
}

TEST(TokenizerTest, ManyTextsAreEncodedAsEachAlone) {
  const Texts texts = {"A cat, a CAT", "a dog", "", "cats | Cat | cat", "ฉันรักแมว and a dog"};
  const auto tokenizer = Tokenizer::build(Texts{"cat dog"}, with_ngrams());
  TextColumn column;
  for (const std::string_view text : texts) column.push_back(text);
  const EncodedTexts encoded = tokenizer.encode(column, 12);
  ASSERT_EQ(encoded.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    SCOPED_TRACE(texts[i]);
    expect_equal(encoded[i], tokenizer.encode(texts[i].substr(0, 12)));
  }
}

TEST(TokenizerTest, RareWordsAndWordsBeyondTheVocabularyShareTheUnknownId) {
  TokenizerOptions options;
  options.min_count = 2;
  EXPECT_EQ(Tokenizer::build(Texts{"a b", "a"}, options).vocabulary_size(), kFirstWord + 1);
  options = {};
  options.vocabulary = 1;
  const auto tokenizer = Tokenizer::build(Texts{"a b", "a"}, options);
  EXPECT_THAT(tokenizer.encode("a b").tokens, ElementsAre(kFirstWord, kUnknownToken));
}

TEST(TokenizerTest, TheVocabularyDoesNotDependOnTheOrderOfTheTexts) {
  const json expected = Tokenizer::build(kTexts, with_ngrams()).to_json();
  Texts shuffled = kTexts;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Rng(seed).shuffle(std::span(shuffled));
    EXPECT_EQ(Tokenizer::build(shuffled, with_ngrams()).to_json(), expected);
  }
}

TEST(TokenizerTest, NgramsRunOverTheCodePointsOfTheMarkedWord) {
  auto options = with_ngrams();
  options.ngram_max = 3;
  const auto encoding = Tokenizer::build({}, options).encode("고양 a");
  std::vector<std::int32_t> expected;
  for (const std::string_view ngram : {"<고", "<고양", "고양", "고양>", "양>", "<a", "<a>", "a>"}) {
    expected.push_back(static_cast<std::int32_t>(hash64(ngram) % 1000));
  }
  EXPECT_EQ(encoding.ngrams, expected);
  EXPECT_THAT(encoding.ngram_ends, ElementsAre(5, 8));
}

TEST(TokenizerTest, CapitalsAreOneNgramMoreBesideThoseOfTheFoldedWord) {
  const auto tokenizer = Tokenizer::build({}, with_ngrams());
  const auto bucket = [](std::string_view ngram) {
    return static_cast<std::int32_t>(hash64(ngram) % 1000);
  };
  const auto plain = tokenizer.encode("kenya nasa iphone").ngrams;
  for (const auto& [text, mark] : {std::pair{"Kenya", "Aa"}, {"iPhone", "Aa"}, {"NASA", "AA"}}) {
    const auto marked = tokenizer.encode(text).ngrams;
    EXPECT_EQ(marked.front(), bucket(mark)) << text;
    EXPECT_FALSE(std::ranges::search(plain, std::span(marked).subspan(1)).empty()) << text;
  }
  EXPECT_EQ(tokenizer.encode("고양이 猫").ngrams.size(), 10u + 3u);
}

TEST(TokenizerTest, CapitalsMakeNoOtherWord) {
  const auto tokenizer = Tokenizer::build(Texts{"Cat CAT cat"}, {});
  EXPECT_EQ(tokenizer.vocabulary_size(), kFirstWord + 1);
  EXPECT_THAT(tokenizer.encode("cAT").tokens, ElementsAre(kFirstWord));
  EXPECT_THAT(tokenizer.encode("Cat").ngrams, IsEmpty());
}

TEST(TokenizerTest, AWordOfNothingVisibleIsNoWord) {
  // Folding takes what is ignored by default; a lone Hangul filler is a letter until then.
  EXPECT_THAT(Tokenizer::build({}, with_ngrams()).encode("a \u3164 b").tokens,
              ElementsAre(kUnknownToken, kUnknownToken));
}

TEST(TokenizerTest, ALongWordHasNoMoreNgramsThanTheCapAndAShortOneAtLeastOne) {
  auto options = with_ngrams();
  options.max_ngrams = 7;
  const auto capped = Tokenizer::build({}, options).encode("antidisestablishmentarianism");
  EXPECT_THAT(capped.ngram_ends, ElementsAre(7));
  options.ngram_min = options.ngram_max = 5;
  EXPECT_THAT(Tokenizer::build({}, options).encode("a").ngram_ends, ElementsAre(1));
}

TEST(TokenizerTest, WithoutNgramsEveryRunIsEmpty) {
  const auto encoding = Tokenizer::build(kTexts, {}).encode("a cat");
  EXPECT_THAT(encoding.ngrams, IsEmpty());
  EXPECT_THAT(encoding.ngram_ends, ElementsAre(0, 0));
}

TEST(TokenizerTest, TextBeyondTheLimitOfTokensIsCut) {
  TokenizerOptions options;
  options.max_tokens = 3;
  EXPECT_EQ(Tokenizer::build(kTexts, options).encode("a cat and a dog").tokens.size(), 3u);
}

TEST(TokenizerTest, EveryLanguageIsKnownAgainAfterTraining) {
  const auto tokenizer = Tokenizer::build(kTexts, with_ngrams());
  for (const auto text : kTexts) {
    const auto tokens = tokenizer.encode(text).tokens;
    EXPECT_EQ(tokens.empty(), text.empty());
    EXPECT_THAT(tokens, Each(testing::Ge(kFirstWord))) << text;
  }
}

TEST(TokenizerTest, AnyBytesGiveIdsInRangeAndTheSameIdsTwice) {
  const auto tokenizer = Tokenizer::build(kTexts, with_ngrams());
  Rng rng(5);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (auto left = rng.below(80); left > 0; --left) {
      if (rng.chance(0.3)) bytes += kTexts[rng.below(kTexts.size())];
      bytes += static_cast<char>(rng.below(256));
    }
    const auto encoding = tokenizer.encode(bytes);
    expect_equal(encoding, tokenizer.encode(bytes));
    ASSERT_LE(encoding.tokens.size(), 32u);
    ASSERT_EQ(encoding.ngram_ends.size(), encoding.tokens.size());
    ASSERT_TRUE(std::is_sorted(encoding.ngram_ends.begin(), encoding.ngram_ends.end()));
    ASSERT_EQ(encoding.ngram_ends.empty() ? 0 : encoding.ngram_ends.back(),
              static_cast<int>(encoding.ngrams.size()));
    for (const auto id : encoding.tokens) {
      ASSERT_TRUE(id >= kUnknownToken && id < tokenizer.vocabulary_size());
    }
    for (const auto id : encoding.ngrams) ASSERT_TRUE(id >= 0 && id < 1000);
  }
}

TEST(TokenizerTest, OnlyTheStartOfAHugeTextIsLookedAt) {
  const auto tokenizer = Tokenizer::build(Texts{"needle"}, with_ngrams());
  const std::string spaces(10'000'000, ' ');
  EXPECT_THAT(tokenizer.encode("needle" + spaces).tokens, ElementsAre(kFirstWord));
  EXPECT_THAT(tokenizer.encode(spaces + "needle").tokens, IsEmpty());
  std::string ligatures;
  while (ligatures.size() < 10'000'000) ligatures += "ﷺ";  // grows elevenfold when normalised
  EXPECT_LE(tokenizer.encode(ligatures).ngrams.size(), 32u * 64u);
}

TEST(TokenizerTest, AnEndlessWordTakesNoMoreRoomInTheVocabularyThanALongOne) {
  const std::string endless(50'000, 'x');
  const auto tokenizer = Tokenizer::build(Texts{endless}, with_ngrams());
  EXPECT_EQ(tokenizer.to_json()["words"][0].get<std::string>().size(), 256u);
  EXPECT_THAT(tokenizer.encode(endless).tokens, ElementsAre(kFirstWord));
}

TEST(TokenizerTest, ATokenizerReadBackEncodesTheSame) {
  const auto tokenizer = Tokenizer::build(kTexts, with_ngrams());
  const auto read = Tokenizer::from_json(json::parse(tokenizer.to_json().dump()));
  EXPECT_EQ(read.vocabulary_size(), tokenizer.vocabulary_size());
  EXPECT_EQ(read.to_json(), tokenizer.to_json());
  for (const auto text : kTexts) expect_equal(read.encode(text), tokenizer.encode(text));
  expect_equal(read.encode("zebra 🦓"), tokenizer.encode("zebra 🦓"));
}

TEST(TokenizerTest, AnEmptyTokenizerKnowsNoWordAndSurvivesTheFile) {
  const Tokenizer empty;
  EXPECT_EQ(empty.vocabulary_size(), kFirstWord);
  EXPECT_THAT(Tokenizer::from_json(empty.to_json()).encode("cat").tokens,
              ElementsAre(kUnknownToken));
}

// Each case damages one thing in a good file.
struct Damage {
  const char* name;
  const char* patch;
};
class DamagedTokenizerTest : public testing::TestWithParam<Damage> {};

TEST_P(DamagedTokenizerTest, IsRefused) {
  const json good = Tokenizer::build(Texts{"b a c"}, with_ngrams()).to_json();
  ASSERT_NO_THROW(Tokenizer::from_json(good));
  const json bad = good.patch(json::parse(GetParam().patch));
  try {
    Tokenizer::from_json(bad);
    FAIL() << bad.dump();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model_file);
    EXPECT_FALSE(error.where().empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Tokenizer, DamagedTokenizerTest,
    testing::Values(
        Damage{"NotAnObject", R"([{"op":"replace","path":"","value":[1]}])"},
        Damage{"Null", R"([{"op":"replace","path":"","value":null}])"},
        Damage{"MissingWords", R"([{"op":"remove","path":"/words"}])"},
        Damage{"UnknownKey", R"([{"op":"add","path":"/more","value":1}])"},
        Damage{"OtherKind", R"([{"op":"replace","path":"/kind","value":"bytes"}])"},
        Damage{"NumericKind", R"([{"op":"replace","path":"/kind","value":3}])"},
        Damage{"LaterVersion", R"([{"op":"replace","path":"/version","value":2}])"},
        Damage{"OptionMissing", R"([{"op":"remove","path":"/options/buckets"}])"},
        Damage{"OptionRenamed", R"([{"op":"move","from":"/options/buckets","path":"/options/b"}])"},
        Damage{"OptionFraction", R"([{"op":"replace","path":"/options/buckets","value":1.5}])"},
        Damage{"OptionBoolean", R"([{"op":"replace","path":"/options/buckets","value":true}])"},
        Damage{"OptionHuge",
               R"([{"op":"replace","path":"/options/buckets","value":18446744073709551615}])"},
        Damage{"OptionOutOfRange", R"([{"op":"replace","path":"/options/max_tokens","value":0}])"},
        Damage{"OptionNegative", R"([{"op":"replace","path":"/options/buckets","value":-4}])"},
        Damage{"NgramsReversed", R"([{"op":"replace","path":"/options/ngram_min","value":6}])"},
        Damage{"WordsNotAList", R"([{"op":"replace","path":"/words","value":{"a":1}}])"},
        Damage{"WordNotAString", R"([{"op":"replace","path":"/words/1","value":7}])"},
        Damage{"WordEmpty", R"([{"op":"replace","path":"/words/1","value":""}])"},
        Damage{"WordTwice", R"([{"op":"replace","path":"/words/1","value":"a"}])"},
        Damage{"TooManyWords", R"([{"op":"replace","path":"/options/vocabulary","value":2}])"}),
    [](const auto& info) { return info.param.name; });

TEST(TokenizerTest, AWordOfInvalidOrTooManyBytesInAFileIsRefused) {
  json value = Tokenizer::build(Texts{"a"}, {}).to_json();
  for (const auto& word : {std::string("\xFF"), std::string(257, 'a')}) {
    value["words"][0] = word;
    EXPECT_THROW(Tokenizer::from_json(value), Error);
  }
}

TEST(TokenizerTest, OptionsOutOfRangeAreRefusedBeforeAnythingIsBuilt) {
  TokenizerOptions options;
  options.max_tokens = 0;
  try {
    Tokenizer::build(kTexts, options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_THAT(error.full(), testing::HasSubstr("max_tokens"));
  }
}

}  // namespace
}  // namespace diptych
