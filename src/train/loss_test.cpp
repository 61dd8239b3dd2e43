// The loss against plain loops, and its gradients against finite differences.
#include "train/loss.h"

#include <gtest/gtest.h>

#include "nn/gradient_check.h"
#include "nn/made_up_rows.h"

namespace diptych {
namespace {

constexpr int kRows = 5, kClasses = 3;

// Cross entropy of one head: smoothed labels, mean over the rows by the weight of their class.
double plain_entropy(const torch::Tensor& logits, const std::vector<std::int64_t>& labels,
                     const std::vector<double>& weights, double smoothing) {
  double loss = 0, weight = 0;
  for (int b = 0; b < kRows; ++b) {
    double sum = 0;
    for (int k = 0; k < kClasses; ++k) sum += std::exp(logits[b][k].item<double>());
    const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(b)]);
    weight += weights[label];
    for (int k = 0; k < kClasses; ++k) {
      const auto index = static_cast<std::size_t>(k);
      const double share = (index == label ? 1 - smoothing : 0) + smoothing / kClasses;
      loss -= share * weights[index] * (logits[b][k].item<double>() - std::log(sum));
    }
  }
  return loss / weight;
}

struct Sample {
  std::vector<std::int64_t> labels{0, 2, 1, 2, 2}, other{3, 0, 4, 1, 2};
  std::vector<double> weights{0.5, 2.0, 1.25};
  std::vector<torch::Tensor> logits{made_up_tensor({kRows, kClasses}),
                                    made_up_tensor({kRows, kClasses}, 1.0),
                                    made_up_tensor({kRows, kClasses}, 2.0)};
  Mixing mixing{0.7, torch::tensor(other)};

  Target target(bool mixes) const {
    return {torch::tensor(labels), torch::tensor(weights, at::kDouble), mixes ? &mixing : nullptr};
  }
  double plain(const Config& config, bool mixes, std::size_t heads) const {
    std::vector<std::int64_t> others;
    for (const std::int64_t row : other) others.push_back(labels[static_cast<std::size_t>(row)]);
    double total = 0;
    for (std::size_t head = 0; head < heads; ++head) {
      double loss = plain_entropy(logits[head], labels, weights, config.label_smoothing);
      if (mixes) {
        loss =
            0.7 * loss + 0.3 * plain_entropy(logits[head], others, weights, config.label_smoothing);
      }
      total += head ? config.branch_loss * loss : loss;
    }
    return total;
  }
};

TEST(TrainingLoss, IsThatOfPlainLoopsWithAndWithoutEachOfItsParts) {
  const Sample sample;
  for (const double smoothing : {0.0, 0.1}) {
    for (const bool mixes : {false, true}) {
      for (const std::size_t heads : {1, 3}) {
        Config config;
        config.label_smoothing = smoothing;
        config.branch_loss = 0.3;
        const std::vector<torch::Tensor> logits(
            sample.logits.begin(), sample.logits.begin() + static_cast<std::ptrdiff_t>(heads));
        const auto loss = [&] { return training_loss(config, logits, sample.target(mixes)); };
        EXPECT_NEAR(loss().item<double>(), sample.plain(config, mixes, heads), 1e-12)
            << smoothing << " " << mixes << " " << heads;
        expect_gradients(loss, logits);
      }
    }
  }
}

TEST(ClassWeights, AreOneOrInverseToTheFrequencyAmongTheTrainingRows) {
  const MadeUpRows made = made_up_rows({.rows = 9});
  // Of classes 0, 1, 2, 0, 1, 2 …: four, two, none.
  const Split split{{0, 3, 6, 1, 4, 0}, {2}, {5}};
  const TrainingData data{made.dataset, &made.images, split};
  Config config;
  EXPECT_TRUE(torch::equal(class_weights(config, data), torch::ones({3})));
  config.class_weights = ClassWeights::balanced;
  const torch::Tensor expected = torch::tensor({6.0F / (3 * 4), 6.0F / (3 * 2), 6.0F / 3});
  EXPECT_TRUE(torch::equal(class_weights(config, data), expected));
}

}  // namespace
}  // namespace diptych
