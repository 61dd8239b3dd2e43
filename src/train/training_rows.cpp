#include "train/training_rows.h"

#include <ATen/Parallel.h>

#include "nn/dataset_prediction.h"
#include "nn/profile.h"

namespace diptych {
namespace {

Tokenizer build_tokenizer(const Config& config, const TrainingData& data) {
  if (config.inputs == Inputs::image) return Tokenizer::build({}, {});
  RowVector<std::string_view> texts;
  texts.reserve(data.split.train.size());
  for (std::int64_t row : data.split.train) {
    texts.push_back(data.dataset.columns().texts[static_cast<std::size_t>(row)]);
  }
  return Tokenizer::build(texts, tokenizer_options(config));
}

// A picture takes some tens of microseconds to change.
void on_all_threads(std::size_t count, const std::function<void(std::size_t)>& work) {
  at::parallel_for(0, static_cast<std::int64_t>(count), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t i = begin; i < end; ++i) work(static_cast<std::size_t>(i));
                   });
}

}  // namespace

TrainingRows::TrainingRows(const Config& config, const TrainingData& data, std::uint64_t seed)
    : config_(config),
      data_(data),
      seed_(seed),
      tokenizer_(build_tokenizer(config, data)),
      labels_(labels_of(data.dataset)) {
  if (!takes_text()) return;
  encodings_ = Preprocessor::from_config(config, tokenizer_).encode(data.dataset.columns().texts);
}

BatchSource TrainingRows::text_source() const {
  BatchSource source;
  source.encoding = [this](std::size_t row) { return encodings_[row]; };
  return source;
}

BatchSource TrainingRows::source() const {
  BatchSource source;
  if (takes_text()) source = text_source();
  if (takes_image()) source.images = data_.images;
  source.loop = on_all_threads;
  source.labels = labels_;
  return source;
}

BatchChanges TrainingRows::changes(int epoch) const {
  BatchChanges changes;
  changes.augment = {config_.augment_flip,   config_.augment_shift,  config_.augment_scale,
                     config_.augment_rotate, config_.augment_colour, config_.augment_erase};
  changes.word_dropout = config_.word_dropout;
  changes.seed = seed_;
  changes.epoch = static_cast<std::uint64_t>(epoch);
  return changes;
}

Batch TrainingRows::batch(std::span<const std::int64_t> rows) const {
  return make_batch(source(), rows);
}

Batch TrainingRows::training_batch(std::span<const std::int64_t> rows, const BatchPart& part,
                                   BatchChanges changed) const {
  const ProfileScope scope("batch");
  if (part.world) {
    changed.least_tokens = make_batch(text_source(), rows, &changed).max_tokens;
  }
  return make_batch(source(), own_rows(rows, part), &changed);
}

Batch TrainingRows::texts(std::span<const std::int64_t> rows) const {
  return make_batch(text_source(), rows);
}

torch::Tensor TrainingRows::labels(std::span<const std::int64_t> rows) const {
  std::vector<std::int64_t> labels;
  for (std::int64_t row : rows) labels.push_back(labels_[static_cast<std::size_t>(row)]);
  return torch::tensor(labels);
}

std::vector<Augmentation> drawn_for(const Batch& batch, const BatchChanges& changes) {
  std::vector<Augmentation> drawn;
  if (!changes.augment.any() || batch.pixels.empty()) return drawn;
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    Rng rng(changes.seed, Stream::augment, changes.epoch,
            static_cast<std::uint64_t>(batch.rows[i]));
    drawn.push_back(batch.has_image[i] ? draw_augmentation(batch.side, changes.augment, rng)
                                       : Augmentation{});
  }
  return drawn;
}

}  // namespace diptych
