#include "data/preprocessor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace diptych {
namespace {
using testing::ElementsAre;

using Rows = std::vector<std::int64_t>;

Encoding words(std::vector<std::int32_t> tokens) {
  Encoding encoding;
  encoding.tokens = std::move(tokens);
  for (std::int32_t token : encoding.tokens) {  // as many n-grams as the token says, up to two
    for (int i = 0; i < token % 3; ++i) encoding.ngrams.push_back(10 * token + i);
    encoding.ngram_ends.push_back(static_cast<std::int32_t>(encoding.ngrams.size()));
  }
  return encoding;
}

class Batches : public testing::Test {
 protected:
  void SetUp() override {
    images_.side = 4;
    images_.present = {1, 0, 1, 1};
    images_.pixels.assign(4 * 48, kNoPixel);
    for (std::size_t i = 0; i < images_.pixels.size(); ++i) {
      if (images_.present[i / 48]) images_.pixels[i] = static_cast<std::uint8_t>(i * 37);
    }
    changes_.seed = 5;
  }
  std::function<Encoding(std::size_t)> encoding() const {
    return [this](std::size_t row) { return encodings_[row]; };
  }
  Batch batch(const Rows& rows, const BatchChanges* changes = nullptr) const {
    return make_batch({&images_, encoding(), labels_}, rows, changes);
  }
  std::vector<std::uint8_t> pixels_of(const Batch& batch, std::size_t place) const {
    const auto begin = batch.pixels.begin() + static_cast<std::ptrdiff_t>(place * 48);
    return {begin, begin + 48};
  }
  // The words of one row of a batch, each with its n-grams behind it.
  std::vector<std::int32_t> words_of(const Batch& batch, std::size_t place) const {
    std::vector<std::int32_t> all;
    const std::size_t begin = place * static_cast<std::size_t>(batch.max_tokens);
    for (std::size_t t = begin; t < begin + static_cast<std::size_t>(batch.lengths[place]); ++t) {
      all.push_back(batch.tokens[t]);
      for (std::int32_t i = batch.ngram_offsets[t]; i < batch.ngram_offsets[t + 1]; ++i) {
        all.push_back(batch.ngrams[static_cast<std::size_t>(i)]);
      }
    }
    return all;
  }

