// A training's whole state at the end of an epoch, in one file of the model file's own container.
#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include "train/trainer.h"

namespace diptych {

struct TrainingState {
  int epochs_done = 0;
  int best_epoch = 0;
  double best_accuracy = -1, best_loss = 0;
  int stale_epochs = 0;     // since the best
  int failed_in_a_row = 0;  // non-finite steps
  std::vector<EpochRecord> history;
};

using TensorList = std::vector<std::pair<std::string, torch::Tensor>>;

// What ties a checkpoint to its run: a resume with another one is refused.
struct RunIdentity {
  std::string config;  // JSON
  std::string data;    // digest of dataset and split
};

void save_checkpoint(const std::filesystem::path& path, const TrainingState& state,
                     const TensorList& tensors, const RunIdentity& identity);

// Copies the stored tensors into `tensors` (by name) and returns the state.
TrainingState load_checkpoint(const std::filesystem::path& path, const TensorList& tensors,
                              const RunIdentity& identity);

}  // namespace diptych
