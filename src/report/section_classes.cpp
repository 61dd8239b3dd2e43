// What the text does to each class: recall without and with it, sorted by the gain.
#include <algorithm>
#include <cmath>

#include "report/plots.h"
#include "report/sections.h"

namespace diptych::report {
namespace {

constexpr double kRowHeight = 28;
constexpr std::size_t kMostShown = 24;  // of more classes, the two ends are shown at once
constexpr std::size_t kEachEnd = 12;

struct ClassRow {
  std::string name;
  double image = kUnknown, text = kUnknown, fused = kUnknown;
  double gain = kUnknown;  // image,text − image
  double rows = kUnknown;  // test rows, over all runs
};

double recall_of(const Results& results, std::string_view recipe, std::size_t index) {
  const RecipeResult* found = results.recipe(recipe);
  return found != nullptr && index < found->recall.size() ? found->recall[index] : kUnknown;
}

double test_rows(const Results& results, std::size_t index) {
  for (const RecipeResult& recipe : results.recipes) {
    if (index >= recipe.confusion.size()) continue;
    double sum = 0;
    for (const double number : recipe.confusion[index]) sum += number;
    return sum;
  }
  return kUnknown;
}

double gain_of(const Results& results, const ClassRow& row, std::size_t index) {
  const PairResult* pair = results.pair("image,text", "image", "accuracy");
  if (pair != nullptr && index < pair->per_class.size() && std::isfinite(pair->per_class[index])) {
    return pair->per_class[index];
  }
  return row.fused - row.image;
}

bool gains_more(const ClassRow& a, const ClassRow& b) {
  if (std::isfinite(a.gain) != std::isfinite(b.gain)) return std::isfinite(a.gain);
  return std::isfinite(a.gain) && a.gain > b.gain;
}

std::vector<ClassRow> class_rows(const Results& results) {
  std::vector<ClassRow> rows;
  for (std::size_t i = 0; i < results.classes.size(); ++i) {
    ClassRow row{results.classes[i], recall_of(results, "image", i), recall_of(results, "text", i),
                 recall_of(results, "image,text", i)};
    row.gain = gain_of(results, row, i);
    row.rows = test_rows(results, i);
    rows.push_back(row);
  }
  std::stable_sort(rows.begin(), rows.end(), gains_more);
  return rows;
}

Markup drawn(const ClassRow& row, const Scale& scale) {
  const double y = kRowHeight / 2;
  Markup inner = grid(scale, {.height = kRowHeight, .factor = 100, .wanted = 6, .unit = ""});
  if (std::isfinite(row.image) && std::isfinite(row.fused)) {
    inner += line(row.fused >= row.image ? "link rise" : "link fall", {scale.percent(row.image), y},
                  {scale.percent(row.fused), y});
  }
  const auto add = [&](const char* recipe, double recall, double radius) {
    if (!std::isfinite(recall)) return;
    inner += marker("mean " + recipe_style(recipe), {scale.percent(recall), y}, radius,
                    recipe_title(recipe) + ": " + percent(recall));
  };
  add("text", row.text, 3.5);
  add("image", row.image, 5.5);
  add("image,text", row.fused, 5.5);
  return plot(kRowHeight, row.name + ": recall by recipe", inner);
}

Markup table_row(const ClassRow& row, const Scale& scale) {
  const std::string style = row.gain < 0 ? "number fall" : "number rise";
  return element(
      "tr", {},
      element("th", {{"scope", "row"}, {"title", shortened(row.name, 200)}, {"dir", "auto"}},
              shortened(row.name, 26)) +
          element("td", {{"class", "drawn"}}, drawn(row, scale)) +
          element("td", {{"class", style}}, signed_decimal(row.gain * 100, 1)) +
          element("td", {{"class", "number muted"}}, count(row.rows)));
}

Markup axis_row(const Scale& scale) {
  const AxisLook look{.height = 4, .factor = 100, .wanted = 6, .unit = "\u202F%"};
  return element("tr", {{"class", "axis"}},
                 element("td", {}) +
                     element("td", {{"class", "drawn"}}, plot(24, "axis", axis(scale, look))) +
                     element("td", {{"colspan", "2"}}));
}

Markup heading_row(const Results& results) {
  Markup legend = element("span", {{"class", "hidden"}}, "Recall: ");
  for (const RecipeResult& recipe : results.recipes) {
    if (recipe_style(recipe.name) != "other") legend += recipe_name(recipe.name);
  }
  Markup cells = element("th", {{"scope", "col"}}, "Class");
  cells += element("th", {{"scope", "col"}, {"class", "legend"}}, legend);
  cells += element("th", {{"scope", "col"}, {"class", "number"}}, "Gain");
  cells += element("th", {{"scope", "col"}, {"class", "number"}}, "Rows");
  return element("thead", {}, element("tr", {}, cells));
}

// Over the known recalls of the shown classes: dots need no zero, and small differences show.
Scale recall_scale(std::span<const ClassRow> rows) {
  std::vector<double> values;
  for (const ClassRow& row : rows) values.insert(values.end(), {row.image, row.text, row.fused});
  const Scale scale = scale_over(values, 0.05);
  return {std::max(scale.low, 0.0), std::min(scale.high, 1.0)};
}

Markup table(const Results& results, std::span<const ClassRow> rows) {
  const Scale scale = recall_scale(rows);
  Markup body;
  for (const ClassRow& row : rows) body += table_row(row, scale);
  return element("table", {{"class", "classes"}},
                 heading_row(results) + element("tbody", {}, body + axis_row(scale)));
}

Markup tables(const Results& results, const std::vector<ClassRow>& rows) {
  const std::span<const ClassRow> all(rows);
  if (rows.size() <= kMostShown) return table(results, all);
  const std::size_t between = rows.size() - 2 * kEachEnd;
  Markup out = element("h3", {}, "The greatest gains") + table(results, all.first(kEachEnd));
  out += element("h3", {}, "The least, or losses") + table(results, all.last(kEachEnd));
  const std::string words = plural(between, "class", "classes") + " in between";
  return out +=
         element("details", {},
                 element("summary", {}, words) + table(results, all.subspan(kEachEnd, between)));
}

std::string heading_of(const std::vector<ClassRow>& rows) {
  std::size_t known = 0;
  std::size_t rise = 0;
  for (const ClassRow& row : rows) {
    known += std::isfinite(row.gain) ? 1 : 0;
    rise += row.gain > 0 ? 1 : 0;
  }
  if (known == 0) return "Recall of each class";
  return "With the text, " + std::to_string(rise) + " of " + plural(known, "class", "classes") +
         (rise == 1 ? " was recognised better" : " were recognised better");
}

}  // namespace

Section classes_section(const Results& results) {
  const std::vector<ClassRow> rows = class_rows(results);
  Section section{"classes", "Classes", heading_of(rows), {}, {}};
  if (rows.empty() || results.recipes.empty()) return section;
  std::string lead =
      "Recall: the share of a class's test rows that is recognised, mean over the runs. ";
  if (results.recipe("image") != nullptr && results.recipe("image,text") != nullptr) {
    lead += "The line leads from image only to image + text; the gain is in points. ";
  }
  lead +=
      "Rows are test rows over all runs: with few of them, chance moves a class a long way, and no "
      "single class is tested here.";
  section.lead = paragraph(lead);
  section.body = tables(results, rows);
  return section;
}

}  // namespace diptych::report
