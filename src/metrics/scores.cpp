#include "metrics/scores.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace diptych {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr int kBins = 15;

// Guo et al., "On calibration of modern neural networks", ICML 2017.
class Calibration {
 public:
  void add(double confidence, bool right) {
    Bin& bin =
        bins_[static_cast<std::size_t>(std::min(kBins - 1, static_cast<int>(confidence * kBins)))];
    bin.confidence += confidence;
    bin.right += right;
    ++rows_;
  }
  double error() const {
    double sum = 0;
    for (const Bin& bin : bins_) sum += std::abs(bin.right - bin.confidence);
    return sum / rows_;
  }

 private:
  struct Bin {
    double confidence = 0, right = 0;
  };
  std::array<Bin, kBins> bins_;
  double rows_ = 0;
};

double macro_f1(const Scores& scores, int classes) {
  double sum = 0;
  int counted = 0;
  for (int k = 0; k < classes; ++k) {
    std::int64_t right = 0, said = 0, is = 0;
    for (int other = 0; other < classes; ++other) {
      said += scores.confusion[static_cast<std::size_t>(other * classes + k)];
      is += scores.confusion[static_cast<std::size_t>(k * classes + other)];
    }
    right = scores.confusion[static_cast<std::size_t>(k * classes + k)];
    if (said + is == 0) continue;
    sum += 2.0 * static_cast<double>(right) / static_cast<double>(said + is);
    ++counted;
  }
  return counted ? sum / counted : kNone;
}

}  // namespace

std::vector<std::int32_t> predicted_classes(std::span<const float> probabilities, int classes) {
  std::vector<std::int32_t> chosen;
  for (std::size_t begin = 0; begin < probabilities.size();
       begin += static_cast<std::size_t>(classes)) {
    const auto row = probabilities.subspan(begin, static_cast<std::size_t>(classes));
    chosen.push_back(
        static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return chosen;
}

Scores score(std::span<const float> probabilities, std::span<const std::int32_t> labels,
             int classes) {
  const auto k_classes = static_cast<std::size_t>(classes);
  Scores scores;
  scores.confusion.assign(k_classes * k_classes, 0);
  scores.support.assign(k_classes, 0);
  scores.recall.assign(k_classes, kNone);
  scores.precision.assign(k_classes, kNone);
  if (labels.empty()) {
    scores.accuracy = scores.macro_f1 = scores.log_loss = scores.calibration_error = kNone;
    return scores;
  }
  const std::vector<std::int32_t> chosen = predicted_classes(probabilities, classes);
  Calibration calibration;
  double right = 0, loss = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]),
               answer = static_cast<std::size_t>(chosen[i]);
    ++scores.confusion[label * k_classes + answer];
    ++scores.support[label];
    right += label == answer;
    loss -= std::log(std::max<double>(kLeastProbability, probabilities[i * k_classes + label]));
    calibration.add(probabilities[i * k_classes + answer], label == answer);
  }
  const auto rows = static_cast<double>(labels.size());
  scores.accuracy = right / rows;
  scores.log_loss = loss / rows;
  scores.calibration_error = calibration.error();
  scores.macro_f1 = macro_f1(scores, classes);
  for (std::size_t k = 0; k < k_classes; ++k) {
    const auto hits = static_cast<double>(scores.confusion[k * k_classes + k]);
    std::int64_t said = 0;
    for (std::size_t other = 0; other < k_classes; ++other)
      said += scores.confusion[other * k_classes + k];
    if (scores.support[k]) scores.recall[k] = hits / static_cast<double>(scores.support[k]);
    if (said) scores.precision[k] = hits / static_cast<double>(said);
  }
  return scores;
}

}  // namespace diptych
