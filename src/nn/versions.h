// What the numbers of this process come from.
#pragma once
#include <string>

#include "config/config.h"

namespace diptych {

std::string torch_version();
// "fp32" or "bf16": what config.precision stands for on config.device of this machine.
std::string precision_name(const Config& config);
// "cpu" or "cuda": what config.device stands for on this machine.
std::string device_name(const Config& config);
// Throws Error{usage} where it is not to be had, or not by so many processes that share a training.
void require_device(const Config& config, int processes = 1);

}  // namespace diptych
