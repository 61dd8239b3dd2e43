// What the numbers of this process come from.
#pragma once
#include <string>

#include "config/config.h"

namespace diptych {

std::string torch_version();
// "fp32" or "bf16": what config.precision stands for on this machine.
std::string precision_name(const Config& config);

}  // namespace diptych
