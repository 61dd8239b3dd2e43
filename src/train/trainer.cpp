#include "train/trainer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "config/options.h"
#include "data/preprocessor.h"
#include "nn/dataset_prediction.h"
#include "nn/model_file.h"
#include "train/average.h"
#include "train/checkpoint.h"
#include "train/loss.h"
#include "train/optimizer.h"
#include "train/sharing.h"

namespace diptych {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kMaxFailedInARow = 20;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Tokenizer build_tokenizer(const Config& config, const TrainingData& data) {
  if (config.inputs == Inputs::image) return Tokenizer::build({}, {});
  std::vector<std::string_view> texts;
  for (std::int64_t row : data.split.train) {
    texts.push_back(data.dataset.columns().texts[static_cast<std::size_t>(row)]);
  }
  return Tokenizer::build(texts, tokenizer_options(config));
}

// Of weights, order and augmentation: the folds of one deal share its seed, not these.
std::uint64_t training_seed(const Config& config) {
  if (config.folds == 0) return config.seed;
  return Rng(config.seed, Stream::folds, static_cast<std::uint64_t>(config.fold)).next();
}

class Training {
 public:
  Training(const Config& config, const TrainingData& data, const TrainOptions& options,
           Observer& observer)
      : world_(options.world ? *options.world : alone_),
        config_(config),
        seed_(training_seed(config)),
        data_(data),
        options_(options),
        observer_(observer),
        tokenizer_(build_tokenizer(config, data)),
        shape_{tokenizer_.vocabulary_size(), static_cast<int>(data.dataset.classes().size())},
        network_(std::make_shared<Network>(config, shape_, seed_)),
        average_(Network::unfilled(config, shape_)),
        best_(Network::unfilled(config, shape_)),
        labels_(labels_of(data.dataset)),
        weights_(class_weights(config, data)) {
    if (takes_image()) {
      const PixelStatistics statistics = pixel_statistics(*data.images, data.split.train);
      network_->set_pixel_statistics(statistics.mean, statistics.deviation);
    }
    if (config.inputs != Inputs::image) {
      encodings_ =
          Preprocessor::from_config(config, tokenizer_).encode(data.dataset.columns().texts);
      const std::span<const std::int64_t> rows = data.split.train;
      network_->set_document_frequencies(
          rows.size(), [&](std::size_t i) { return make_batch(texts(), rows.subspan(i, 1)); });
    }
    for (const auto& copy : {average_, best_}) copy_state(*network_, *copy);
    TensorList parameters;
    for (const auto& item : network_->named_parameters()) {
      parameters.emplace_back(item.key(), item.value());
    }
    optimizer_.emplace(config, parameters);
    gradients_.emplace(world_, parameters);
    const auto rows = static_cast<int>(data.split.train.size());
    // A last batch too small for batch statistics is left out; the next epoch's order is another.
    constexpr int kSmallestBatch = 8;
    steps_ = std::max(
        1, rows / config.batch_size + (rows % config.batch_size >= kSmallestBatch ? 1 : 0));
    require_rows_for_all(world_,
                         std::min(config.batch_size, rows - (steps_ - 1) * config.batch_size));
  }

  TrainResult run() {
    require_same_run(world_, identity());
    if (options_.resume) {
      const auto stored = checkpoint_of_first(world_, options_.checkpoint);
      if (stored) state_ = load_checkpoint(*stored, options_.checkpoint, tensors(), identity());
    }
    start_ = Clock::now();
    first_epoch_ = state_.epochs_done();
    while (!is_over()) {
      run_epoch(state_.epochs_done() + 1);
      // Of the last epoch the model is what is kept.
      if (!is_over() && !options_.checkpoint.empty() && world_.is_first()) {
        save_checkpoint(options_.checkpoint, state_, tensors(), identity());
      }
      observer_.on_epoch(state_.history.back());
    }
    network_.reset();  // the file takes memory in one piece
    average_.reset();
    optimizer_.reset();
    gradients_.reset();
    return {pack_model(*best_, description()), state_.history, state_.best_epoch};
  }

