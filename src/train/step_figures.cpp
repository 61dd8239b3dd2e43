#include "train/step_figures.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace diptych {

StepFigures::StepFigures(const torch::Tensor& figures) : host_(figures) {
  const at::Device device = figures.device();
  if (device.is_cpu()) return;
  host_ = torch::empty(figures.sizes(),
                       at::TensorOptions(figures.scalar_type()).pinned_memory(device.is_cuda()));
  host_.copy_(figures, /*non_blocking=*/true);
  there_.emplace(device.type());
  there_->record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
}

StepResult StepFigures::get() const {
  if (there_) there_->synchronize();
  const auto* figure = host_.const_data_ptr<double>();
  return {figure[0], figure[1], figure[2] != 0};
}

}  // namespace diptych
