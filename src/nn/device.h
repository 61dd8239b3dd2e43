// From the device that was asked for to the one that torch knows.
#pragma once
#include <torch/torch.h>

#include <cstdint>
#include <string>

#include "config/config.h"

namespace diptych {

// Throws Error{usage} for cuda where there is none, with the reason.
at::Device resolve_device(Device wanted);
// The same for a training that so many processes share, which the processor alone can.
at::Device resolve_device(Device wanted, int processes);

// Draws for tensors of that device.
at::Generator seeded_generator(at::Device device, std::uint64_t seed);

// A copy on that device, which on a GPU is on its way when this returns; on the host the tensor
// itself. The host's memory may change or go at once.
torch::Tensor on_device(const torch::Tensor& host, at::Device device);

// For tests: while it lives, another device takes the GPU's place.
class InPlaceOfCuda {
 public:
  explicit InPlaceOfCuda(at::Device device);
  ~InPlaceOfCuda();
  InPlaceOfCuda(const InPlaceOfCuda&) = delete;
};

}  // namespace diptych
