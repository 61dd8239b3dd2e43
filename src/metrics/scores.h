// Scores of one set of predictions.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace diptych {

inline constexpr double kLeastProbability = 1e-7;  // the log loss of one row is bounded by it

// The classes in a row of probabilities [K] sum to 1.
struct Scores {
  double accuracy = 0;
  double macro_f1 = 0;            // mean of F1 over the classes that occur in labels or predictions
  double log_loss = 0;            // mean of -ln p(true class), p clipped to kLeastProbability
  double calibration_error = 0;   // expected calibration error, 15 equal-width bins
  std::vector<double> recall;     // [K]; NaN where the class has no row
  std::vector<double> precision;  // [K]; NaN where the class was never predicted
  std::vector<std::int64_t> support;    // [K]
  std::vector<std::int64_t> confusion;  // [K,K], row: true class, column: predicted
};

// probabilities: [N,K]; labels: [N] in [0,K). N may be 0 (scores are then NaN).
Scores score(std::span<const float> probabilities, std::span<const std::int32_t> labels,
             int classes);

// [N]: the most probable class; the least index on ties.
std::vector<std::int32_t> predicted_classes(std::span<const float> probabilities, int classes);

}  // namespace diptych
