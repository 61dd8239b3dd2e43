// A device that is not the processor, for tests on machines without a GPU: its tensors lie in host
// memory, torch does the work there, and what CUDA refuses is refused: operands on both sides.
// Included by one file of a test program, where it registers itself.
#pragma once
#include <torch/torch.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/native/Resize.h>
#include <ATen/native/TensorFactories.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace diptych {

inline const at::Device kMadeUpDevice{at::kPrivateUse1, 0};

// How often the host asked the device for numbers, which on a GPU waits for all that was begun.
inline std::atomic<int> made_up_waits = 0;
// And how often that asked for work.
inline std::atomic<int> made_up_operators = 0;

namespace made_up {

class Memory final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = bytes > 0 ? std::malloc(bytes) : nullptr;
    return {data, data, &std::free, kMadeUpDevice};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};
inline Memory memory;

struct Guard final : c10::impl::NoOpDeviceGuardImpl<at::kPrivateUse1> {
  at::Device exchangeDevice(at::Device) const override { return kMadeUpDevice; }
  at::Device getDevice() const override { return kMadeUpDevice; }
  at::Stream getStream(at::Device) const noexcept override { return stream(); }
  at::Stream exchangeStream(at::Stream) const noexcept override { return stream(); }
  void record(void**, const at::Stream&, const at::DeviceIndex,
              const c10::EventFlag) const override {}
  bool queryEvent(void*) const override { return true; }
  void block(void*, const at::Stream&) const override {}
  void synchronizeEvent(void*) const override {}
  static at::Stream stream() { return at::Stream(at::Stream::DEFAULT, kMadeUpDevice); }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(at::DeviceIndex) const override { return true; }
  at::Generator getNewGenerator(at::DeviceIndex = -1) const override {
    return at::make_generator<at::CPUGeneratorImpl>();
  }
};

inline at::Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides,
                                std::optional<at::ScalarType> type, std::optional<at::Layout>,
                                std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(sizes, strides, &memory,
                                           c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           type.value_or(at::kFloat));
}

inline at::Tensor empty(at::IntArrayRef sizes, std::optional<at::ScalarType> type,
                        std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>,
                        std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(sizes, &memory,
                                   c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   type.value_or(at::kFloat), format);
}

// The same memory as a tensor of the processor.
inline at::Tensor on_host(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  return at::from_blob(tensor.data_ptr(), tensor.sizes(), tensor.strides(),
                       at::TensorOptions(tensor.scalar_type()));
}

// While an operator is at work: its own copies are not the program's.
inline thread_local int at_work = 0;
struct AtWork {
  AtWork() { ++at_work; }
  ~AtWork() { --at_work; }
};

inline at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool non_blocking) {
  if (to.is_cpu() && !non_blocking && !at_work) ++made_up_waits;
  on_host(to).copy_(on_host(from));
  return to;
}

inline at::Tensor copy_and_resize(const at::Tensor& from, const at::Tensor& to) {
  to.resize_(from.sizes());
  return copy_from(from, to, /*non_blocking=*/true);
}

inline at::Scalar local_scalar(const at::Tensor& tensor) {
  if (!at_work) ++made_up_waits;
  return on_host(tensor).item();
}

inline void require_here(const at::Tensor& tensor, const c10::OperatorHandle& op) {
  TORCH_CHECK(!tensor.defined() || !tensor.is_cpu() || tensor.dim() == 0,
              op.schema().operator_name(), ": an operand is on the processor");
}

inline void do_on_host(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto count = op.schema().arguments().size();
  for (const c10::IValue& value : torch::jit::last(*stack, count)) {
    if (value.isTensor()) require_here(value.toTensor(), op);
    if (!value.isTensorList()) continue;
    for (const at::Tensor& tensor : value.toTensorVector()) require_here(tensor, op);
  }
  const AtWork working;
  ++made_up_operators;
  at::native::cpu_fallback(op, stack);
}

inline at::Tensor view(const at::Tensor& x, c10::SymIntArrayRef size) {
  return at::native::view(x, C10_AS_INTARRAYREF_SLOW(size));
}
inline at::Tensor as_strided(const at::Tensor& x, c10::SymIntArrayRef size,
                             c10::SymIntArrayRef stride, std::optional<c10::SymInt> offset) {
  return at::native::as_strided_tensorimpl(
      x, C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride),
      offset ? std::optional(offset->expect_int()) : std::nullopt);
}
inline const at::Tensor& resize(const at::Tensor& x, c10::SymIntArrayRef size,
                                std::optional<at::MemoryFormat> format) {
  return at::native::resize_(x, C10_AS_INTARRAYREF_SLOW(size), format);
}

inline at::Tensor reshape_alias(const at::Tensor& x, c10::SymIntArrayRef size,
                                c10::SymIntArrayRef stride) {
  return as_strided(x, size, stride, std::nullopt);
}

// Its schema does not say that it writes to the running moments.
inline std::tuple<at::Tensor, at::Tensor, at::Tensor> batch_norm(
    const at::Tensor& x, const std::optional<at::Tensor>& weight,
    const std::optional<at::Tensor>& bias, const std::optional<at::Tensor>& mean,
    const std::optional<at::Tensor>& variance, bool training, double momentum, double epsilon) {
  const AtWork working;
  ++made_up_operators;
  const auto [result, of_mean, of_inverse] =
      at::native_batch_norm(on_host(x), on_host(*weight), on_host(*bias), on_host(*mean),
                            on_host(*variance), training, momentum, epsilon);
  return {result.to(kMadeUpDevice), of_mean.to(kMadeUpDevice), of_inverse.to(kMadeUpDevice)};
}

// One step of an LSTM, of which torch's CUDA makes one operator.
inline std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm_cell(
    const at::Tensor& of_input, const at::Tensor& of_state, const at::Tensor& cell,
    const std::optional<at::Tensor>& input_bias, const std::optional<at::Tensor>& state_bias) {
  const auto gates = (of_input + of_state + *input_bias + *state_bias).chunk(4, 1);
  const at::Tensor next = gates[1].sigmoid() * cell + gates[0].sigmoid() * gates[2].tanh();
  return {gates[3].sigmoid() * next.tanh(), next, at::Tensor()};
}

}  // namespace made_up

TORCH_LIBRARY_IMPL(aten, AutogradPrivateUse1, library) {
  library.impl("_thnn_fused_lstm_cell", &made_up::lstm_cell);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&made_up::do_on_host>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  static made_up::Hooks hooks;
  at::RegisterPrivateUse1HooksInterface(&hooks);
  c10::register_privateuse1_backend("made_up");
  library.impl("empty.memory_format", &made_up::empty);
  library.impl("empty_strided", &made_up::empty_strided);
  library.impl("_copy_from", &made_up::copy_from);
  library.impl("_copy_from_and_resize", &made_up::copy_and_resize);
  library.impl("_local_scalar_dense", &made_up::local_scalar);
  library.impl("view", &made_up::view);
  library.impl("as_strided", &made_up::as_strided);
  library.impl("_thnn_fused_lstm_cell", &made_up::lstm_cell);
  library.impl("native_batch_norm", &made_up::batch_norm);
  library.impl("_reshape_alias", &made_up::reshape_alias);
  library.impl("resize_", &made_up::resize);
  // What torch would otherwise put together from parts that only known devices have.
  for (const char* name : {"convolution", "convolution_backward"}) {
    library.impl(name, torch::CppFunction::makeFromBoxedFunction<&made_up::do_on_host>());
  }
}

}  // namespace diptych
