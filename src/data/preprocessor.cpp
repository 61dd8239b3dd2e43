#include "data/preprocessor.h"

#include <algorithm>

#include "base/rng.h"
#include "text/unicode.h"

namespace diptych {
namespace {

Encoding hide_words(Encoding encoding, double probability, Rng rng) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < encoding.tokens.size(); ++i) {
    if (!rng.chance(probability)) kept.push_back(i);
  }
  if (kept.size() == encoding.tokens.size()) return encoding;
  if (kept.empty()) kept.push_back(rng.below(encoding.tokens.size()));
  Encoding result;
  for (std::size_t i : kept) {
    const auto begin = encoding.ngrams.begin() + (i ? encoding.ngram_ends[i - 1] : 0);
    result.ngrams.insert(result.ngrams.end(), begin,
                         encoding.ngrams.begin() + encoding.ngram_ends[i]);
    result.tokens.push_back(encoding.tokens[i]);
    result.ngram_ends.push_back(static_cast<std::int32_t>(result.ngrams.size()));
  }
  return result;
}

// Of the batch's row `place`.
void set_pixels(Batch& batch, std::size_t place, const DecodedImages& images,
                const BatchChanges* changes) {
  thread_local std::vector<std::uint8_t> buffer;
  const std::int64_t row = batch.rows[place];
  const auto index = static_cast<std::size_t>(row);
  const auto from = images.row(index, buffer);
  const auto to = std::span(batch.pixels).subspan(place * from.size(), from.size());
  batch.has_image[place] = images.present[index];
  if (!changes || !changes->augment.any() || !images.present[index]) {
    std::copy(from.begin(), from.end(), to.begin());
    return;
  }
  Rng rng(changes->seed, Stream::augment, changes->epoch, static_cast<std::uint64_t>(row));
  augment(from, images.side, changes->augment, rng, to);
}

void add_pictures(Batch& batch, const BatchSource& source, const BatchChanges* changes) {
  const DecodedImages& images = *source.images;
  batch.side = images.side;
  const auto side = static_cast<std::size_t>(batch.side);
  batch.pixels.resize(batch.rows.size() * side * side * 3);
  batch.has_image.resize(batch.rows.size());
  const auto set = [&](std::size_t place) { set_pixels(batch, place, images, changes); };
  if (source.loop) return source.loop(batch.rows.size(), set);
  for (std::size_t place = 0; place < batch.rows.size(); ++place) set(place);
}

void add_text(Batch& batch, const std::vector<Encoding>& encodings, int least_tokens) {
  auto longest = static_cast<std::size_t>(least_tokens);
  for (const Encoding& encoding : encodings) longest = std::max(longest, encoding.tokens.size());
  batch.max_tokens = static_cast<int>(longest);
  batch.ngram_offsets = {0};
  for (const Encoding& encoding : encodings) {
    const auto before = static_cast<std::int32_t>(batch.ngrams.size());
    batch.lengths.push_back(static_cast<std::int32_t>(encoding.tokens.size()));
    batch.tokens.insert(batch.tokens.end(), encoding.tokens.begin(), encoding.tokens.end());
    batch.ngrams.insert(batch.ngrams.end(), encoding.ngrams.begin(), encoding.ngrams.end());
    for (std::int32_t end : encoding.ngram_ends) batch.ngram_offsets.push_back(before + end);
    const std::size_t pads = longest - encoding.tokens.size();
    batch.tokens.insert(batch.tokens.end(), pads, kPadToken);
    batch.ngram_offsets.insert(batch.ngram_offsets.end(), pads, batch.ngram_offsets.back());
  }
}

}  // namespace

TokenizerOptions tokenizer_options(const Config& config) {
  TokenizerOptions options;
  options.max_tokens = config.max_tokens;
  options.vocabulary = config.vocabulary;
  options.min_count = config.min_count;
  options.ngram_min = config.ngram_min;
  options.ngram_max = config.ngram_max;
  options.buckets = config.ngram_buckets;
  return options;
}

Preprocessor Preprocessor::from_config(const Config& config, Tokenizer tokenizer) {
  return {config.inputs,         config.image_size,  config.image_fit,
          config.max_megapixels, config.max_text_kb, std::move(tokenizer)};
}

DecodeOptions Preprocessor::decode_options(int threads) const {
  return {image_side, image_fit, {max_megapixels}, threads};
}

Encoding Preprocessor::encode(std::string_view text) const {
  return tokenizer.encode(cut_utf8(text, static_cast<std::size_t>(max_text_kb) * 1024));
}

EncodedTexts Preprocessor::encode(const TextColumn& texts) const {
  return tokenizer.encode(texts, static_cast<std::size_t>(max_text_kb) * 1024);
}

Batch make_batch(const BatchSource& source, std::span<const std::int64_t> rows,
                 const BatchChanges* changes) {
  Batch batch;
  batch.size = static_cast<int>(rows.size());
  batch.rows.assign(rows.begin(), rows.end());
  std::vector<Encoding> encodings;
  if (source.images) add_pictures(batch, source, changes);
  for (std::int64_t row : rows) {
    const auto index = static_cast<std::size_t>(row);
    batch.labels.push_back(source.labels.empty() ? -1 : source.labels[index]);
    if (!source.encoding) continue;
    Encoding encoding = source.encoding(index);
    if (changes && changes->word_dropout > 0 && encoding.tokens.size() > 1) {
      encoding = hide_words(
          std::move(encoding), changes->word_dropout,
          Rng(changes->seed, Stream::text_noise, changes->epoch, static_cast<std::uint64_t>(row)));
    }
    encodings.push_back(std::move(encoding));
  }
  if (source.encoding) add_text(batch, encodings, changes ? changes->least_tokens : 1);
  return batch;
}

}  // namespace diptych
