// A model that can also answer in int8: how large each convolution's outputs become is measured
// once on pictures and kept in the model file. The weights stay as they are.
#pragma once
#include <span>
#include <string>

#include "data/dataset.h"
#include "data/pixels.h"

namespace diptych {

struct CalibrationRows {
  const DecodedImages& images;
  std::span<const std::int64_t> rows;
};

// model: the bytes of a model file, which `where` names. Returns such bytes. Throws
// Error{model_file}, and Error{usage} when the model takes no picture.
std::string quantize(const std::string& model, const std::string& where,
                     const CalibrationRows& calibration);

}  // namespace diptych
