#include "nn/quantization.h"

#include <algorithm>

#include "base/error.h"
#include "data/preprocessor.h"
#include "nn/model_file.h"

namespace diptych {

std::string quantize(const std::string& model, const std::string& where,
                     const CalibrationRows& calibration) {
  const torch::InferenceMode inference;
  LoadedModel loaded = unpack_model(model, where);
  if (loaded.description.config.inputs == Inputs::text) {
    throw Error(ErrorKind::usage, "the model takes no picture, and int8 is for its convolutions",
                where, "it is small and fast as it is");
  }
  require_int8_here(where);
  loaded.network->eval();
  std::vector<float> limits(loaded.network->convolutions(), 0);
  constexpr std::size_t kBatch = 32;
  for (std::size_t begin = 0; begin < calibration.rows.size(); begin += kBatch) {
    const std::size_t count = std::min(kBatch, calibration.rows.size() - begin);
    const Batch batch =
        make_batch({&calibration.images, {}, {}, {}}, calibration.rows.subspan(begin, count));
    const std::vector<float> seen = loaded.network->limits(batch);
    for (std::size_t i = 0; i < limits.size(); ++i) limits[i] = std::max(limits[i], seen[i]);
  }
  loaded.description.limits = limits;
  return pack_model(*loaded.network, loaded.description);
}

}  // namespace diptych
