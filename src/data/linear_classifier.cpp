#include "data/linear_classifier.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numeric>

#include "base/parallel.h"
#include "base/rng.h"

namespace diptych {
namespace {

constexpr double kRate = 0.7;
constexpr std::size_t kEpochs = 15, kFewestEpochs = 2;
constexpr std::size_t kSteps = 100'000;  // of a fold; many rows get fewer epochs

class Classifier {
 public:
  explicit Classifier(const LabelledRows& rows)
      : classes_(static_cast<std::size_t>(rows.classes)), weights_(classes_) {
    std::size_t sparse = 0;
    for (const FeatureRow& row : rows.features) {
      dense_ = std::max(dense_, row.dense.size());
      for (const Feature& feature : row.sparse) {
        sparse = std::max<std::size_t>(sparse, feature.index + 1);
      }
    }
    weights_.resize((1 + dense_ + sparse) * classes_);
  }

  void answer(const FeatureRow& row, std::span<float> probabilities) const {
    std::fill(probabilities.begin(), probabilities.end(), 0.0F);
    for_each(row, [&](std::size_t feature, float value) {
      const float* weights = weights_.data() + feature * classes_;
      for (std::size_t k = 0; k < classes_; ++k) probabilities[k] += value * weights[k];
    });
    const float most = *std::max_element(probabilities.begin(), probabilities.end());
    float sum = 0;
    for (float& value : probabilities) sum += value = std::exp(value - most);
    for (float& value : probabilities) value /= sum;
  }

  // errors: [K], of the caller, so that it is not made anew for each row.
  void learn(const FeatureRow& row, int label, double rate, std::span<float> errors) {
    answer(row, errors);
    errors[static_cast<std::size_t>(label)] -= 1;
    for (float& error : errors) error *= static_cast<float>(rate);
    for_each(row, [&](std::size_t feature, float value) {
      float* weights = weights_.data() + feature * classes_;
      for (std::size_t k = 0; k < classes_; ++k) weights[k] -= value * errors[k];
    });
  }

 private:
  template <typename Visit>
  void for_each(const FeatureRow& row, Visit visit) const {
    visit(0, 1.0F);  // what is there without any feature
    for (std::size_t i = 0; i < row.dense.size(); ++i) {
      if (row.dense[i] > 0) visit(1 + i, static_cast<float>(row.dense[i]) / 255);
    }
    for (const Feature& feature : row.sparse) visit(1 + dense_ + feature.index, feature.value);
  }

  std::size_t classes_, dense_ = 0;
  std::vector<float> weights_;  // [features,K]
};

// The fold of each row: groups are dealt whole, those of a class evenly.
std::vector<std::size_t> deal_folds(const LabelledRows& rows, std::size_t folds, Rng rng) {
  std::map<std::size_t, int> label_of;  // of a group: its first row's
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    label_of.emplace(rows.groups[i], rows.labels[i]);
  }
  std::vector<std::pair<std::size_t, int>> groups(label_of.begin(), label_of.end());
  rng.shuffle(std::span(groups));
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.second < b.second; });
  std::map<std::size_t, std::size_t> fold_of;
  for (std::size_t i = 0; i < groups.size(); ++i) fold_of[groups[i].first] = i % folds;
  std::vector<std::size_t> result;
  for (std::size_t group : rows.groups) result.push_back(fold_of.at(group));
  return result;
}

Classifier trained(const LabelledRows& rows, std::vector<std::size_t> known, const Rng& seed) {
  Classifier classifier(rows);
  std::vector<float> errors(static_cast<std::size_t>(rows.classes));
  Rng rng = seed;
  const std::size_t epochs =
      std::clamp(kSteps / std::max<std::size_t>(known.size(), 1), kFewestEpochs, kEpochs);
  const auto steps = static_cast<double>(known.size() * epochs);
  double done = 0;
  for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
    rng.shuffle(std::span(known));
    for (std::size_t i : known) {
      classifier.learn(rows.features[i], rows.labels[i], kRate * (1 - done++ / steps), errors);
    }
  }
  return classifier;
}

}  // namespace

std::vector<float> out_of_fold(const LabelledRows& rows, const FoldOptions& options) {
  const auto classes = static_cast<std::size_t>(rows.classes);
  const auto folds = static_cast<std::size_t>(options.folds);
  const auto repeats = static_cast<std::size_t>(options.repeats);
  std::vector<std::vector<std::size_t>> fold_of;
  for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
    fold_of.push_back(deal_folds(rows, folds, Rng(options.seed, Stream::folds, repeat)));
  }
  std::vector<float> sums(rows.labels.size() * repeats * classes);  // each place written once
  parallel_for(folds * repeats, options.threads, [&](std::size_t task) {
    const std::size_t repeat = task / folds, fold = task % folds;
    std::vector<std::size_t> known, asked;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
      (fold_of[repeat][i] == fold ? asked : known).push_back(i);
    }
    const Classifier classifier =
        trained(rows, known, Rng(options.seed, Stream::folds, repeat, 1 + fold));
    for (std::size_t i : asked) {
      classifier.answer(rows.features[i],
                        std::span(sums).subspan((i * repeats + repeat) * classes, classes));
    }
  });
  std::vector<float> means(rows.labels.size() * classes);
  for (std::size_t at = 0; at < sums.size(); ++at) {
    means[at / (repeats * classes) * classes + at % classes] +=
        sums[at] / static_cast<float>(repeats);
  }
  return means;
}

}  // namespace diptych
