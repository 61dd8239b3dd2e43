// EpochRecord as JSON, for metrics.jsonl, checkpoints and trials.
#pragma once
#include <nlohmann/json.hpp>

#include "train/trainer.h"

namespace diptych {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(EpochRecord, epoch, train_loss, train_accuracy, validation_loss,
                                   validation_accuracy, learning_rate, skipped_steps, seconds)

}  // namespace diptych
