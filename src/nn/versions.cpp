#include "nn/versions.h"

#include <torch/torch.h>

#include "nn/network.h"

namespace diptych {

std::string torch_version() { return TORCH_VERSION; }

std::string precision_name(const Config& config) {
  return resolve_precision(config.precision) == Precision::bf16 ? "bf16" : "fp32";
}

}  // namespace diptych
