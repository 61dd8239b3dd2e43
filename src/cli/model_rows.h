// Rows of a dataset by the part that they had in a model's training.
#pragma once
#include <string>
#include <vector>

#include "data/dataset.h"
#include "diptych/model.h"

namespace diptych {

// Whether the model was trained on this dataset, which the digest in its provenance proves.
bool is_trained_on(const Model& model, const Dataset& dataset);

// The rows of one part, "test", "validation" or "train", of the split that the model was trained
// with, made again. Throws Error{data} when it was trained on another dataset.
std::vector<std::int64_t> rows_of_part(const Model& model, const Dataset& dataset,
                                       const std::string& part);

}  // namespace diptych
