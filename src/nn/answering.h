// Answers to the rows of a dataset, in any amount: each thread takes pictures as they come, decodes
// a batch of them and asks the model on its own.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "diptych/model.h"

namespace diptych {

struct RowAnswer {
  std::string error;                 // empty: answered
  std::vector<float> probabilities;  // [K]
};

// In the order of the rows. A picture that is missing or cannot be decoded is an error of its row.
// progress is called from any thread.
std::vector<RowAnswer> answer_dataset(
    const Model& model, const Dataset& dataset, int threads,
    const std::function<void(std::size_t done, std::size_t total)>& progress = {});

}  // namespace diptych
