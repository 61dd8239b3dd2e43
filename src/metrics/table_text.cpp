#include "metrics/table_text.h"

#include <fmt/format.h>

#include <cmath>

namespace diptych {
namespace {

std::string percent(const Interval& value) {
  return fmt::format("{:4.1f} ({:4.1f} to {:4.1f})", 100 * value.mean, 100 * value.low,
                     100 * value.high);
}

std::string p_text(double p) { return p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", p); }

}  // namespace

std::string format_scores(const Comparison& comparison) {
  std::string text =
      fmt::format("{:<12}{:<23}{:<23}{}\n", "inputs", "accuracy, %", "macro-F1, %", "log loss");
  for (const RecipeScores& scores : comparison.recipes) {
    text += fmt::format("{:<12}{:<23}{:<23}{:.2f} ({:.2f} to {:.2f})\n", scores.recipe,
                        percent(scores.accuracy), percent(scores.macro_f1), scores.log_loss.mean,
                        scores.log_loss.low, scores.log_loss.high);
  }
  return text;
}

std::string format_table(const Comparison& comparison) {
  std::string text = format_scores(comparison);
  bool first = true;
  for (const PairDifference& pair : comparison.pairs) {
    if (pair.metric != Metric::accuracy) continue;
    if (first) {
      text += fmt::format("\n{:<20}{:<26}{}\n", "difference", "points of accuracy", "p (Holm)");
    }
    first = false;
    text += fmt::format("{:<20}{:<26}{}\n", pair.a + " - " + pair.b,
                        fmt::format("{:+5.1f} ({:.1f} to {:.1f})", in_points(pair.difference),
                                    in_points(pair.low), in_points(pair.high)),
                        p_text(pair.p_holm));
  }
  text += fmt::format("\n{}\n", comparison.sentence);
  if (!comparison.caution.empty()) text += comparison.caution + "\n";
  return text;
}

std::string format_classes(const Comparison& comparison, std::span<const std::string> class_names) {
  if (comparison.recipes.empty()) return "";
  const RecipeScores& scores = comparison.recipes.front();
  std::string text = fmt::format("\n{:>8} {:>8}  {}\n", "recall", "rows", "class");
  for (std::size_t k = 0; k < class_names.size(); ++k) {
    std::int64_t rows = 0;
    for (std::size_t j = 0; j < class_names.size(); ++j)
      rows += scores.confusion[k * class_names.size() + j];
    const double recall = scores.recall[k];
    text += fmt::format("{:>8} {:>8}  {}\n",
                        std::isnan(recall) ? "-" : fmt::format("{:.1f} %", 100 * recall), rows,
                        class_names[k]);
  }
  return text;
}

}  // namespace diptych
