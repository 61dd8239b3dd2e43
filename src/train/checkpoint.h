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
  int best_epoch = 0;       // 1-based; 0: none yet
  int failed_in_a_row = 0;  // non-finite steps
  std::vector<EpochRecord> history;

  int epochs_done() const { return static_cast<int>(history.size()); }
  int stale_epochs() const { return epochs_done() - best_epoch; }  // since the best
  const EpochRecord& best() const { return history.at(static_cast<std::size_t>(best_epoch - 1)); }
};

using TensorList = std::vector<std::pair<std::string, torch::Tensor>>;

// What ties a checkpoint to its run: a resume with another one is refused.
struct RunIdentity {
  std::string config;  // JSON
  std::string data;    // digest of dataset and split
};

RunIdentity identity_of(const Config& config, const TrainingData& data);

void save_checkpoint(const std::filesystem::path& path, const TrainingState& state,
                     const TensorList& tensors, const RunIdentity& identity);

// Copies the stored tensors into `tensors` (by name) and returns the state. bytes: of the file that
// `path` names in errors. When it throws (see train()), nothing was copied.
TrainingState load_checkpoint(const std::string& bytes, const std::filesystem::path& path,
                              const TensorList& tensors, const RunIdentity& identity);

}  // namespace diptych
