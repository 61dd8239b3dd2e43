#include "train/optimizer.h"

#include <cmath>
#include <numbers>

namespace diptych {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kEpsilon = 1e-8;

}  // namespace

double learning_rate_at(const Config& config, std::int64_t step, std::int64_t steps) {
  const double done =
      static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, steps));
  const auto cosine = [&](double share) {
    return config.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * share));
  };
  switch (config.schedule) {
    case Schedule::constant:
      return config.learning_rate;
    case Schedule::cosine:
      return cosine(done);
    case Schedule::one_cycle: {
      const double rising = config.warmup * static_cast<double>(steps);
      if (static_cast<double>(step) < rising) {
        return config.learning_rate * std::min(1.0, static_cast<double>(step + 1) / rising);
      }
      return cosine((static_cast<double>(step) - rising) /
                    std::max(1.0, static_cast<double>(steps) - rising));
    }
  }
  TORCH_INTERNAL_ASSERT(false);
}

AdaptiveMoments::AdaptiveMoments(
    const Config& config, const std::vector<std::pair<std::string, torch::Tensor>>& parameters)
    : decoupled_(config.optimizer == Optimizer::adamw),
      beta2_(decoupled_ ? 0.99 : 0.999),  // a shorter memory suits short schedules
      clip_norm_(config.clip_norm),
      embedding_rate_(config.embedding_rate),
      groups_(3) {
  groups_[kDecaying].weight_decay = config.weight_decay;
  for (const auto& [name, parameter] : parameters) {
    const bool is_table = name.find("embedding") != std::string::npos;
    const bool shares_moment = is_table && decoupled_;
    const bool decays = parameter.dim() > 1 && !is_table;
    Group& group = groups_[shares_moment ? kTables : decays ? kDecaying : kOthers];
    group.names.push_back(name);
    group.parameters.push_back(parameter);
    group.first.push_back(torch::zeros_like(parameter));
    const torch::Tensor zero = torch::zeros({}, parameter.device());
    group.second.push_back(shares_moment ? zero : torch::zeros_like(parameter));
    group.steps.push_back(zero.clone());
  }
}

// A row that few texts have would take steps as large as one that all have if each number had a
// second moment of its own, and would be learnt by heart; one moment for the table (Ginsburg et
// al., "Stochastic gradient methods with layer-wise adaptive moments", 2019) keeps rare rows small.
void AdaptiveMoments::step_table(Group& group, std::size_t i, double learning_rate) {
  const torch::Tensor& gradient = group.parameters[i].grad();
  group.steps[i].add_(1);
  const double step = group.steps[i].item<double>();
  group.second[i].lerp_(gradient.norm().square() / gradient.numel(), 1 - beta2_);
  const double second = group.second[i].item<double>() / (1 - std::pow(beta2_, step));
  const double rate = learning_rate / (1 - std::pow(kBeta1, step)) / (std::sqrt(second) + kEpsilon);
  group.first[i].lerp_(gradient, 1 - kBeta1);
  group.parameters[i].add_(group.first[i], -rate);
}

bool AdaptiveMoments::clip() {
  std::vector<torch::Tensor> squares;
  for (const Group& group : groups_) {
    for (const torch::Tensor& parameter : group.parameters) {
      const torch::Tensor& gradient = parameter.grad();
      if (gradient.defined()) squares.push_back(gradient.norm().square());
    }
  }
  const double norm = std::sqrt(torch::stack(squares).sum().item<double>());
  if (!std::isfinite(norm)) return false;
  if (clip_norm_ <= 0 || norm <= clip_norm_) return true;
  for (const Group& group : groups_) {
    for (const torch::Tensor& parameter : group.parameters) {
      if (parameter.grad().defined()) parameter.mutable_grad().mul_(clip_norm_ / norm);
    }
  }
  return true;
}

std::vector<torch::Tensor> AdaptiveMoments::gradients_of(Group& group) const {
  std::vector<torch::Tensor> gradients;
  for (torch::Tensor& parameter : group.parameters) {
    if (!parameter.grad().defined()) parameter.mutable_grad() = torch::zeros_like(parameter);
    gradients.push_back(parameter.grad());
  }
  return gradients;
}

