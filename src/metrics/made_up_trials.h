// Trials with known answers, for the tests of this layer. Two classes unless told otherwise.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "metrics/comparison.h"

namespace diptych {

// Row i has class i % 2, is its own group and is answered rightly where right[i].
inline Trial made_up_trial(const std::string& recipe, std::uint64_t seed,
                           const std::vector<bool>& right) {
  Trial trial;
  trial.recipe = recipe;
  trial.seed = seed;
  trial.train_rows = static_cast<std::int64_t>(4 * right.size());
  trial.seconds = 1.5;
  for (std::size_t i = 0; i < right.size(); ++i) {
    const auto label = static_cast<std::int32_t>(i % 2);
    const float of_second = (label == 1) == right[i] ? 0.8F : 0.2F;
    trial.rows.push_back(static_cast<std::int64_t>(i));
    trial.labels.push_back(label);
    trial.groups.push_back(std::to_string(i));
    trial.probabilities.push_back(1 - of_second);
    trial.probabilities.push_back(of_second);
  }
  return trial;
}

// The first `right` of `rows` rows are right.
inline std::vector<bool> first_right(std::size_t right, std::size_t rows) {
  std::vector<bool> answers(rows, false);
  for (std::size_t i = 0; i < right; ++i) answers[i] = true;
  return answers;
}

// What the text changes for one row: +1 only "image,text" is right, -1 only "image", 0 the same.
inline int drawn_advantage(Rng& rng, double helped, double hurt) {
  const double draw = rng.uniform();
  return draw < helped ? 1 : draw < helped + hurt ? -1 : 0;
}

// Both recipes over the rows whose advantages are given.
inline void add_pair(std::vector<Trial>& trials, std::uint64_t seed,
                     const std::vector<int>& advantages) {
  std::vector<bool> fused, image;
  for (std::size_t i = 0; i < advantages.size(); ++i) {
    const bool same = i % 3 != 0;
    fused.push_back(advantages[i] == 0 ? same : advantages[i] > 0);
    image.push_back(advantages[i] == 0 ? same : advantages[i] < 0);
  }
  trials.push_back(made_up_trial("image", seed, image));
  trials.push_back(made_up_trial("image,text", seed, fused));
}

}  // namespace diptych
