#include "train/loss.h"

#include <algorithm>
#include <numeric>

#include "nn/dataset_prediction.h"
#include "nn/profile.h"

namespace diptych {

torch::Tensor class_weights(const Config& config, const TrainingData& data) {
  const std::size_t classes = data.dataset.classes().size();
  std::vector<float> weights(classes, 1.0F);
  if (config.class_weights == ClassWeights::balanced) {
    const RowVector<std::int32_t> labels = labels_of(data.dataset);
    std::vector<float> counts(classes, 0.0F);
    for (std::int64_t row : data.split.train) {
      ++counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];
    }
    for (std::size_t k = 0; k < classes; ++k) {
      weights[k] = static_cast<float>(data.split.train.size()) /
                   (static_cast<float>(classes) * std::max(1.0F, counts[k]));
    }
  }
  return torch::tensor(weights);
}

Mixing draw_mixing(Rng& draws, std::size_t rows) {
  std::vector<std::int64_t> other(rows);
  std::iota(other.begin(), other.end(), 0);
  Mixing mixing;
  mixing.own = 1 - 0.5 * draws.uniform();
  draws.shuffle(std::span(other));
  mixing.other = torch::tensor(other);
  return mixing;
}

torch::Tensor training_loss(const Config& config, const std::vector<torch::Tensor>& logits,
                            const Target& target) {
  const ProfileScope scope("loss");
  const auto weight_of = [&](const torch::Tensor& y) {
    return target.class_weights.index_select(0, y).sum();
  };
  const auto entropy = [&](const torch::Tensor& x, const torch::Tensor& whole) {
    const torch::Tensor y = own_rows(whole, target.part);
    const torch::Tensor mean =
        at::cross_entropy_loss(x, y, target.class_weights, at::Reduction::Mean,
                               /*ignore_index=*/-100, config.label_smoothing);
    return target.part.world ? mean * (weight_of(y) / weight_of(whole)) : mean;
  };
  torch::Tensor total;
  for (std::size_t head = 0; head < logits.size(); ++head) {
    torch::Tensor loss = entropy(logits[head], target.labels);
    if (target.mixing) {
      const torch::Tensor others = target.labels.index_select(0, target.mixing->other);
      loss = loss * target.mixing->own + entropy(logits[head], others) * (1 - target.mixing->own);
    }
    total = head == 0 ? loss : total + loss * config.branch_loss;
  }
  return total;
}

}  // namespace diptych
