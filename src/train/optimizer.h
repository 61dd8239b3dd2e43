// Adam (Kingma and Ba, ICLR 2015) and AdamW (Loshchilov and Hutter, ICLR 2019) with explicit state,
// gradient clipping by global norm, and the learning-rate schedules.
#pragma once
#include <torch/torch.h>

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"

namespace diptych {

// The rate of step `step` (0-based) of `steps`.
double learning_rate_at(const Config& config, std::int64_t step, std::int64_t steps);

class AdaptiveMoments {
 public:
  // Weights of layers decay; biases, normalisation and embeddings do not. With AdamW an embedding
  // table has one second moment as a whole.
  AdaptiveMoments(const Config& config,
                  const std::vector<std::pair<std::string, torch::Tensor>>& parameters);

  // Clips, then steps and clears the gradients. False, and nothing changes, when a gradient is not
  // finite.
  bool step(double learning_rate);
  // The same where the parameters are, waiting for nothing: gives 1 where nothing changed, else 0,
  // a scalar there.
  torch::Tensor step_unseen(double learning_rate);

  // Moments and step counts by name, for checkpoints; tensors share memory with the optimiser.
  std::vector<std::pair<std::string, torch::Tensor>> state() const;

 private:
  struct Group {
    double weight_decay = 0;
    std::vector<std::string> names;
    std::vector<torch::Tensor> parameters, first, second, steps;
  };
  enum Kind : std::size_t { kDecaying, kOthers, kTables };
  bool clip();
  std::vector<torch::Tensor> gradients_of(Group& group) const;
  torch::Tensor clip_unseen();
  void step_group(Group& group, const torch::Tensor& failed, double learning_rate);
  void step_table_unseen(Group& group, std::size_t i, const torch::Tensor& failed,
                         double learning_rate);
  void step_table(Group& group, std::size_t i, double learning_rate);

  bool decoupled_;
  double beta2_;
  double clip_norm_;
  double embedding_rate_;
  std::vector<Group> groups_;
};

}  // namespace diptych
