#include "metrics/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"
#include "metrics/bootstrap.h"

namespace diptych {
namespace {

constexpr const char* kImage = "image";
constexpr const char* kText = "text";
constexpr const char* kFused = "image,text";
constexpr std::array<Metric, 3> kMetrics{Metric::accuracy, Metric::macro_f1, Metric::log_loss};

double value_of(const Scores& scores, Metric metric) {
  switch (metric) {
    case Metric::accuracy:
      return scores.accuracy;
    case Metric::macro_f1:
      return scores.macro_f1;
    case Metric::log_loss:
      return scores.log_loss;
  }
  return 0;
}

// A recipe's trials in order of seed and fold, with their scores.
struct Recipe {
  Trainings trials;
  std::vector<Scores> scores;
  bool has_one_test_set = false;
  std::vector<double> values(Metric metric) const {
    std::vector<double> result;
    for (const Scores& one : scores) result.push_back(value_of(one, metric));
    return result;
  }
};

std::pair<std::uint64_t, int> place_of(const Trial& trial) { return {trial.seed, trial.fold}; }

// Before anything is scored: scoring trusts the sizes and the labels.
void require_whole(const Trial& trial, int classes) {
  const std::string where =
      fmt::format("recipe {}, {}", trial.recipe, split_name(trial.seed, trial.fold));
  const std::size_t rows = trial.rows.size(), k_classes = static_cast<std::size_t>(classes);
  if (rows == 0) {
    throw Error(ErrorKind::data, "there is no row to test with", where, "give more rows");
  }
  const auto in_range = [&](std::int32_t label) { return label >= 0 && label < classes; };
  if (trial.labels.size() != rows || trial.groups.size() != rows ||
      trial.probabilities.size() != rows * k_classes ||
      !std::all_of(trial.labels.begin(), trial.labels.end(), in_range)) {
    throw Error(ErrorKind::internal, "a trial whose parts do not fit together", where);
  }
  if (!std::all_of(trial.probabilities.begin(), trial.probabilities.end(),
                   [](float p) { return std::isfinite(p); })) {
    throw Error(ErrorKind::numeric, "predicted probabilities that are not numbers", where,
                "train again with a lower learning rate");
  }
}

void require_paired(const std::map<std::string, Recipe>& recipes) {
  const Recipe& first = recipes.begin()->second;
  for (const auto& [name, recipe] : recipes) {
    bool paired = recipe.trials.size() == first.trials.size();
    for (std::size_t i = 0; paired && i < first.trials.size(); ++i) {
      paired = place_of(*recipe.trials[i]) == place_of(*first.trials[i]) &&
               recipe.trials[i]->rows == first.trials[i]->rows &&
               recipe.trials[i]->labels == first.trials[i]->labels &&
               recipe.trials[i]->groups == first.trials[i]->groups &&
               (i == 0 || place_of(*recipe.trials[i]) != place_of(*recipe.trials[i - 1])) &&
               (!recipe.has_one_test_set || recipe.trials[i]->rows == recipe.trials.front()->rows);
    }
    if (!paired) throw Error(ErrorKind::internal, "trials that are not paired: " + name);
  }
}

std::map<std::string, Recipe> by_recipe(std::span<const Trial> trials, int classes,
                                        SplitSource source) {
  if (trials.empty()) throw Error(ErrorKind::data, "there is no trial to compare");
  std::map<std::string, Recipe> recipes;
  for (const Trial& trial : trials) {
    require_whole(trial, classes);
    recipes[trial.recipe].trials.push_back(&trial);
  }
  for (auto& [name, recipe] : recipes) {
    std::sort(recipe.trials.begin(), recipe.trials.end(),
              [](const Trial* a, const Trial* b) { return place_of(*a) < place_of(*b); });
    for (const Trial* trial : recipe.trials) {
      recipe.scores.push_back(score(trial->probabilities, trial->labels, classes));
    }
    recipe.has_one_test_set = recipe.trials.size() == 1 || source == SplitSource::given;
  }
  require_paired(recipes);
  return recipes;
}

double test_to_train(const Recipe& recipe) {
  double sum = 0;
  for (const Trial* trial : recipe.trials) {
    sum += static_cast<double>(trial->rows.size()) /
           static_cast<double>(std::max<std::int64_t>(1, trial->train_rows));
  }
  return sum / static_cast<double>(recipe.trials.size());
}

// For several splits. Differences that happen to be equal over the splits are not certainty: the
// deviation between splits counts as one row of a test set at least (for log loss: one nat in one
// row), so that one row more right in every split stays "no clear gain". All zero gives p = 1.
PairDifference over_splits(const Recipe& a, const Recipe& b, Metric metric) {
  PairDifference pair;
  const std::vector<double> of_a = a.values(metric), of_b = b.values(metric);
  for (std::size_t i = 0; i < of_a.size(); ++i) pair.per_seed.push_back(of_a[i] - of_b[i]);
  const Interval interval = corrected_resampled_interval(pair.per_seed, test_to_train(a));
  const auto n = static_cast<double>(pair.per_seed.size());
  const double quantile = student_t_quantile(0.975, n - 1);
  const double one_row = 1.0 / static_cast<double>(a.trials.front()->rows.size());
  const double error = std::max((interval.high - interval.mean) / quantile,
                                one_row * std::sqrt(1 / n + test_to_train(a)));
  pair.difference = interval.mean;
  pair.low = interval.mean - quantile * error;
  pair.high = interval.mean + quantile * error;
  pair.p = student_t_two_sided_p(interval.mean / error, n - 1);
  return pair;
}

PairDifference within_split(const Recipe& a, const Recipe& b, Metric metric, int classes) {
  PairDifference pair;
  const BootstrapResult result = paired_bootstrap(a.trials, b.trials, metric, classes);
  pair.difference = result.difference;
  pair.low = result.low;
  pair.high = result.high;
  pair.p = result.p;
  const std::vector<double> of_a = a.values(metric), of_b = b.values(metric);
  for (std::size_t i = 0; i < of_a.size(); ++i) pair.per_seed.push_back(of_a[i] - of_b[i]);
  return pair;
}

double mcnemar_of(const Trial& a, const Trial& b, int classes) {
  const auto of_a = predicted_classes(a.probabilities, classes);
  const auto of_b = predicted_classes(b.probabilities, classes);
  std::int64_t only_a = 0, only_b = 0;
  for (std::size_t i = 0; i < a.labels.size(); ++i) {
    const bool a_right = of_a[i] == a.labels[i], b_right = of_b[i] == b.labels[i];
    only_a += a_right && !b_right;
    only_b += b_right && !a_right;
  }
  return mcnemar_exact_p(only_a, only_b);
}

std::vector<double> mean_recall(const Recipe& recipe, int classes) {
  std::vector<double> means;
  for (int k = 0; k < classes; ++k) {
    double sum = 0;
    int seeds = 0;
    for (const Scores& scores : recipe.scores) {
      const double recall = scores.recall[static_cast<std::size_t>(k)];
      if (std::isnan(recall)) continue;
      sum += recall;
      ++seeds;
    }
    means.push_back(seeds ? sum / seeds : std::nan(""));
  }
  return means;
}

// The t interval knows nothing of a score's range: it is cut there.
Interval interval_of(const Recipe& recipe, const std::vector<double>& values, double largest,
                     const auto& bootstrap) {
  if (recipe.has_one_test_set) return bootstrap(recipe.trials);
  Interval interval = corrected_resampled_interval(values, test_to_train(recipe));
  interval.low = std::max(0.0, interval.low);
  interval.high = std::min(largest, interval.high);
  return interval;
}

RecipeScores summarise(const std::string& name, const Recipe& recipe, int classes) {
  RecipeScores summary;
  summary.recipe = name;
  const auto interval = [&](Metric metric) {
    const auto bootstrap = [&](const Trainings& trainings) {
      return bootstrap_interval(trainings, metric, classes);
    };
    return interval_of(recipe, recipe.values(metric), largest_score(metric), bootstrap);
  };
  summary.accuracy = interval(Metric::accuracy);
  summary.macro_f1 = interval(Metric::macro_f1);
  summary.log_loss = interval(Metric::log_loss);
  std::vector<double> calibration;
  for (const Scores& scores : recipe.scores) calibration.push_back(scores.calibration_error);
  summary.calibration_error = interval_of(recipe, calibration, 1, [&](const Trainings&) {
    const double mean = std::accumulate(calibration.begin(), calibration.end(), 0.0) /
                        static_cast<double>(calibration.size());
    return Interval{mean, mean, mean, calibration};
  });
  summary.recall = mean_recall(recipe, classes);
  summary.confusion.assign(static_cast<std::size_t>(classes * classes), 0);
  for (const Scores& scores : recipe.scores) {
    for (std::size_t i = 0; i < scores.confusion.size(); ++i)
      summary.confusion[i] += scores.confusion[i];
  }
  for (const Trial* trial : recipe.trials) summary.seconds += trial->seconds;
  return summary;
}

PairDifference compare_pair(const std::map<std::string, Recipe>& recipes,
                            const std::pair<const char*, const char*>& names, Metric metric,
                            int classes) {
  const Recipe& a = recipes.at(names.first);
  const Recipe& b = recipes.at(names.second);
  PairDifference pair =
      a.has_one_test_set ? within_split(a, b, metric, classes) : over_splits(a, b, metric);
  pair.a = names.first;
  pair.b = names.second;
  pair.metric = metric;
  if (metric != Metric::accuracy) return pair;
  for (std::size_t i = 0; i < a.trials.size(); ++i) {
    pair.mcnemar_p.push_back(mcnemar_of(*a.trials[i], *b.trials[i], classes));
  }
  const std::vector<double> of_a = mean_recall(a, classes), of_b = mean_recall(b, classes);
  for (std::size_t k = 0; k < of_a.size(); ++k) pair.per_class.push_back(of_a[k] - of_b[k]);
  return pair;
}

void correct_by_holm(std::vector<PairDifference>& pairs, Metric metric) {
  std::vector<PairDifference*> family;
  std::vector<double> p;
  for (PairDifference& pair : pairs) {
    if (pair.metric != metric) continue;
    family.push_back(&pair);
    p.push_back(pair.p);
  }
  const std::vector<double> corrected = holm(p);
  for (std::size_t i = 0; i < family.size(); ++i) family[i]->p_holm = corrected[i];
}

void say_what_varies(const Trainings& trials, SplitSource source, Comparison& comparison) {
  const std::size_t seeds = trials.size(), folds = static_cast<std::size_t>(trials.back()->fold);
  if (source == SplitSource::given && seeds > 1) {
    comparison.test = fmt::format(
        "paired bootstrap over groups of the one test set, and over {} trainings", seeds);
  } else if (folds > 0) {
    comparison.test = fmt::format(
        "corrected repeated k-fold t test over {} × {} folds (Bouckaert and Frank, 2004)",
        seeds / folds, folds);
  } else if (seeds > 1) {
    comparison.test =
        fmt::format("corrected resampled t test over {} splits (Nadeau and Bengio, 2003)", seeds);
  } else {
    comparison.test = "paired bootstrap over groups within one split";
  }
  if (source == SplitSource::drawn) return;
  comparison.caution =
      "The split is the data's own: all runs test the same rows, only seeds differ.";
}

// The comparison that was declared beforehand; its test at 5 % is not corrected for the others.
void judge(Comparison& comparison) {
  const auto found = std::find_if(
      comparison.pairs.begin(), comparison.pairs.end(), [](const PairDifference& pair) {
        return pair.a == kFused && pair.b == kImage && pair.metric == Metric::accuracy;
      });
  comparison.verdict = Verdict::no_clear_gain;
  if (found == comparison.pairs.end()) {
    comparison.sentence =
        "No verdict on the text: the recipes image and image,text were not both run.";
    return;
  }
  if (found->low > 0) comparison.verdict = Verdict::helps;
  if (found->high < 0) comparison.verdict = Verdict::hurts;
  const char* sentence =
      "No clear gain: the text changes accuracy by {:+.1f} points ({:.1f} to {:.1f}).";
  if (comparison.verdict == Verdict::helps) {
    sentence = "The text helps: {:+.1f} points of accuracy ({:.1f} to {:.1f}).";
  } else if (comparison.verdict == Verdict::hurts) {
    sentence = "The text hurts: {:+.1f} points of accuracy ({:.1f} to {:.1f}).";
  }
  comparison.sentence = fmt::format(fmt::runtime(sentence), in_points(found->difference),
                                    in_points(found->low), in_points(found->high));
}

}  // namespace

const char* metric_name(Metric metric) {
  switch (metric) {
    case Metric::accuracy:
      return "accuracy";
    case Metric::macro_f1:
      return "macro_f1";
    case Metric::log_loss:
      return "log_loss";
  }
  return "";
}

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::helps:
      return "helps";
    case Verdict::no_clear_gain:
      return "no clear gain";
    case Verdict::hurts:
      return "hurts";
  }
  return "";
}

std::string split_name(std::uint64_t seed, int fold) {
  return fmt::format("seed {}{}", seed, fold > 0 ? fmt::format(" fold {}", fold) : "");
}

double in_points(double share) { return std::round(1000 * share) / 10 + 0.0; }

Comparison compare(std::span<const Trial> trials, int classes, SplitSource source) {
  const std::map<std::string, Recipe> recipes = by_recipe(trials, classes, source);
  Comparison comparison;
  comparison.classes = classes;
  for (const char* name : {kImage, kText, kFused}) {
    if (recipes.contains(name)) {
      comparison.recipes.push_back(summarise(name, recipes.at(name), classes));
    }
  }
  constexpr std::array<std::pair<const char*, const char*>, 3> kPairs{
      {{kFused, kImage}, {kFused, kText}, {kText, kImage}}};
  for (Metric metric : kMetrics) {
    for (const auto& names : kPairs) {
      if (!recipes.contains(names.first) || !recipes.contains(names.second)) continue;
      comparison.pairs.push_back(compare_pair(recipes, names, metric, classes));
    }
    correct_by_holm(comparison.pairs, metric);
  }
  say_what_varies(recipes.begin()->second.trials, source, comparison);
  judge(comparison);
  return comparison;
}

}  // namespace diptych
