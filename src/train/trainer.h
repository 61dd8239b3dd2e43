// Training: one model on one split. Seeded by address, so that the same configuration, data and
// thread count give the same bytes, also when the run was killed and resumed.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "data/pixels.h"
#include "data/split.h"
#include "nn/profile.h"

namespace diptych {

class World;

struct EpochRecord {
  int epoch = 0;  // 1-based
  double train_loss = 0, train_accuracy = 0;
  double validation_loss = 0, validation_accuracy = 0;
  double learning_rate = 0;  // at the end of the epoch
  int skipped_steps = 0;     // non-finite
  double seconds = 0;
};

struct StepProgress {
  int epoch = 0, epochs = 0;
  int step = 0, steps = 0;        // within the epoch
  double loss = 0, accuracy = 0;  // running means of the epoch
  double rows_per_second = 0;
  double seconds_left = 0;  // of the whole run, at this speed
};

// Told what happens, on the training thread. May throw, which ends the training; the checkpoint of
// the last whole epoch stays.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const StepProgress&) {}
  virtual void on_epoch(const EpochRecord&) {}
  // Once, if TrainOptions asks for it: where the time of some steps went, and the trace of them.
  virtual void on_profile(const std::vector<ProfilePart>&, int, const std::string&) {}
};

// What to learn from. Everything must outlive the call.
struct TrainingData {
  const Dataset& dataset;
  const DecodedImages* images = nullptr;  // of the dataset; null when the inputs are text alone
  const Split& split;
};

struct TrainOptions {
  int threads = 1;
  std::filesystem::path checkpoint;  // empty: none is written. Replaced atomically each epoch
  bool resume = false;               // go on from the checkpoint when it is there
  int profiled_steps = 0;            // after some to warm up; 0: none
  // The processes that share the training, each calling train() alike; null: this one is alone. A
  // batch is the whole world's. The first process alone reads and writes the checkpoint.
  World* world = nullptr;
};

struct TrainResult {
  std::string model;  // the bytes of the model file: weights of the best epoch
  std::vector<EpochRecord> history;
  int best_epoch = 0;
};

// Throws Error{numeric} when too many steps in a row are not finite, Error{model_file} for a
// damaged checkpoint, Error{config} for one of another configuration or dataset, or where processes
// disagree on these, Error{io} when a checkpoint cannot be written, Error{interrupted} when another
// process is lost.
TrainResult train(const Config& config, const TrainingData& data, const TrainOptions& options,
                  Observer& observer);

}  // namespace diptych
