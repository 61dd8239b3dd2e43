// results.json as the report needs it: typed, in a fixed order, with not-a-number for what is null,
// missing or of the wrong type. Reading never fails: a page with gaps is better than no page.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/numbers.h"

namespace diptych::report {

struct Estimate {
  double mean = kUnknown, low = kUnknown, high = kUnknown;
  std::vector<double> per_seed;
};

struct RecipeResult {
  std::string name;
  std::vector<Estimate> estimates;             // in the order of measurements()
  std::vector<double> recall;                  // [K]
  std::vector<std::vector<double>> confusion;  // [K][K], row: true class; empty when unknown
  double seconds = kUnknown;

  const Estimate& accuracy() const { return estimates.front(); }
};

struct PairResult {
  std::string a, b, metric;  // a − b
  Estimate difference;
  double p = kUnknown, p_holm = kUnknown;
  std::vector<double> mcnemar_p;  // one per seed
  std::vector<double> per_class;  // [K]
};

struct LeakResult {
  std::string title, sentence;
  double rows = kUnknown, of = kUnknown;
  std::vector<std::pair<std::string, double>> accuracy;  // recipe → mean
};

using TextPairs = std::vector<std::pair<std::string, std::string>>;

struct Results {
  std::vector<RecipeResult> recipes;  // image, text, image,text, then others by name
  std::vector<PairResult> pairs;
  std::vector<LeakResult> leaks;
  std::string verdict, sentence, test, caution;
  std::vector<std::string> classes;
  double rows_read = kUnknown, rows_used = kUnknown;
  std::vector<std::pair<std::string, double>> skipped;  // most first
  double seconds = kUnknown;
  TextPairs config, provenance;

  std::size_t runs() const;  // splits that were tried
  const RecipeResult* recipe(std::string_view name) const;
  const PairResult* pair(std::string_view a, std::string_view b, std::string_view metric) const;
  std::string provenance_of(std::string_view key) const;  // empty when not recorded
};

Results read_results(const nlohmann::json& json);

}  // namespace diptych::report