// failed: where defined and 1, nothing changes.
void AdaptiveMoments::step_group(Group& group, const torch::Tensor& failed, double learning_rate) {
  const std::vector<torch::Tensor> gradients = gradients_of(group);
  const auto found = failed.defined() ? std::optional(failed) : std::nullopt;
  if (decoupled_) {
    at::_fused_adamw_(group.parameters, gradients, group.first, group.second, {}, group.steps,
                      learning_rate, kBeta1, beta2_, group.weight_decay, kEpsilon,
                      /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/{}, found);
  } else {
    at::_fused_adam_(group.parameters, gradients, group.first, group.second, {}, group.steps,
                     learning_rate, kBeta1, beta2_, group.weight_decay, kEpsilon,
                     /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/{}, found);
  }
}

void AdaptiveMoments::step_table_unseen(Group& group, std::size_t i, const torch::Tensor& failed,
                                        double learning_rate) {
  const torch::Tensor passed = 1 - failed;
  const torch::Tensor gradient =
      torch::where(failed > 0, torch::zeros({}, failed.options()), group.parameters[i].grad());
  const torch::Tensor step = group.steps[i].add_(passed).clamp_min(1);
  group.first[i].lerp_(gradient, passed * (1 - kBeta1));
  group.second[i].lerp_(gradient.square().mean(), passed * (1 - beta2_));
  const torch::Tensor second = group.second[i] / (1 - torch::pow(beta2_, step));
  const torch::Tensor rate =
      passed * learning_rate / (1 - torch::pow(kBeta1, step)) / (second.sqrt() + kEpsilon);
  group.parameters[i].addcmul_(group.first[i], rate, -1);
}

torch::Tensor AdaptiveMoments::clip_unseen() {
  std::vector<torch::Tensor> gradients;
  for (Group& group : groups_) {
    const std::vector<torch::Tensor> more = gradients_of(group);
    gradients.insert(gradients.end(), more.begin(), more.end());
  }
  const torch::Tensor norm = torch::stack(torch::_foreach_norm(gradients)).norm();
  if (clip_norm_ > 0) torch::_foreach_mul_(gradients, (clip_norm_ / norm).clamp_max(1));
  return torch::isfinite(norm).logical_not().to(at::kFloat);
}

torch::Tensor AdaptiveMoments::step_unseen(double learning_rate) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor failed = clip_unseen();
  for (Group& group : groups_) {
    if (&group == &groups_[kTables]) {
      for (std::size_t i = 0; i < group.parameters.size(); ++i)
        step_table_unseen(group, i, failed, learning_rate * embedding_rate_);
    } else if (!group.parameters.empty()) {
      torch::_foreach_add_(group.steps, 1 - failed);
      step_group(group, failed, learning_rate);
    }
    for (torch::Tensor& parameter : group.parameters) parameter.mutable_grad().reset();
  }
  return failed;
}

bool AdaptiveMoments::step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  const bool finite = clip();
  for (Group& group : groups_) {
    gradients_of(group);  // none is undefined from here
    if (finite && &group == &groups_[kTables]) {
      for (std::size_t i = 0; i < group.parameters.size(); ++i)
        step_table(group, i, learning_rate * embedding_rate_);
    } else if (finite && !group.parameters.empty()) {
      torch::_foreach_add_(group.steps, 1);
      step_group(group, {}, learning_rate);
    }
    // Given back, not zeroed: the next backward pass then hands over its own memory.
    for (torch::Tensor& parameter : group.parameters) parameter.mutable_grad().reset();
  }
  return finite;
}

std::vector<std::pair<std::string, torch::Tensor>> AdaptiveMoments::state() const {
  std::vector<std::pair<std::string, torch::Tensor>> state;
  for (const Group& group : groups_) {
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      state.emplace_back("first." + group.names[i], group.first[i]);
      state.emplace_back("second." + group.names[i], group.second[i]);
      state.emplace_back("steps." + group.names[i], group.steps[i]);
    }
  }
  return state;
}

}  // namespace diptych
