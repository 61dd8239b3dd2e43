// From examples to batches: the one path for training, evaluation, prediction and serving. What it
// needs to know is saved in the model.
#pragma once
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "data/pixels.h"
#include "diptych/batch.h"
#include "image/augment.h"
#include "text/tokenizer.h"

namespace diptych {

// What a configuration asks of its tokenizer.
TokenizerOptions tokenizer_options(const Config& config);

struct Preprocessor {
  Inputs inputs = Inputs::image_text;
  int image_side = 64;
  ImageFit image_fit = ImageFit::stretch;
  double max_megapixels = 100;
  int max_text_kb = 64;
  Tokenizer tokenizer;

  static Preprocessor from_config(const Config& config, Tokenizer tokenizer);
  bool takes_image() const { return inputs != Inputs::text; }
  bool takes_text() const { return inputs != Inputs::image; }
  DecodeOptions decode_options(int threads) const;
  Encoding encode(std::string_view text) const;  // any bytes; cut, repaired, tokenised
  EncodedTexts encode(const TextColumn& texts) const;
};

// What batches are cut from. Images and labels must outlive the call.
struct BatchSource {
  const DecodedImages* images = nullptr;              // null: no image input
  std::function<Encoding(std::size_t row)> encoding;  // null: no text input
  std::span<const std::int32_t> labels;               // [N], -1: unknown; empty: all unknown
  // Runs work(0) … work(count-1) in any order, from any threads; null: in order.
  std::function<void(std::size_t count, const std::function<void(std::size_t)>& work)> loop;
};

// What training changes at random; every draw has the address (seed, epoch, row).
struct BatchChanges {
  AugmentOptions augment;
  double word_dropout = 0;  // a word is hidden with this probability; one is always kept
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
  int least_tokens = 1;  // T is not less
};

// T is the longest encoding of the batch (at least 1). An answer does not depend on the padding.
Batch make_batch(const BatchSource& source, std::span<const std::int64_t> rows,
                 const BatchChanges* changes = nullptr);

}  // namespace diptych
