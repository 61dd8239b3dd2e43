#include "metrics/leaks.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <unordered_set>

namespace diptych {
namespace {

// Without the test rows that have a copy outside of the test rows.
Trial without_copies(const Trial& trial, std::span<const std::int64_t> copies) {
  const std::unordered_set<std::int64_t> tested(trial.rows.begin(), trial.rows.end());
  std::unordered_set<std::int64_t> learnt;
  for (std::size_t row = 0; row < copies.size(); ++row) {
    if (!tested.contains(static_cast<std::int64_t>(row))) learnt.insert(copies[row]);
  }
  Trial part{trial.recipe, trial.seed, trial.fold, trial.train_rows, {}, {}, {}, {}, trial.seconds};
  const auto classes = std::ssize(trial.probabilities) / std::ssize(trial.rows);
  for (std::size_t i = 0; i < trial.rows.size(); ++i) {
    if (learnt.contains(copies[static_cast<std::size_t>(trial.rows[i])])) continue;
    part.rows.push_back(trial.rows[i]);
    part.labels.push_back(trial.labels[i]);
    part.groups.push_back(trial.groups[i]);
    const auto begin = trial.probabilities.begin() + static_cast<std::ptrdiff_t>(i) * classes;
    part.probabilities.insert(part.probabilities.end(), begin, begin + classes);
  }
  return part;
}

void add_copies(std::span<const Trial> trials, const KnownLeaks& known, int classes,
                std::vector<Leak>& leaks) {
  if (known.copies.empty()) return;
  Leak leak{"copies", "Without test rows whose picture was learnt from", 0, 0, {}};
  std::vector<Trial> clean;
  for (const Trial& trial : trials) {
    clean.push_back(without_copies(trial, known.copies));
    if (clean.back().rows.empty()) return;
    if (trial.recipe != trials.front().recipe) continue;  // the others test the same rows
    leak.rows += std::ssize(trial.rows) - std::ssize(clean.back().rows);
    leak.of += std::ssize(trial.rows);
  }
  if (leak.rows == 0) return;
  leak.comparison = compare(clean, classes);
  leaks.push_back(std::move(leak));
}

void add_label_words(std::span<const Trial> trials, const KnownLeaks& known, int classes,
                     std::vector<Leak>& leaks) {
  std::vector<Trial> masked(trials.begin(), trials.end());
  bool any = false;
  for (Trial& trial : masked) {
    if (trial.masked_probabilities.empty()) continue;
    trial.probabilities = trial.masked_probabilities;
    any = true;
  }
  if (!any || known.naming_rows == 0) return;
  leaks.push_back({"label_words", "With the words of labels masked in the tested texts",
                   known.naming_rows, known.rows, compare(masked, classes)});
}

std::string accuracies(const Comparison& comparison) {
  std::string text;
  for (const RecipeScores& scores : comparison.recipes) {
    text += fmt::format("{}{} {:.1f}", text.empty() ? "" : "   ", scores.recipe,
                        100 * scores.accuracy.mean);
  }
  return text;
}

}  // namespace

std::vector<Leak> measure_leaks(std::span<const Trial> trials, const KnownLeaks& known,
                                int classes) {
  std::vector<Leak> leaks;
  add_copies(trials, known, classes, leaks);
  add_label_words(trials, known, classes, leaks);
  return leaks;
}

nlohmann::json to_json(std::span<const Leak> leaks) {
  nlohmann::json object = nlohmann::json::object();
  for (const Leak& leak : leaks) {
    nlohmann::json accuracy;
    for (const RecipeScores& scores : leak.comparison.recipes) {
      accuracy[scores.recipe] = scores.accuracy.mean;
    }
    object[leak.key] = {{"title", leak.title},
                        {"rows", leak.rows},
                        {"of", leak.of},
                        {"accuracy", accuracy},
                        {"verdict", verdict_name(leak.comparison.verdict)},
                        {"sentence", leak.comparison.sentence}};
  }
  return object;
}

std::string format_leaks(std::span<const Leak> leaks) {
  std::string text;
  for (const Leak& leak : leaks) {
    text += fmt::format("\n{} ({} of {}):\n  accuracy, %: {}\n", leak.title, leak.rows, leak.of,
                        accuracies(leak.comparison));
    if (!leak.comparison.pairs.empty()) text += fmt::format("  {}\n", leak.comparison.sentence);
  }
  return text;
}

}  // namespace diptych
