#include "report/results.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace diptych::report {
namespace {

using nlohmann::json;

const json& member(const json& object, std::string_view key) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

double number(const json& value) {
  const double known = value.is_number() ? value.get<double>() : kUnknown;
  return std::isfinite(known) ? known : kUnknown;
}

std::string words(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<double> numbers(const json& array) {
  std::vector<double> values;
  if (!array.is_array()) return values;
  for (const json& value : array) values.push_back(number(value));
  return values;
}

std::vector<double> by_class(const json& object, const std::vector<std::string>& classes) {
  std::vector<double> values;
  for (const std::string& name : classes) values.push_back(number(member(object, name)));
  return values;
}

TextPairs text_pairs(const json& object) {
  TextPairs pairs;
  if (!object.is_object()) return pairs;
  for (const auto& [key, value] : object.items()) pairs.emplace_back(key, words(value));
  return pairs;
}

Estimate read_estimate(const json& object, std::string_view middle) {
  return {number(member(object, middle)), number(member(object, "low")),
          number(member(object, "high")), numbers(member(object, "per_seed"))};
}

std::vector<std::vector<double>> read_confusion(const json& rows, std::size_t classes) {
  std::vector<std::vector<double>> confusion;
  if (!rows.is_array() || rows.size() != classes) return {};
  for (const json& row : rows) {
    confusion.push_back(numbers(row));
    if (confusion.back().size() != classes) return {};
  }
  return confusion;
}

RecipeResult read_recipe(const std::string& name, const json& object,
                         const std::vector<std::string>& classes) {
  RecipeResult recipe;
  recipe.name = name;
  for (const Measurement& row : measurements()) {
    recipe.estimates.push_back(read_estimate(member(object, row.key), "mean"));
  }
  recipe.recall = by_class(member(object, "recall"), classes);
  recipe.confusion = read_confusion(member(object, "confusion"), classes.size());
  recipe.seconds = number(member(object, "seconds"));
  return recipe;
}

PairResult read_pair(const json& object, const std::vector<std::string>& classes) {
  PairResult pair;
  pair.a = words(member(object, "a"));
  pair.b = words(member(object, "b"));
  pair.metric = words(member(object, "metric"));
  pair.difference = read_estimate(object, "difference");
  pair.p = number(member(object, "p"));
  pair.p_holm = number(member(object, "p_holm"));
  pair.mcnemar_p = numbers(member(object, "mcnemar_p"));
  pair.per_class = by_class(member(object, "per_class"), classes);
  return pair;
}

LeakResult read_leak(const json& object) {
  LeakResult leak;
  leak.title = words(member(object, "title"));
  leak.sentence = words(member(object, "sentence"));
  leak.rows = number(member(object, "rows"));
  leak.of = number(member(object, "of"));
  for (const auto& [recipe, value] : member(object, "accuracy").items()) {
    leak.accuracy.emplace_back(recipe, number(value));
  }
  return leak;
}

int rank(const std::string& recipe) {
  if (recipe == "image") return 0;
  if (recipe == "text") return 1;
  return recipe == "image,text" ? 2 : 3;
}

void read_recipes(const json& object, Results& results) {
  if (!object.is_object()) return;
  for (const auto& [name, value] : object.items()) {
    results.recipes.push_back(read_recipe(name, value, results.classes));
  }
  std::stable_sort(results.recipes.begin(), results.recipes.end(),
                   [](const auto& a, const auto& b) { return rank(a.name) < rank(b.name); });
}

void read_rows(const json& object, Results& results) {
  results.rows_read = number(member(object, "read"));
  results.rows_used = number(member(object, "used"));
  const json& skipped = member(object, "skipped");
  if (!skipped.is_object()) return;
  for (const auto& [reason, value] : skipped.items()) {
    if (value.is_number()) results.skipped.emplace_back(reason, number(value));
  }
  std::stable_sort(results.skipped.begin(), results.skipped.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
}

}  // namespace

std::size_t Results::runs() const {
  std::size_t most = 0;
  for (const RecipeResult& recipe : recipes) {
    most = std::max(most, recipe.accuracy().per_seed.size());
  }
  return most;
}

const RecipeResult* Results::recipe(std::string_view name) const {
  for (const RecipeResult& recipe : recipes) {
    if (recipe.name == name) return &recipe;
  }
  return nullptr;
}

const PairResult* Results::pair(std::string_view a, std::string_view b,
                                std::string_view metric) const {
  for (const PairResult& pair : pairs) {
    if (pair.a == a && pair.b == b && pair.metric == metric) return &pair;
  }
  return nullptr;
}

std::string Results::provenance_of(std::string_view key) const {
  for (const auto& [name, value] : provenance) {
    if (name == key) return value;
  }
  return "";
}

Results read_results(const json& root) {
  Results results;
  const json& classes = member(root, "classes");
  if (classes.is_array()) {
    for (const json& name : classes) results.classes.push_back(words(name));
  }
  read_recipes(member(root, "recipes"), results);
  const json& pairs = member(root, "pairs");
  if (pairs.is_array()) {
    for (const json& pair : pairs) results.pairs.push_back(read_pair(pair, results.classes));
  }
  const json& leaks = member(root, "leaks");
  if (leaks.is_object()) {
    for (const json& leak : leaks) results.leaks.push_back(read_leak(leak));
  }
  const json& verdict = member(root, "verdict");
  results.verdict = words(member(verdict, "text"));
  results.sentence = words(member(verdict, "sentence"));
  results.test = words(member(root, "test"));
  results.caution = words(member(root, "caution"));
  results.seconds = number(member(root, "seconds"));
  read_rows(member(root, "rows"), results);
  results.config = text_pairs(member(root, "config"));
  results.provenance = text_pairs(member(root, "provenance"));
  return results;
}

}  // namespace diptych::report
