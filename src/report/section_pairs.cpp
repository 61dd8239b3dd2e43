// The paired differences as a forest plot: every comparison of every score against zero, right of
// zero always in favour of the recipe named first.
#include <algorithm>
#include <cmath>

#include "report/plots.h"
#include "report/sections.h"

namespace diptych::report {
namespace {

constexpr double kRowHeight = 60;  // as in style.cpp, so that the lines of the grid meet
constexpr double kAxisHeight = 24;

std::vector<const PairResult*> pairs_of(const Results& results, std::string_view metric) {
  std::vector<const PairResult*> found;
  for (const PairResult& pair : results.pairs) {
    if (pair.metric == metric) found.push_back(&pair);
  }
  return found;
}

// Turned round where less is better, so that right of zero is better in every group.
Scale group_scale(const std::vector<const PairResult*>& pairs, bool less_is_better) {
  std::vector<double> values{0};
  for (const PairResult* pair : pairs) {
    const Estimate& difference = pair->difference;
    values.insert(values.end(), difference.per_seed.begin(), difference.per_seed.end());
    values.insert(values.end(), {difference.mean, difference.low, difference.high});
  }
  const Scale scale = scale_over(values, 0.08);
  return less_is_better ? Scale{scale.high, scale.low} : scale;
}

std::vector<std::string> run_titles(const PairResult& pair, const Measurement& row) {
  std::vector<std::string> titles;
  for (std::size_t i = 0; i < pair.difference.per_seed.size(); ++i) {
    std::string title =
        "run " + std::to_string(i + 1) + ": " + difference_text(row, pair.difference.per_seed[i]);
    if (i < pair.mcnemar_p.size() && std::isfinite(pair.mcnemar_p[i])) {
      title += ", McNemar p " + p_value(pair.mcnemar_p[i]);
    }
    titles.push_back(title);
  }
  return titles;
}

Markup comparison_name(const PairResult& pair) {
  return recipe_name(pair.a) +
         element("span", {{"class", "second"}},
                 element("span", {{"class", "against"}}, "against ") + recipe_name(pair.b));
}

Markup number_cell(std::string_view style, std::string_view title, std::string_view text) {
  return element("td", {{"class", std::string(style)}, {"data-label", std::string(title)}}, text);
}

std::string interval_text(const Measurement& row, const Estimate& difference) {
  if (!std::isfinite(difference.low) || !std::isfinite(difference.high)) return "";
  return signed_decimal(difference.low * row.factor, row.decimals) + " to " +
         signed_decimal(difference.high * row.factor, row.decimals);
}

Markup difference_cell(const Measurement& row, const Estimate& difference) {
  return element("td", {{"class", "number"}, {"data-label", "Difference"}},
                 element("span", {{"class", "value"}}, difference_text(row, difference.mean)) +
                     element("span", {{"class", "range"}}, interval_text(row, difference)));
}

Markup pair_row(const PairResult& pair, const Measurement& row, const Scale& scale) {
  const Estimate& difference = pair.difference;
  const IntervalMark mark{recipe_style(pair.a), difference.mean,     difference.low,
                          difference.high,      difference.per_seed, run_titles(pair, row)};
  const AxisLook look{.height = kRowHeight, .factor = row.factor, .wanted = 8, .unit = ""};
  const std::string name = recipe_title(pair.a) + " against " + recipe_title(pair.b) + ", " +
                           std::string(row.title) + ": " + difference_text(row, difference.mean);
  const Markup drawn =
      plot(kRowHeight, name, grid(scale, look) + interval_mark(scale, mark, 25, 6));
  const bool declared = pair.a == "image,text" && pair.b == "image" && row.key == "accuracy";
  return element("tr", {{"class", declared ? "declared" : ""}},
                 element("th", {{"scope", "row"}}, comparison_name(pair)) +
                     element("td", {{"class", "drawn"}}, drawn) + difference_cell(row, difference) +
                     number_cell("number p", "p", p_value(pair.p)) +
                     number_cell("number p", "Holm p", p_value(pair.p_holm)));
}

Markup axis_row(const Measurement& row, const Scale& scale) {
  const AxisLook look{
      .height = 4, .factor = row.factor, .with_sign = true, .wanted = 8, .unit = ""};
  std::string words = row.factor == 100 ? "in points" : "";
  if (row.less_is_better) words = "less is better: the axis is turned round";
  const Markup drawn = plot(kAxisHeight, "axis", axis(scale, look));
  return element("tr", {{"class", "axis"}},
                 element("td", {}, words) + element("td", {{"class", "drawn"}}, drawn) +
                     element("td", {{"colspan", "3"}}));
}

Markup group(const Results& results, const Measurement& row) {
  const auto pairs = pairs_of(results, row.key);
  if (pairs.empty()) return {};
  const Scale scale = group_scale(pairs, row.less_is_better);
  Markup sides = element("span", {{"class", "left-side"}}, "← second better");
  sides += element("span", {{"class", "right-side"}}, "first better →");
  Markup rows =
      element("tr", {{"class", "group"}},
              element("th", {{"scope", "rowgroup"}}, row.title) +
                  element("td", {{"class", "sides"}}, sides) + element("td", {{"colspan", "3"}}));
  for (const PairResult* pair : pairs) rows += pair_row(*pair, row, scale);
  return element("tbody", {}, rows + axis_row(row, scale));
}

Markup heading_row() {
  Markup cells;
  for (const char* title :
       {"Comparison", "Difference with its interval and runs", "Difference", "p", "Holm p"}) {
    cells += element("th", {{"scope", "col"}}, title);
  }
  return element("thead", {}, element("tr", {}, cells));
}

Markup lead_words(const Results& results) {
  Markup lead = paragraph(
      "Every recipe answered the same test rows in each run, so the differences are paired. An "
      "interval that keeps clear of zero is a difference that chance alone hardly makes; "
      "Holm's\u00A0p "
      "allows for several comparisons having been made.");
  const PairResult* pair = results.pair("image,text", "image", "accuracy");
  if (pair == nullptr || pair->mcnemar_p.empty()) return lead;
  const auto clear = std::count_if(pair->mcnemar_p.begin(), pair->mcnemar_p.end(),
                                   [](double p) { return p < 0.05; });
  return lead += paragraph(
             "Taken one by one, McNemar's exact test puts image + text apart from "
             "image only (p\u00A0<\u00A00.05) in " +
             std::to_string(clear) + " of " + plural(pair->mcnemar_p.size(), "run", "runs") + ".");
}

}  // namespace

Section pairs_section(const Results& results) {
  Section section{"differences", "Differences", "Is the difference more than chance?", {}, {}};
  Markup groups;
  for (const Measurement& row : measurements()) groups += group(results, row);
  if (groups.empty()) return section;
  section.lead = lead_words(results);
  section.body = element("table", {{"class", "forest"}}, heading_row() + groups);
  return section;
}

}  // namespace diptych::report
