// A model asked for every row of a dataset.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "data/pixels.h"
#include "diptych/model.h"

namespace diptych {

// images: of the dataset, at the model's side; may be null when the model takes none.
// Returns [rows.size(),K].
std::vector<float> predict_rows(const Model& model, const Dataset& dataset,
                                const DecodedImages* images, std::span<const std::int64_t> rows);

// The first label of each row of the dataset, -1 where there is none.
RowVector<std::int32_t> labels_of(const Dataset& dataset);

}  // namespace diptych
