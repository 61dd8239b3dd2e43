// The recipes side by side: each score with its interval, in numbers and drawn on one scale per
// column.
#include <algorithm>
#include <cmath>

#include "report/plots.h"
#include "report/sections.h"

namespace diptych::report {
namespace {

const Estimate& estimate(const RecipeResult& recipe, const Measurement& row) {
  return recipe.estimates[&row - measurements().data()];
}

Scale column_scale(const Results& results, const Measurement& row) {
  std::vector<double> values;
  for (const RecipeResult& recipe : results.recipes) {
    const Estimate& score = estimate(recipe, row);
    values.insert(values.end(), {score.mean, score.low, score.high});
  }
  return scale_over(values, 0.06);
}

double best_mean(const Results& results, const Measurement& row) {
  double best = kUnknown;
  for (const RecipeResult& recipe : results.recipes) {
    const double mean = estimate(recipe, row).mean;
    const bool better = row.less_is_better ? mean < best : mean > best;
    if (std::isfinite(mean) && (!std::isfinite(best) || better)) best = mean;
  }
  return best;
}

std::string range_text(const Measurement& row, const Estimate& score) {
  if (!std::isfinite(score.low) || !std::isfinite(score.high)) return "";
  return decimal(score.low * row.factor, row.decimals) + " to " +
         decimal(score.high * row.factor, row.decimals);
}

Markup score_cell(const Results& results, const RecipeResult& recipe, const Measurement& row) {
  const Estimate& score = estimate(recipe, row);
  const bool best = results.recipes.size() > 1 && score.mean == best_mean(results, row);
  Markup inner =
      element("span", {{"class", best ? "value best" : "value"}}, value_text(row, score.mean));
  inner += element("span", {{"class", "range"}}, range_text(row, score));
  if (std::isfinite(score.mean)) {
    const IntervalMark mark{recipe_style(recipe.name), score.mean, score.low, score.high, {}, {}};
    const Markup drawn =
        line("tick", {0, 8}, {100, 8}) + interval_mark(column_scale(results, row), mark, 8, 4.5);
    inner += plot(16, "interval", drawn);
  }
  return element("td", {{"data-label", std::string(row.title)}}, inner);
}

Markup time_cell(const Results& results, const RecipeResult& recipe) {
  double longest = 0;
  for (const RecipeResult& other : results.recipes) {
    if (std::isfinite(other.seconds)) longest = std::max(longest, other.seconds);
  }
  Markup inner = element("span", {{"class", "value"}}, duration(recipe.seconds));
  inner += element("span", {{"class", "range"}}, "all runs");
  if (longest > 0 && std::isfinite(recipe.seconds)) {
    const std::string style = "amount " + recipe_style(recipe.name);
    inner += plot(
        16, "time",
        line("tick", {0, 8}, {100, 8}) + bar(style, {0, 5}, {recipe.seconds / longest * 100, 11}));
  }
  return element("td", {{"data-label", "Time"}}, inner);
}

Markup heading_row() {
  Markup cells = element("th", {{"scope", "col"}}, "Learns from");
  for (const Measurement& row : measurements()) {
    Markup title = escaped(row.title);
    title += element("small", {}, row.less_is_better ? "less is better" : "more is better");
    cells += element("th", {{"scope", "col"}}, title);
  }
  cells +=
      element("th", {{"scope", "col"}}, escaped("Time") + element("small", {}, "less is better"));
  return element("thead", {}, element("tr", {}, cells));
}

}  // namespace

Markup paragraph(std::string_view text) { return element("p", {}, text); }

Markup recipe_name(std::string_view recipe) {
  return element("span", {{"class", "recipe " + recipe_style(recipe)}},
                 marker_icon(recipe_style(recipe)) + isolated(recipe_title(recipe)));
}

Section scores_section(const Results& results) {
  Section section{"scores", "Scores", "The scores, side by side", {}, {}};
  if (results.recipes.empty()) return section;
  Markup rows;
  for (const RecipeResult& recipe : results.recipes) {
    Markup cells = element("th", {{"scope", "row"}}, recipe_name(recipe.name));
    for (const Measurement& row : measurements()) cells += score_cell(results, recipe, row);
    cells += time_cell(results, recipe);
    rows += element("tr", {}, cells);
  }
  section.lead = paragraph(
      "Means over the runs with their 95\u202F% intervals, on test rows that no recipe learned "
      "from. The best mean of a column is bold.");
  section.body =
      element("table", {{"class", "scores"}}, heading_row() + element("tbody", {}, rows));
  return section;
}

}  // namespace diptych::report
