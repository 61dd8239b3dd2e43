// Labels that are probably wrong: confident learning (Northcutt, Jiang, Chuang, "Confident
// learning: estimating uncertainty in dataset labels", JAIR 70, 2021) on out-of-fold probabilities.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "data/linear_classifier.h"
#include "image/image.h"

namespace diptych {

// Colours and edges of a picture, the dense part.
void add_picture_features(const Image& image, FeatureRow& row);
// Words and parts of words by TF-IDF over all texts, the sparse part. texts, rows: [N].
void add_text_features(std::span<const std::string_view> texts, std::span<FeatureRow> rows);

struct LabelDoubt {
  std::size_t row = 0;
  int suggested = 0;  // the class that is more probable than the given one …
  float margin = 0;   // … by so much, 0 … 1
};

// probabilities: [N,K] of classifiers that did not see the row. How many labels are wrong is
// estimated by counting the rows that are as probably of another class as that class's own rows
// are; which ones, by the margin. The most doubtful first.
std::vector<LabelDoubt> doubtful_labels(std::span<const float> probabilities,
                                        std::span<const int> labels, int classes);

}  // namespace diptych
