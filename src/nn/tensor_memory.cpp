#include "nn/tensor_memory.h"

#include <c10/core/Allocator.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace diptych {
namespace {

constexpr std::size_t kAlignment = 64;  // as torch's own

// A block begins up to kAlignment bytes before what is handed out; where stands just before it.
void* allocate_aligned(std::size_t bytes) {
  auto* block = static_cast<char*>(std::malloc(bytes + kAlignment));
  if (!block) TORCH_CHECK_WITH(OutOfMemoryError, false, "there is no memory for ", bytes, " bytes");
  const std::size_t offset = kAlignment - reinterpret_cast<std::uintptr_t>(block) % kAlignment;
  std::memcpy(block + offset - sizeof block, &block, sizeof block);
  return block + offset;
}

void free_aligned(void* data) {
  if (!data) return;
  char* block = nullptr;
  std::memcpy(&block, static_cast<char*>(data) - sizeof block, sizeof block);
  std::free(block);
}

class RefillableMemory : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = bytes > 0 ? allocate_aligned(bytes) : nullptr;
    return {data, data, &free_aligned, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free_aligned; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

}  // namespace

void use_refillable_tensor_memory() {
  static RefillableMemory memory;
  constexpr std::uint8_t kAboveDefault = 1;
  c10::SetAllocator(c10::DeviceType::CPU, &memory, kAboveDefault);
}

}  // namespace diptych