 private:
  bool takes_image() const { return config_.inputs != Inputs::text; }
  bool is_over() const {
    const bool stops_early = config_.patience > 0 && state_.stale_epochs() >= config_.patience;
    return stops_early || state_.epochs_done() >= config_.epochs;
  }

  BatchSource texts() const {
    BatchSource source;
    source.encoding = [this](std::size_t row) { return encodings_[row]; };
    return source;
  }

  BatchSource source() const {
    BatchSource source;
    if (config_.inputs != Inputs::image) source = texts();
    if (takes_image()) source.images = data_.images;
    source.labels = labels_;
    return source;
  }

  BatchChanges changes(int epoch) const {
    BatchChanges changes;
    changes.augment = {config_.augment_flip,   config_.augment_shift,  config_.augment_scale,
                       config_.augment_rotate, config_.augment_colour, config_.augment_erase};
    changes.word_dropout = config_.word_dropout;
    changes.seed = seed_;
    changes.epoch = static_cast<std::uint64_t>(epoch);
    return changes;
  }

  void run_epoch(int epoch) {
    const auto epoch_start = Clock::now();
    std::vector<std::int64_t> order = data_.split.train;
    Rng(seed_, Stream::shuffle, static_cast<std::uint64_t>(epoch)).shuffle(std::span(order));
    const BatchChanges changed = changes(epoch);
    EpochRecord record;
    record.epoch = epoch;
    double rows = 0;
    for (int step = 0; step < steps_; ++step) {
      const std::size_t begin = static_cast<std::size_t>(step * config_.batch_size);
      const auto part = std::span(order).subspan(
          begin, std::min<std::size_t>(static_cast<std::size_t>(config_.batch_size),
                                       order.size() - begin));
      watch();
      const StepResult result = run_step(part, changed, step);
      record.skipped_steps += result.skipped;
      record.learning_rate = result.learning_rate;
      const double before = rows, now = static_cast<double>(part.size());
      rows += now;
      if (!result.skipped) {
        record.train_loss = (record.train_loss * before + result.loss * now) / rows;
      }
      record.train_accuracy = (record.train_accuracy * before + result.right) / rows;
      report_step(record, step + 1, rows, epoch_start);
    }
    validate(record);
    record.seconds = seconds_since(epoch_start);
    state_.history.push_back(record);
    keep_best();
  }

  // Padded as the whole batch would be, so that numbers drawn for it fall on the same words.
  Batch training_batch(std::span<const std::int64_t> rows, const BatchPart& part,
                       BatchChanges changed) const {
    const ProfileScope scope("batch");
    if (part.world) {
      changed.least_tokens = make_batch(texts(), rows, &changed).max_tokens;
    }
    return make_batch(source(), own_rows(rows, part), &changed);
  }

  torch::Tensor labels_for(std::span<const std::int64_t> rows) const {
    std::vector<std::int64_t> labels;
    for (std::int64_t row : rows) labels.push_back(labels_[static_cast<std::size_t>(row)]);
    return torch::tensor(labels);
  }

  // Before each step of this process.
  void watch() {
    constexpr int kWarmUp = 10;
    const int step = steps_run_++;
    if (options_.profiled_steps <= 0) return;
    if (step == kWarmUp) profile_.emplace();
    if (step != kWarmUp + options_.profiled_steps || !profile_) return;
    observer_.on_profile(profile_->parts(), options_.profiled_steps, profile_->trace());
    profile_.reset();
  }

  void report_step(const EpochRecord& record, int step, double rows,
                   Clock::time_point epoch_start) {
    const double done = record.epoch - 1 - first_epoch_ + static_cast<double>(step) / steps_;
    StepProgress progress{record.epoch,      config_.epochs,        step, steps_,
                          record.train_loss, record.train_accuracy, 0,    0};
    progress.rows_per_second = rows / std::max(1e-9, seconds_since(epoch_start));
    progress.seconds_left = seconds_since(start_) / done * (config_.epochs - first_epoch_ - done);
    observer_.on_step(progress);
  }