  DecodedImages images_;
  std::vector<Encoding> encodings_ = {words({4, 5, 6}), words({}), words({7}),
                                      words({2, 3, 4, 5, 6, 7, 8, 9})};
  std::vector<std::int32_t> labels_ = {0, 1, -1, 2};
  BatchChanges changes_;
};

TEST_F(Batches, PadToTheLongestText) {
  const Batch made = batch({2, 0, 1});
  EXPECT_EQ(made.size, 3);
  EXPECT_EQ(made.max_tokens, 3);
  EXPECT_THAT(made.tokens, ElementsAre(7, 0, 0, 4, 5, 6, 0, 0, 0));
  EXPECT_THAT(made.lengths, ElementsAre(1, 3, 0));
  EXPECT_THAT(made.ngrams, ElementsAre(70, 40, 50, 51));
  EXPECT_THAT(made.ngram_offsets, ElementsAre(0, 1, 1, 1, 2, 4, 4, 4, 4, 4));
  EXPECT_THAT(made.labels, ElementsAre(-1, 0, 1));
  EXPECT_THAT(made.rows, ElementsAre(2, 0, 1));
}

TEST_F(Batches, OfRowsWithoutTextHaveOnePad) {
  const Batch made = batch({1});
  EXPECT_EQ(made.max_tokens, 1);
  EXPECT_THAT(made.tokens, ElementsAre(kPadToken));
  EXPECT_THAT(made.lengths, ElementsAre(0));
  EXPECT_THAT(made.ngram_offsets, ElementsAre(0, 0));
}

TEST_F(Batches, ShowAMissingPictureAsGrey) {
  changes_.augment.colour = changes_.augment.erase = 1;
  const BatchChanges* each[] = {nullptr, &changes_};
  for (const BatchChanges* changes : each) {
    const Batch made = batch({0, 1}, changes);
    EXPECT_THAT(made.has_image, ElementsAre(1, 0));
    EXPECT_EQ(pixels_of(made, 1), std::vector<std::uint8_t>(48, kNoPixel));
  }
}

TEST_F(Batches, HoldOnlyWhatTheModelTakes) {
  const Rows rows = {0, 3};
  const Batch text = make_batch({nullptr, encoding(), {}}, rows);
  EXPECT_TRUE(text.pixels.empty() && text.has_image.empty());
  EXPECT_EQ(text.side, 0);
  EXPECT_THAT(text.labels, ElementsAre(-1, -1));
  const Batch image = make_batch({&images_, {}, labels_}, rows);
  EXPECT_TRUE(image.tokens.empty() && image.lengths.empty() && image.ngram_offsets.empty());
  EXPECT_EQ(image.side, 4);
  EXPECT_EQ(batch({}).size, 0);
}

TEST_F(Batches, ChangeNothingWhenEverythingIsOff) {
  const Batch plain = batch({0, 1, 2, 3}), unchanged = batch({0, 1, 2, 3}, &changes_);
  EXPECT_EQ(plain.pixels, images_.pixels);
  EXPECT_EQ(unchanged.pixels, plain.pixels);
  EXPECT_EQ(unchanged.tokens, plain.tokens);
  EXPECT_EQ(unchanged.ngrams, plain.ngrams);
  EXPECT_EQ(unchanged.ngram_offsets, plain.ngram_offsets);
}

TEST_F(Batches, GiveARowTheSameBytesWhateverStandsBesideIt) {
  changes_.augment = {0.5, 0.2, 0.2, 20, 0.3, 0.5};
  changes_.word_dropout = 0.5;
  const Batch together = batch({0, 1, 2, 3}, &changes_);
  for (const Rows& rows : {Rows{3}, Rows{3, 0}, Rows{3, 3, 1}}) {
    const Batch other = batch(rows, &changes_);
    EXPECT_EQ(pixels_of(other, 0), pixels_of(together, 3));
    EXPECT_EQ(words_of(other, 0), words_of(together, 3));
  }
}

TEST_F(Batches, ChangeWithTheSeedTheEpochAndTheRow) {
  changes_.augment.shift = 0.5;
  changes_.word_dropout = 0.5;
  encodings_ = std::vector<Encoding>(4, words({2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}));
  for (std::size_t i = 0; i < 48; ++i) images_.pixels[96 + i] = images_.pixels[i];
  std::set<std::vector<std::uint8_t>> pixels;
  std::set<std::vector<std::int32_t>> texts;
  for (const auto& [seed, epoch, row] :
       std::vector<std::array<std::uint64_t, 3>>{{5, 0, 0}, {6, 0, 0}, {5, 1, 0}, {5, 0, 2}}) {
    changes_.seed = seed;
    changes_.epoch = epoch;
    const Batch made = batch({static_cast<std::int64_t>(row)}, &changes_);
    pixels.insert(pixels_of(made, 0));
    texts.insert(words_of(made, 0));
  }
  EXPECT_EQ(pixels.size(), 4u);
  EXPECT_EQ(texts.size(), 4u);
}

TEST_F(Batches, HideWordsInOrderWithTheirNgramsAtTheGivenRate) {
  changes_.word_dropout = 0.3;
  const std::vector<std::int32_t> all = words_of(batch({3}), 0);
  std::size_t kept = 0;
  constexpr std::uint64_t kEpochs = 500;
  for (changes_.epoch = 0; changes_.epoch < kEpochs; ++changes_.epoch) {
    const Batch made = batch({3}, &changes_);
    kept += static_cast<std::size_t>(made.lengths[0]);
    EXPECT_TRUE(std::is_sorted(made.tokens.begin(), made.tokens.end()));
    std::vector<std::int32_t> expected;
    for (std::int32_t token : made.tokens) {
      expected.push_back(token);
      for (int i = 0; i < token % 3; ++i) expected.push_back(10 * token + i);
    }
    EXPECT_EQ(words_of(made, 0), expected);
  }
  EXPECT_NEAR(static_cast<double>(kept) / (8 * kEpochs), 0.7, 0.03);
}

TEST_F(Batches, KeepOneWordAtLeast) {
  changes_.word_dropout = 1;
  std::set<std::int32_t> seen;
  for (changes_.epoch = 0; changes_.epoch < 200; ++changes_.epoch) {
    const Batch made = batch({3, 2, 1}, &changes_);
    EXPECT_THAT(made.lengths, ElementsAre(1, 1, 0));
    EXPECT_EQ(made.tokens[1], 7);
    seen.insert(made.tokens[0]);
  }
  EXPECT_EQ(seen.size(), 8u) << "each word has its turn";
}

TEST(Preprocessor, CutsTextToItsLimit) {
  Config config;
  config.max_text_kb = 1;
  config.max_tokens = 4000;
  TokenizerOptions options;
  options.max_tokens = 4000;
  const std::string text = "word";
  const std::string_view texts[] = {text};
  const Preprocessor made = Preprocessor::from_config(config, Tokenizer::build(texts, options));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "word ";
  EXPECT_EQ(made.encode(many).tokens.size(), 205u);  // of 1024 bytes, five each
  EXPECT_TRUE(made.encode("").tokens.empty());
  EXPECT_NO_THROW(made.encode("\xff\xfe\x80"));
}

TEST(Preprocessor, TakesWhatTheConfigurationSays) {
  Config config;
  config.image_size = 33;
  config.image_fit = ImageFit::crop;
  config.max_megapixels = 7;
  config.inputs = Inputs::image;
  const Preprocessor image = Preprocessor::from_config(config, Tokenizer());
  EXPECT_TRUE(image.takes_image());
  EXPECT_FALSE(image.takes_text());
  const DecodeOptions decoding = image.decode_options(3);
  EXPECT_EQ(decoding.side, 33);
  EXPECT_EQ(decoding.fit, ImageFit::crop);
  EXPECT_EQ(decoding.limits.max_megapixels, 7);
  EXPECT_EQ(decoding.threads, 3);
  config.inputs = Inputs::text;
  EXPECT_FALSE(Preprocessor::from_config(config, Tokenizer()).takes_image());
  config.inputs = Inputs::image_text;
  EXPECT_TRUE(Preprocessor::from_config(config, Tokenizer()).takes_image());
  EXPECT_TRUE(Preprocessor::from_config(config, Tokenizer()).takes_text());
}

}  // namespace
}  // namespace diptych
