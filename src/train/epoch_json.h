// EpochRecord as JSON, for metrics.jsonl, checkpoints and trials. JSON has no number for a loss
// that is not finite: null stands for it, both ways.
#pragma once
#include <limits>
#include <nlohmann/json.hpp>

#include "train/trainer.h"

namespace diptych {

inline void to_json(nlohmann::json& json, const EpochRecord& record) {
  json = {{"epoch", record.epoch},
          {"train_loss", record.train_loss},
          {"train_accuracy", record.train_accuracy},
          {"validation_loss", record.validation_loss},
          {"validation_accuracy", record.validation_accuracy},
          {"learning_rate", record.learning_rate},
          {"skipped_steps", record.skipped_steps},
          {"seconds", record.seconds}};
}

inline void from_json(const nlohmann::json& json, EpochRecord& record) {
  const auto number = [&json](const char* key) {
    const nlohmann::json& value = json.at(key);
    return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  };
  record = {json.at("epoch").get<int>(),
            number("train_loss"),
            number("train_accuracy"),
            number("validation_loss"),
            number("validation_accuracy"),
            number("learning_rate"),
            json.at("skipped_steps").get<int>(),
            number("seconds")};
}

}  // namespace diptych