  struct StepResult {
    double loss = 0;
    double right = 0;  // rows
    double learning_rate = 0;
    bool skipped = false;
  };

  StepResult run_step(std::span<const std::int64_t> rows, const BatchChanges& changed, int step) {
    const std::int64_t global = static_cast<std::int64_t>(changed.epoch - 1) * steps_ + step;
    Rng draws(seed_, Stream::mixup, static_cast<std::uint64_t>(global));
    Pass pass;
    pass.training = true;
    pass.compute =
        resolve_precision(config_.precision) == Precision::bf16 ? at::kBFloat16 : at::kFloat;
    pass.generator = at::make_generator<at::CPUGeneratorImpl>(
        Rng(seed_, Stream::dropout, static_cast<std::uint64_t>(global)).next());
    pass.part = BatchPart(world_, static_cast<std::int64_t>(rows.size()));
    std::optional<Mixing> mixing;
    if (draws.chance(config_.mixup)) mixing = draw_mixing(draws, rows.size());
    const Mixing* const mixed = mixing ? &*mixing : nullptr;

    const torch::Tensor labels = labels_for(rows);
    const Batch batch = training_batch(rows, pass.part, changed);
    const auto logits = network_->forward(network_->input_from(batch), pass, mixed);
    const torch::Tensor loss = loss_of(logits, {labels, weights_, mixed, pass.part});
    const torch::Tensor right = logits.front().argmax(1).eq(own_rows(labels, pass.part)).sum();
    const torch::Tensor figures =
        torch::tensor({loss.item<double>(), right.item<double>()}, at::kDouble);
    const auto wait_for_figures = world_.begin_sum(figures);
    loss.backward();
    gradients_->finish();
    wait_for_figures();
    StepResult result;
    result.learning_rate =
        learning_rate_at(config_, global, static_cast<std::int64_t>(steps_) * config_.epochs);
    result.loss = figures[0].item<double>();
    result.right = figures[1].item<double>();
    result.skipped = !update(result.learning_rate);
    count_failure(result.skipped);
    if (!result.skipped) update_average(global);
    return result;
  }

  torch::Tensor loss_of(const std::vector<torch::Tensor>& logits, const Target& target) const {
    const ProfileScope scope("loss");
    return training_loss(config_, logits, target);
  }

  bool update(double learning_rate) {
    const ProfileScope scope("optimiser");
    return optimizer_->step(learning_rate);
  }

  void count_failure(bool failed) {
    state_.failed_in_a_row = failed ? state_.failed_in_a_row + 1 : 0;
    if (state_.failed_in_a_row >= kMaxFailedInARow) {
      throw Error(ErrorKind::numeric,
                  fmt::format("{} steps in a row gave a loss or gradient that is not finite",
                              kMaxFailedInARow),
                  "", "lower --learning-rate, or try --precision fp32");
    }
  }

  void update_average(std::int64_t step) {
    const ProfileScope scope("average");
    move_average(*network_, *average_, step, config_.ema_decay);
  }

  void validate(EpochRecord& record) {
    const torch::InferenceMode inference;
    constexpr std::size_t kBatch = 64;
    average_->pack(Arithmetic::fp32);  // as the model will answer
    const std::span<const std::int64_t> all = data_.split.validation;
    const BatchPart part(world_, static_cast<std::int64_t>(all.size()));
    const std::span<const std::int64_t> rows = own_rows(all, part);
    double loss = 0, right = 0;
    for (std::size_t begin = 0; begin < rows.size(); begin += kBatch) {
      const Batch batch =
          make_batch(source(), rows.subspan(begin, std::min(kBatch, rows.size() - begin)));
      Pass pass;
      const torch::Tensor labels = torch::tensor(batch.labels, at::kInt).to(at::kLong);
      const torch::Tensor p =
          Network::probabilities(average_->forward(average_->input_from(batch), pass));
      const torch::Tensor chosen = p.gather(1, labels.unsqueeze(1)).clamp_min(1e-7);
      loss -= chosen.log().sum().item<double>();
      right += p.argmax(1).eq(labels).sum().item<double>();
    }
    average_->unpack();
    const torch::Tensor sums = torch::tensor({loss, right}, at::kDouble);
    world_.sum(sums);
    const double count = std::max<double>(1, static_cast<double>(all.size()));
    record.validation_loss = sums[0].item<double>() / count;
    record.validation_accuracy = sums[1].item<double>() / count;
  }

