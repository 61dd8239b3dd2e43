#include "train/loss.h"

#include <algorithm>

#include "nn/dataset_prediction.h"

namespace diptych {

torch::Tensor class_weights(const Config& config, const TrainingData& data) {
  const std::size_t classes = data.dataset.classes().size();
  std::vector<float> weights(classes, 1.0F);
  if (config.class_weights == ClassWeights::balanced) {
    const std::vector<std::int32_t> labels = labels_of(data.dataset);
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

torch::Tensor training_loss(const Config& config, const std::vector<torch::Tensor>& logits,
                            const Target& target) {
  const auto entropy = [&](const torch::Tensor& x, const torch::Tensor& y) {
    return at::cross_entropy_loss(x, y, target.class_weights, at::Reduction::Mean,
                                  /*ignore_index=*/-100, config.label_smoothing);
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
