// Small made-up trainings for the tests of this layer: a few rows, a few features, milliseconds.
#pragma once
#include <unistd.h>

#include <filesystem>

#include "nn/made_up_rows.h"
#include "train/trainer.h"

namespace diptych {

// Quick to train whatever the preset; schedules and optimisers stay the preset's own.
inline Config quick(Preset preset) {
  Config config = small(preset_config(preset));
  config.batch_size = 16;
  config.epochs = 3;
  config.seeds = 2;
  config.test_fraction = 0.25;
  config.validation_fraction = 0.25;
  return config;
}

inline MadeUpRows quick_rows() { return made_up_rows({.rows = 80, .gaps = true}); }

inline TrainResult train_quickly(const Config& config, const MadeUpRows& made,
                                 const TrainOptions& options, Observer& observer) {
  const Split split = make_split(made.dataset, split_options(config), config.seed);
  return train(config, {made.dataset, &made.images, split}, options, observer);
}

inline TrainResult train_quickly(const Config& config, const MadeUpRows& made,
                                 const TrainOptions& options = {}) {
  Observer observer;
  return train_quickly(config, made, options, observer);
}

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / (name + "_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace diptych
