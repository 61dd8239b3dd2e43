#include "nn/device.h"

#include <ATen/CPUGeneratorImpl.h>

#include <optional>

#include "base/error.h"

namespace diptych {
namespace {

std::optional<at::Device> in_place_of_cuda;

[[noreturn]] void refuse(const char* reason, const char* hint) {
  throw Error(ErrorKind::usage, reason, "--device cuda", hint);
}

}  // namespace

// torch asks its CUDA part through an interface that is there without it: no header of CUDA's.
at::Device resolve_device(Device wanted) {
  if (wanted == Device::cpu) return at::kCPU;
  if (in_place_of_cuda) return *in_place_of_cuda;
  if (torch::cuda::is_available()) {
    at::globalContext().setAllowTF32CuDNN(false);  // fp32 is fp32; bf16 is there for speed
    return {at::kCUDA, 0};
  }
  if (wanted == Device::automatic) return at::kCPU;
  if (!at::globalContext().hasCUDART()) {
    refuse("this program was built with a torch that has no CUDA",
           "build it with one that has (docs/design/gpu.md), or leave --device out");
  }
  refuse("CUDA finds no GPU on this machine",
         "see whether nvidia-smi names one and CUDA_VISIBLE_DEVICES hides it, or leave --device "
         "out");
}

at::Device resolve_device(Device wanted, int processes) {
  if (processes == 1) return resolve_device(wanted);
  if (wanted == Device::cuda) {
    refuse("several processes share a training on processors only",
           "start one process without torchrun, or leave --device out");
  }
  return at::kCPU;
}

at::Generator seeded_generator(at::Device device, std::uint64_t seed) {
  if (device.is_cpu()) return at::make_generator<at::CPUGeneratorImpl>(seed);
  at::Generator generator = at::globalContext()
                                .getAcceleratorHooksInterface(device.type())
                                .getNewGenerator(device.index());
  generator.set_current_seed(seed);
  return generator;
}

// From pinned memory, which torch keeps until the copy is done.
torch::Tensor on_device(const torch::Tensor& host, at::Device device) {
  if (device.is_cpu() || !host.defined()) return host;
  if (!device.is_cuda()) return host.to(device);
  return host.pin_memory().to(device, /*non_blocking=*/true);
}

InPlaceOfCuda::InPlaceOfCuda(at::Device device) { in_place_of_cuda = device; }
InPlaceOfCuda::~InPlaceOfCuda() { in_place_of_cuda.reset(); }

}  // namespace diptych
