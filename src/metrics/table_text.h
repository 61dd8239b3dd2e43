// A comparison as plain text, at most 80 columns wide: what the program prints.
#pragma once
#include <span>
#include <string>

#include "metrics/comparison.h"

namespace diptych {

// Scores, differences, verdict.
std::string format_table(const Comparison& comparison);
// The scores of each recipe alone.
std::string format_scores(const Comparison& comparison);
// Recall and test rows of each class, for the one recipe of an evaluation.
std::string format_classes(const Comparison& comparison, std::span<const std::string> class_names);

}  // namespace diptych
