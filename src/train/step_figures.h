// The figures of one training step, which on a GPU are known only once it has done the step.
#pragma once
#include <torch/torch.h>

#include <c10/core/Event.h>

#include <optional>

namespace diptych {

struct StepResult {
  double loss = 0;
  double right = 0;  // rows
  bool skipped = false;
};

class StepFigures {
 public:
  // figures: [3] fp64, loss, rows that were right, 1 if the step was skipped; where the step runs,
  // which is not waited for.
  explicit StepFigures(const torch::Tensor& figures);
  // Waits for them, not for what was begun since.
  StepResult get() const;

 private:
  torch::Tensor host_;
  std::optional<c10::Event> there_;
};

}  // namespace diptych
