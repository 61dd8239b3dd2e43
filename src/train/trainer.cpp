#include "train/trainer.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/rng.h"
#include "base/row_memory.h"
#include "nn/device.h"
#include "nn/image_encoder.h"
#include "nn/model_file.h"
#include "train/average.h"
#include "train/checkpoint.h"
#include "train/loss.h"
#include "train/optimizer.h"
#include "train/sharing.h"
#include "train/step_figures.h"
#include "train/training_rows.h"

namespace diptych {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kMaxFailedInARow = 20;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Of weights, order and augmentation: the folds of one deal share its seed, not these.
std::uint64_t training_seed(const Config& config) {
  if (config.folds == 0) return config.seed;
  return Rng(config.seed, Stream::folds, static_cast<std::uint64_t>(config.fold)).next();
}

at::Device device_for(const Config& config, const TrainOptions& options, const World& world) {
  const at::Device device = resolve_device(config.device, world.size());
  if (options.profiled_steps > 0 && !device.is_cpu()) {
    throw Error(ErrorKind::usage, "a profile is of a processor's work, not of a GPU's", "--profile",
                "add --device cpu, or watch the GPU with its maker's own tools");
  }
  return device;
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
        device_(device_for(config, options, world_)),
        precision_(resolve_precision(config, device_)),
        rows_(config, data, seed_),
        shape_{rows_.tokenizer().vocabulary_size(),
               static_cast<int>(data.dataset.classes().size())},
        network_(std::make_shared<Network>(config, shape_, seed_)),
        average_(Network::unfilled(config, shape_, device_)),
        best_(Network::unfilled(config, shape_, device_)),
        weights_(on_device(class_weights(config, data), device_)),
        identity_(identity_of(config, data)) {
    if (rows_.takes_image()) {
      const PixelStatistics statistics = pixel_statistics(*data.images, data.split.train);
      network_->set_pixel_statistics(statistics.mean, statistics.deviation);
    }
    if (rows_.takes_text()) {
      const std::span<const std::int64_t> rows = data.split.train;
      network_->set_document_frequencies(
          rows.size(), [&](std::size_t i) { return rows_.texts(rows.subspan(i, 1)); });
    }
    for (const auto& copy : {average_, best_}) copy_state(*network_, *copy);
    if (!device_.is_cpu()) {
      network_ = Network::unfilled(config, shape_, device_);
      copy_state(*average_, *network_);
    }
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
    require_same_run(world_, identity_);
    if (options_.resume) {
      const auto stored = checkpoint_of_first(world_, options_.checkpoint);
      if (stored) state_ = load_checkpoint(*stored, options_.checkpoint, tensors(), identity_);
    }
    start_ = Clock::now();
    first_epoch_ = state_.epochs_done();
    while (!is_over()) {
      run_epoch(state_.epochs_done() + 1);
      // Of the last epoch the model is what is kept.
      if (!is_over() && !options_.checkpoint.empty() && world_.is_first()) {
        save_checkpoint(options_.checkpoint, state_, tensors(), identity_);
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
  bool is_over() const {
    const bool stops_early = config_.patience > 0 && state_.stale_epochs() >= config_.patience;
    return stops_early || state_.epochs_done() >= config_.epochs;
  }

  struct RunningEpoch {
    EpochRecord record;
    Clock::time_point start = Clock::now();
    int steps = 0;
    double rows = 0;
  };
  struct BegunStep {
    StepFigures figures;
    double rows = 0, learning_rate = 0;
  };

  // On a GPU the next batch is made while a step runs, and figures are asked for a step late.
  void run_epoch(int epoch) {
    RunningEpoch running;
    running.record.epoch = epoch;
    RowVector<std::int64_t> order = data_.split.train;
    Rng(seed_, Stream::shuffle, static_cast<std::uint64_t>(epoch)).shuffle(std::span(order));
    const BatchChanges changed = rows_.changes(epoch);
    std::future<Batch> ahead;
    std::optional<BegunStep> late;
    for (int step = 0; step < steps_; ++step) {
      watch();
      const Batch batch = ahead.valid() ? ahead.get() : host_batch(rows_of(order, step), changed);
      if (!device_.is_cpu() && step + 1 < steps_) {
        ahead = std::async(std::launch::async, [&, next = rows_of(order, step + 1)] {
          return host_batch(next, changed);
        });
      }
      BegunStep begun = run_step(rows_of(order, step), batch, changed, step);
      if (late) count(*late, running);
      late = std::move(begun);
      if (device_.is_cpu()) count(*std::exchange(late, {}), running);
    }
    if (late) count(*late, running);
    validate(running.record);
    running.record.seconds = seconds_since(running.start);
    state_.history.push_back(running.record);
    keep_best();
  }

  std::span<const std::int64_t> rows_of(std::span<const std::int64_t> order, int step) const {
    const auto begin = static_cast<std::size_t>(step * config_.batch_size);
    const auto most = static_cast<std::size_t>(config_.batch_size);
    return order.subspan(begin, std::min(most, order.size() - begin));
  }

  // A GPU changes pictures itself.
  Batch host_batch(std::span<const std::int64_t> rows, BatchChanges changed) const {
    if (!device_.is_cpu()) changed.augment = {};
    return rows_.training_batch(rows, BatchPart(world_, std::ssize(rows)), changed);
  }

  void count(const BegunStep& begun, RunningEpoch& running) {
    const StepResult result = begun.figures.get();
    count_failure(result.skipped);
    EpochRecord& record = running.record;
    record.skipped_steps += result.skipped;
    record.learning_rate = begun.learning_rate;
    const double before = running.rows;
    running.rows += begun.rows;
    if (!result.skipped) {
      record.train_loss = (record.train_loss * before + result.loss * begun.rows) / running.rows;
    }
    record.train_accuracy = (record.train_accuracy * before + result.right) / running.rows;
    report_step(running);
  }

  // Before each step of this process.
  void watch() {
    constexpr int kWarmUp = 10, kBetweenRests = 16;
    const int step = steps_run_++;
    if (step % kBetweenRests == 0) rest_rows();  // each batch touches other ones
    if (options_.profiled_steps <= 0) return;
    if (step == kWarmUp) profile_.emplace();
    if (step != kWarmUp + options_.profiled_steps || !profile_) return;
    const std::vector<ProfilePart> parts = profile_->parts();  // without the time of the trace
    observer_.on_profile(parts, options_.profiled_steps, profile_->trace());
    profile_.reset();
  }

  void report_step(RunningEpoch& running) {
    const EpochRecord& record = running.record;
    const int step = ++running.steps;
    const double done = record.epoch - 1 - first_epoch_ + static_cast<double>(step) / steps_;
    StepProgress progress{record.epoch,      config_.epochs,        step, steps_,
                          record.train_loss, record.train_accuracy, 0,    0};
    progress.rows_per_second = running.rows / std::max(1e-9, seconds_since(running.start));
    progress.seconds_left = seconds_since(start_) / done * (config_.epochs - first_epoch_ - done);
    observer_.on_step(progress);
  }

  BegunStep run_step(std::span<const std::int64_t> rows, const Batch& batch,
                     const BatchChanges& changed, int step) {
    const std::int64_t global = static_cast<std::int64_t>(changed.epoch - 1) * steps_ + step;
    Rng draws(seed_, Stream::mixup, static_cast<std::uint64_t>(global));
    Pass pass;
    pass.training = true;
    pass.compute = precision_ == Precision::bf16 ? at::kBFloat16 : at::kFloat;
    pass.generator = seeded_generator(
        device_, Rng(seed_, Stream::dropout, static_cast<std::uint64_t>(global)).next());
    pass.part = BatchPart(world_, std::ssize(rows));
    std::optional<Mixing> mixing;
    if (draws.chance(config_.mixup)) mixing = draw_mixing(draws, rows.size());
    if (mixing) mixing->other = on_device(mixing->other, device_);
    const Mixing* const mixed = mixing ? &*mixing : nullptr;

    const torch::Tensor labels = on_device(rows_.labels(rows), device_);
    std::vector<Augmentation> drawn;
    if (!device_.is_cpu()) drawn = drawn_for(batch, changed);
    const auto logits = network_->forward(network_->input_from(batch, drawn), pass, mixed);
    const torch::Tensor loss = training_loss(config_, logits, {labels, weights_, mixed, pass.part});
    const torch::Tensor right = logits.front().argmax(1).eq(own_rows(labels, pass.part)).sum();
    const double rate =
        learning_rate_at(config_, global, static_cast<std::int64_t>(steps_) * config_.epochs);
    const torch::Tensor figures = device_.is_cpu() ? learn(loss, right, rate, global)
                                                   : learn_unseen(loss, right, rate, global);
    return {StepFigures(figures), static_cast<double>(rows.size()), rate};
  }

  // Gives what StepFigures takes.
  torch::Tensor learn(const torch::Tensor& loss, const torch::Tensor& right, double rate,
                      std::int64_t step) {
    torch::Tensor figures =
        torch::tensor({loss.item<double>(), right.item<double>(), 0.0}, at::kDouble);
    const auto wait_for_figures = world_.begin_sum(figures);
    loss.backward();
    gradients_->finish();
    wait_for_figures();
    const bool learnt = update(rate);
    if (learnt) update_average(step);
    figures[2].fill_(!learnt);
    return figures;
  }

  // The same without waiting for the device. A step that is skipped moves the average too, towards
  // weights that stay.
  torch::Tensor learn_unseen(const torch::Tensor& loss, const torch::Tensor& right, double rate,
                             std::int64_t step) {
    loss.backward();
    const torch::Tensor failed = optimizer_->step_unseen(rate);
    update_average(step);
    return torch::stack(
        {loss.detach().to(at::kDouble), right.to(at::kDouble), failed.to(at::kDouble)});
  }

  bool update(double learning_rate) {
    const ProfileScope scope("optimiser");
    return optimizer_->step(learning_rate);
  }

  void count_failure(bool failed) {
    state_.failed_in_a_row = failed ? state_.failed_in_a_row + 1 : 0;
    if (state_.failed_in_a_row < kMaxFailedInARow) return;
    throw Error(ErrorKind::numeric,
                fmt::format("{} steps in a row gave a loss or gradient that is not finite",
                            kMaxFailedInARow),
                "", "lower --learning-rate, or try --precision fp32");
  }

  void update_average(std::int64_t step) {
    const ProfileScope scope("average");
    move_average(*network_, *average_, step, config_.ema_decay);
  }

  void validate(EpochRecord& record) {
    const torch::InferenceMode inference;
    constexpr std::size_t kBatch = 64;
    const std::span<const std::int64_t> all = data_.split.validation;
    const BatchPart part(world_, static_cast<std::int64_t>(all.size()));
    const std::span<const std::int64_t> rows = own_rows(all, part);
    const torch::Tensor sums = torch::zeros({2}, at::TensorOptions(at::kDouble).device(device_));
    for (std::size_t begin = 0; begin < rows.size(); begin += kBatch) {
      const Batch batch = rows_.batch(rows.subspan(begin, std::min(kBatch, rows.size() - begin)));
      Pass pass;
      const torch::Tensor labels =
          on_device(torch::tensor(batch.labels, at::kInt).to(at::kLong), device_);
      const torch::Tensor p =
          Network::probabilities(average_->forward(average_->input_from(batch), pass));
      const torch::Tensor chosen = p.gather(1, labels.unsqueeze(1)).clamp_min(1e-7);
      sums[0].sub_(chosen.log().sum());
      sums[1].add_(p.argmax(1).eq(labels).sum());
    }
    const torch::Tensor total = sums.to(at::kCPU);
    world_.sum(total);
    const double count = std::max<double>(1, static_cast<double>(all.size()));
    record.validation_loss = total[0].item<double>() / count;
    record.validation_accuracy = total[1].item<double>() / count;
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

  ModelDescription description() const {
    nlohmann::json provenance = {
        {"diptych", DIPTYCH_VERSION},
        {"torch", TORCH_VERSION},
        {"data_digest", data_.dataset.digest_for(config_.inputs)},
        {"rows",
         {{"train", data_.split.train.size()},
          {"validation", data_.split.validation.size()},
          {"test", data_.split.test.size()}}},
        {"precision", precision_name(precision_)},
        {"device", at::DeviceTypeName(device_.type(), /*lower_case=*/true)},
        {"threads", options_.threads},
        {"epochs", state_.epochs_done()},
        {"best_epoch", state_.best_epoch},
        {"validation",
         {{"accuracy", state_.best().validation_accuracy},
          {"log_loss", state_.best().validation_loss}}}};
    if (world_.size() > 1) provenance["processes"] = world_.size();
    return {config_, data_.dataset.classes(), rows_.tokenizer(), provenance.dump()};
  }

  World alone_;
  World& world_;
  const Config& config_;
  std::uint64_t seed_;
  const TrainingData& data_;
  const TrainOptions& options_;
  Observer& observer_;
  at::Device device_;
  Precision precision_;
  TrainingRows rows_;
  NetworkShape shape_;
  std::shared_ptr<Network> network_, average_, best_;
  std::optional<AdaptiveMoments> optimizer_;
  std::optional<GradientSum> gradients_;
  torch::Tensor weights_;
  int steps_ = 1;  // an epoch
  RunIdentity identity_;
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
