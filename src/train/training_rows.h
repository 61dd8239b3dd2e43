// The rows that a training deals out as batches: texts encoded once, pictures and words changed at
// random, every draw at its address.
#pragma once
#include <torch/torch.h>

#include <span>
#include <string_view>
#include <vector>

#include "data/preprocessor.h"
#include "nn/batch_part.h"
#include "train/trainer.h"

namespace diptych {

// Its functions may be called from any thread. What it is made of must outlive it.
class TrainingRows {
 public:
  TrainingRows(const Config& config, const TrainingData& data, std::uint64_t seed);

  const Tokenizer& tokenizer() const { return tokenizer_; }
  bool takes_image() const { return config_.inputs != Inputs::text; }
  bool takes_text() const { return config_.inputs != Inputs::image; }

  BatchChanges changes(int epoch) const;
  Batch batch(std::span<const std::int64_t> rows) const;  // as they are
  // The part's share of them. Padded as the whole batch would be, so that numbers drawn for it fall
  // on the same words.
  Batch training_batch(std::span<const std::int64_t> rows, const BatchPart& part,
                       BatchChanges changes) const;
  Batch texts(std::span<const std::int64_t> rows) const;           // alone
  torch::Tensor labels(std::span<const std::int64_t> rows) const;  // int64

 private:
  BatchSource source() const;
  BatchSource text_source() const;

  const Config& config_;
  const TrainingData& data_;
  std::uint64_t seed_;
  Tokenizer tokenizer_;
  RowVector<std::int32_t> labels_;
  EncodedTexts encodings_;
};

// What training does to the pictures of a batch, for a device that does it itself; without a
// picture in a row, nothing.
std::vector<Augmentation> drawn_for(const Batch& batch, const BatchChanges& changes);

}  // namespace diptych
