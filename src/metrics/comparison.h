// Does one recipe beat another? Paired, over the same test rows, over repeated splits or folds.
//  - Over n ≥ 2 splits: the corrected resampled t test (Nadeau and Bengio, "Inference for the
//    generalization error", Machine Learning 52, 2003): variance factor 1/n + n_test/n_train.
//    The same over the n folds of one or several deals (Bouckaert and Frank, PAKDD 2004).
//  - Within one split: McNemar's exact test, and a paired bootstrap over groups. Also when the data
//    gives the split: its test rows are then the same for every seed, and seeds alone are no
//    splits.
//  - Over the pairs: Holm's step-down correction.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "metrics/scores.h"

namespace diptych {

// One recipe trained on one split, and what it answered for the test rows.
struct Trial {
  std::string recipe;                // "image", "text", "image,text"
  std::uint64_t seed = 0;            // with fold names the split: it has the same test rows
  int fold = 0;                      // of the seed's deal, from 1; 0: a share was held out
  std::int64_t train_rows = 0;       // rows it learned from (validation included)
  std::vector<std::int64_t> rows;    // [N] test rows
  std::vector<std::int32_t> labels;  // [N]
  std::vector<std::string> groups;   // [N]
  std::vector<float> probabilities;  // [N,K]
  double seconds = 0;
  // [N,K] with the words of labels masked in the texts; empty when there was nothing to mask.
  std::vector<float> masked_probabilities = {};
};

enum class Metric { accuracy, macro_f1, log_loss };
const char* metric_name(Metric metric);  // "accuracy", "macro_f1", "log_loss"

struct Interval {
  double mean = 0, low = 0, high = 0;  // 95 %
  std::vector<double> per_seed;        // with folds: of each seed each fold
};

struct RecipeScores {
  std::string recipe;
  Interval accuracy, macro_f1, log_loss;
  Interval calibration_error;
  std::vector<double> recall;           // [K] mean over the seeds where the class was tested
  std::vector<std::int64_t> confusion;  // [K,K] summed over seeds
  double seconds = 0;                   // summed over seeds
};

struct PairDifference {
  std::string a, b;  // a − b
  Metric metric{};
  double difference = 0, low = 0, high = 0;
  double p = 1;       // two-sided, of the test named in Comparison::test
  double p_holm = 1;  // corrected over the pairs of this metric
  std::vector<double> per_seed;
  std::vector<double> mcnemar_p;  // one per seed; accuracy only
  std::vector<double> per_class;  // [K] difference of recall; accuracy only
};

enum class Verdict { helps, no_clear_gain, hurts };
const char* verdict_name(Verdict verdict);  // "helps", "no clear gain", "hurts"

enum class SplitSource { drawn, given };  // anew for each seed, or by the data

struct Comparison {
  std::vector<RecipeScores> recipes;  // image, text, image,text: those that were run
  std::vector<PairDifference> pairs;  // fused − image, fused − text, text − image, × metrics
  Verdict verdict{};                  // from the accuracy of "image,text" − "image", at 5 %
  std::string sentence;               // "The text helps: +9.8 points of accuracy (7.1 to 12.4)."
  std::string test;                   // what p and the intervals come from, in words
  std::string caution;                // what the runs do not vary; empty when they vary the split
  int classes = 0;
};

// Trials: for each seed and fold every recipe, over the same rows. Throws Error{internal} when they
// are not paired so, Error{data} when there is none. One seed, or a given split: intervals and p
// from the bootstrap. The verdict is one comparison declared beforehand, so it is not corrected for
// the others; the pairs' p_holm is. It is "no clear gain" when "image" or "image,text" is missing.
Comparison compare(std::span<const Trial> trials, int classes,
                   SplitSource source = SplitSource::drawn);

// The part of results.json that a comparison determines: "recipes", "pairs", "verdict", "test".
nlohmann::json to_json(const Comparison& comparison, std::span<const std::string> class_names);

std::string split_name(std::uint64_t seed, int fold);  // "seed 1", "seed 1 fold 2"
double in_points(double share);  // percentage points to one decimal, never "-0.0"

// The pieces, for tests and other uses.
double student_t_quantile(double probability, double degrees);  // inverse CDF
double student_t_two_sided_p(double t, double degrees);
Interval corrected_resampled_interval(std::span<const double> per_split, double test_to_train);
double mcnemar_exact_p(std::int64_t only_a_right, std::int64_t only_b_right);
std::vector<double> holm(std::span<const double> p);

}  // namespace diptych
