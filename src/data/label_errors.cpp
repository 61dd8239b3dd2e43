#include "data/label_errors.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "image/colour_histogram.h"
#include "image/gradient_histogram.h"
#include "text/tokenizer.h"

namespace diptych {
namespace {

constexpr int kSide = 48, kColourBins = 8, kGradientCells = 6;
constexpr TokenizerOptions kTokens{.max_tokens = 64,
                                   .vocabulary = 20000,
                                   .min_count = 2,
                                   .ngram_min = 3,
                                   .ngram_max = 5,
                                   .buckets = 32768,
                                   .max_ngrams = 64};

using Counts = std::map<std::uint32_t, float>;  // feature → times in one text

// Adds one kind of features, each row's scaled to length 1.
void add_weighted(std::span<const Counts> texts, std::uint32_t first, std::span<FeatureRow> rows) {
  std::map<std::uint32_t, int> texts_with;
  for (const Counts& counts : texts) {
    for (const auto& [feature, count] : counts) ++texts_with[feature];
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::vector<Feature> weighted;
    double squares = 0;
    for (const auto& [feature, count] : texts[i]) {
      const double rarity =
          std::log((1.0 + static_cast<double>(texts.size())) / (1.0 + texts_with.at(feature)));
      weighted.push_back({first + feature, static_cast<float>(count * (1 + rarity))});
      squares += weighted.back().value * weighted.back().value;
    }
    for (Feature& feature : weighted) {
      feature.value /= static_cast<float>(std::sqrt(squares));
      rows[i].sparse.push_back(feature);
    }
  }
}

// The class, among those whose own rows are on average no surer of it, that is most probable; -1
// when there is none.
int confident_class(std::span<const float> probabilities, std::span<const double> thresholds) {
  int best = -1;
  for (std::size_t k = 0; k < probabilities.size(); ++k) {
    if (probabilities[k] < thresholds[k]) continue;
    if (best < 0 || probabilities[k] > probabilities[static_cast<std::size_t>(best)]) {
      best = static_cast<int>(k);
    }
  }
  return best;
}

// The mean probability of each class over the rows that are labelled so.
std::vector<double> own_confidence(std::span<const float> probabilities,
                                   std::span<const int> labels, std::size_t classes) {
  std::vector<double> sums(classes), counts(classes);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    sums[label] += probabilities[i * classes + label];
    ++counts[label];
  }
  // A class without rows can be suspected nowhere.
  for (std::size_t k = 0; k < classes; ++k) sums[k] = counts[k] > 0 ? sums[k] / counts[k] : 2;
  return sums;
}

}  // namespace

void add_picture_features(const Image& image, FeatureRow& row) {
  const Image square = fit_square(image, kSide, ImageFit::stretch);
  std::vector<float> colours(kColourBins * kColourBins * kColourBins);
  std::vector<float> gradients(gradient_histogram_size(kGradientCells));
  colour_histogram(square.pixels, kColourBins, colours);
  gradient_histogram(square.pixels, kSide, kGradientCells, gradients);
  const auto add = [&](float value) {
    row.dense.push_back(static_cast<std::uint8_t>(std::lround(255 * std::min(value, 1.0F))));
  };
  for (float value : colours) add(value);
  // Blocks are of length 1 each: together they weigh as much as the colours.
  for (float value : gradients) add(value / (kGradientCells - 1));
}

void add_text_features(std::span<const std::string_view> texts, std::span<FeatureRow> rows) {
  const Tokenizer tokenizer = Tokenizer::build(texts, kTokens);
  std::vector<Counts> words(texts.size()), ngrams(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Encoding encoding = tokenizer.encode(texts[i]);
    for (std::int32_t word : encoding.tokens) ++words[i][static_cast<std::uint32_t>(word)];
    for (std::int32_t ngram : encoding.ngrams) ++ngrams[i][static_cast<std::uint32_t>(ngram)];
  }
  add_weighted(words, 0, rows);
  add_weighted(ngrams, static_cast<std::uint32_t>(tokenizer.vocabulary_size()), rows);
}

std::vector<LabelDoubt> doubtful_labels(std::span<const float> probabilities,
                                        std::span<const int> labels, int classes) {
  const auto count = static_cast<std::size_t>(classes);
  const std::vector<double> thresholds = own_confidence(probabilities, labels, count);
  std::vector<LabelDoubt> doubts;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = probabilities.subspan(i * count, count);
    const int confident = confident_class(row, thresholds);
    wrong += confident >= 0 && confident != labels[i];
    const auto likeliest = std::max_element(row.begin(), row.end());
    const float margin = *likeliest - row[static_cast<std::size_t>(labels[i])];
    if (margin > 0) doubts.push_back({i, static_cast<int>(likeliest - row.begin()), margin});
  }
  std::stable_sort(doubts.begin(), doubts.end(),
                   [](const LabelDoubt& a, const LabelDoubt& b) { return a.margin > b.margin; });
  doubts.resize(std::min(doubts.size(), wrong));
  return doubts;
}

}  // namespace diptych
