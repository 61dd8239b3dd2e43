#include "nn/versions.h"

#include <torch/torch.h>

#include "nn/device.h"
#include "nn/image_encoder.h"

namespace diptych {

std::string torch_version() { return TORCH_VERSION; }

std::string precision_name(const Config& config) {
  return precision_name(resolve_precision(config, resolve_device(config.device)));
}

void require_device(const Config& config, int processes) {
  resolve_device(config.device, processes);
}

std::string device_name(const Config& config) {
  return at::DeviceTypeName(resolve_device(config.device).type(), /*lower_case=*/true);
}

}  // namespace diptych
