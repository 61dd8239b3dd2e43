#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "metrics/comparison.h"

namespace diptych {
namespace {

using nlohmann::json;

json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json numbers(const std::vector<double>& values) {
  json list = json::array();
  for (double value : values) list.push_back(number(value));
  return list;
}

json interval(const Interval& value) {
  return {{"mean", number(value.mean)},
          {"low", number(value.low)},
          {"high", number(value.high)},
          {"per_seed", numbers(value.per_seed)}};
}

json by_class(const std::vector<double>& values, std::span<const std::string> names) {
  json object = json::object();
  for (std::size_t k = 0; k < names.size(); ++k) object[names[k]] = number(values[k]);
  return object;
}

json recipe(const RecipeScores& scores, std::span<const std::string> names) {
  json matrix = json::array();
  for (std::size_t row = 0; row < names.size(); ++row) {
    const auto begin = scores.confusion.begin() + static_cast<std::ptrdiff_t>(row * names.size());
    matrix.push_back(
        std::vector<std::int64_t>(begin, begin + static_cast<std::ptrdiff_t>(names.size())));
  }
  return {{"accuracy", interval(scores.accuracy)},
          {"macro_f1", interval(scores.macro_f1)},
          {"log_loss", interval(scores.log_loss)},
          {"calibration_error", interval(scores.calibration_error)},
          {"recall", by_class(scores.recall, names)},
          {"confusion", matrix},
          {"seconds", number(scores.seconds)}};
}

json pair(const PairDifference& difference, std::span<const std::string> names) {
  json object = {{"a", difference.a},
                 {"b", difference.b},
                 {"metric", metric_name(difference.metric)},
                 {"difference", number(difference.difference)},
                 {"low", number(difference.low)},
                 {"high", number(difference.high)},
                 {"p", number(difference.p)},
                 {"p_holm", number(difference.p_holm)},
                 {"per_seed", numbers(difference.per_seed)}};
  if (difference.metric == Metric::accuracy) {
    object["mcnemar_p"] = numbers(difference.mcnemar_p);
    object["per_class"] = by_class(difference.per_class, names);
  }
  return object;
}

}  // namespace

json to_json(const Comparison& comparison, std::span<const std::string> class_names) {
  if (class_names.size() != static_cast<std::size_t>(comparison.classes)) {
    throw Error(ErrorKind::internal, "as many names as classes are needed");
  }
  json recipes = json::object(), pairs = json::array();
  for (const RecipeScores& scores : comparison.recipes) {
    recipes[scores.recipe] = recipe(scores, class_names);
  }
  for (const PairDifference& difference : comparison.pairs) {
    pairs.push_back(pair(difference, class_names));
  }
  return {
      {"recipes", recipes},
      {"pairs", pairs},
      {"verdict", {{"text", verdict_name(comparison.verdict)}, {"sentence", comparison.sentence}}},
      {"test", comparison.test},
      {"caution", comparison.caution}};
}

}  // namespace diptych
