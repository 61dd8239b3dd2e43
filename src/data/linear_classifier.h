// Softmax regression on fixed features, by stochastic gradient steps of falling size: what can be
// said about labels in seconds, without training a network.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace diptych {

struct Feature {
  std::uint32_t index = 0;
  float value = 0;
};

struct FeatureRow {
  std::vector<std::uint8_t> dense;  // [D] in 255ths, D the same for all rows that have any
  std::vector<Feature> sparse;      // indices from 0, apart from the dense ones
};

struct LabelledRows {
  std::span<const FeatureRow> features;  // [N]
  std::span<const int> labels;           // [N] in [0, classes)
  std::span<const std::size_t> groups;   // [N] rows of one group are held out together
  int classes = 0;                       // K
};

struct FoldOptions {
  int folds = 5;
  int repeats = 3;  // with other folds each; the answers are averaged
  std::uint64_t seed = 1;
  int threads = 1;
};

// For every row the probabilities [N,K] that classifiers give it which saw no row of its group. The
// result does not depend on the number of threads.
std::vector<float> out_of_fold(const LabelledRows& rows, const FoldOptions& options);

}  // namespace diptych