  // The most accurate epoch; on a tie the later one, whose weights have settled more.
  void keep_best() {
    const EpochRecord& record = state_.history.back();
    if (state_.best_epoch > 0 && record.validation_accuracy < state_.best().validation_accuracy) {
      return;
    }
    state_.best_epoch = record.epoch;
    copy_state(*average_, *best_);
  }

  TensorList tensors() const {
    TensorList all;
    const auto add = [&all](const std::string& prefix, const TensorList& list) {
      for (const auto& [name, tensor] : list) all.emplace_back(prefix + name, tensor.detach());
    };
    add("network.", state_of(*network_));
    add("average.", state_of(*average_));
    add("best.", state_of(*best_));
    add("optimizer.", optimizer_->state());
    return all;
  }

  RunIdentity identity() const {
    Digest digest;
    digest.add(data_.dataset.digest_for(config_.inputs));
    for (const auto* rows : {&data_.split.train, &data_.split.validation}) {
      digest.add(
          {reinterpret_cast<const char*>(rows->data()), rows->size() * sizeof rows->front()});
    }
    return {to_json(config_).dump(), digest.hex()};
  }

  ModelDescription description() const {
    nlohmann::json provenance = {
        {"diptych", DIPTYCH_VERSION},
        {"torch", TORCH_VERSION},
        {"data_digest", data_.dataset.digest_for(config_.inputs)},
        {"rows",
         {{"train", data_.split.train.size()},
          {"validation", data_.split.validation.size()},
          {"test", data_.split.test.size()}}},
        {"precision", resolve_precision(config_.precision) == Precision::bf16 ? "bf16" : "fp32"},
        {"threads", options_.threads},
        {"epochs", state_.epochs_done()},
        {"best_epoch", state_.best_epoch},
        {"validation",
         {{"accuracy", state_.best().validation_accuracy},
          {"log_loss", state_.best().validation_loss}}}};
    if (world_.size() > 1) provenance["processes"] = world_.size();
    return {config_, data_.dataset.classes(), tokenizer_, provenance.dump()};
  }

  World alone_;
  World& world_;
  const Config& config_;
  std::uint64_t seed_;
  const TrainingData& data_;
  const TrainOptions& options_;
  Observer& observer_;
  Tokenizer tokenizer_;
  NetworkShape shape_;
  std::shared_ptr<Network> network_, average_, best_;
  std::optional<AdaptiveMoments> optimizer_;
  std::optional<GradientSum> gradients_;
  std::vector<std::int32_t> labels_;
  torch::Tensor weights_;
  EncodedTexts encodings_;
  int steps_ = 1;  // an epoch
  TrainingState state_;
  Clock::time_point start_;
  int first_epoch_ = 0;
  int steps_run_ = 0;  // by this process
  std::optional<Profile> profile_;
};

}  // namespace

TrainResult train(const Config& config, const TrainingData& data, const TrainOptions& options,
                  Observer& observer) {
  at::set_num_threads(std::max(1, options.threads));
  at::globalContext().setFlushDenormal(true);
  try {
    return Training(config, data, options, observer).run();
  } catch (const c10::Error& error) {
    throw Error(ErrorKind::internal, error.what_without_backtrace());
  }
}

}  // namespace diptych
