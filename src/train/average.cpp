#include "train/average.h"

#include <algorithm>

#include "nn/model_file.h"

namespace diptych {

void copy_state(const Network& from, const Network& to) {
  const torch::NoGradGuard no_grad;
  const auto source = state_of(from), target = state_of(to);
  for (std::size_t i = 0; i < target.size(); ++i) target[i].second.detach().copy_(source[i].second);
}

void move_average(const Network& from, const Network& to, std::int64_t step, double decay) {
  const torch::NoGradGuard no_grad;
  const double count = static_cast<double>(step + 1);
  const double weight = 1 - std::min(decay, count / (count + 10));
  const auto buffers = to.buffers();
  torch::_foreach_lerp_(to.parameters(), from.parameters(), weight);
  if (!buffers.empty()) torch::_foreach_lerp_(buffers, from.buffers(), weight);
}

}  // namespace diptych
