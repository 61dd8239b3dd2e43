// Training and validation per epoch: one column per recipe, one row per quantity, shared axes.
#include <algorithm>
#include <cmath>
#include <map>

#include "report/plots.h"
#include "report/sections.h"

namespace diptych::report {
namespace {

constexpr double kPanelHeight = 190;
using Member = double CurvePoint::*;

struct Quantity {
  const char* title;
  Member train, validation;
  bool in_percent;
};
constexpr Quantity kQuantities[] = {
    {"Accuracy", &CurvePoint::train_accuracy, &CurvePoint::validation_accuracy, true},
    {"Loss", &CurvePoint::train_loss, &CurvePoint::validation_loss, false},
};

using Runs = std::vector<const Curve*>;

std::vector<std::pair<std::string, Runs>> runs_by_recipe(const Results& results,
                                                         const std::vector<Curve>& curves) {
  std::vector<std::pair<std::string, Runs>> groups;
  for (const RecipeResult& recipe : results.recipes) groups.push_back({recipe.name, {}});
  for (const Curve& curve : curves) {
    if (curve.points.empty()) continue;
    const auto found = std::find_if(groups.begin(), groups.end(),
                                    [&](const auto& group) { return group.first == curve.recipe; });
    if (found == groups.end()) {
      groups.push_back({curve.recipe, {&curve}});
    } else {
      found->second.push_back(&curve);
    }
  }
  std::erase_if(groups, [](const auto& group) { return group.second.empty(); });
  return groups;
}

// Runs stop at different epochs. Where fewer than half are left, a mean would be of other runs
// than before and would jump: the line ends there.
Band band_over(const Runs& runs, Member quantity) {
  std::map<int, std::vector<double>> by_epoch;
  for (const Curve* run : runs) {
    for (const CurvePoint& point : run->points) {
      if (std::isfinite(point.*quantity)) by_epoch[point.epoch].push_back(point.*quantity);
    }
  }
  Band band;
  for (const auto& [epoch, values] : by_epoch) {
    if (values.size() * 2 < runs.size()) continue;
    double sum = 0;
    for (const double value : values) sum += value;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    band.x.push_back(epoch);
    band.mean.push_back(sum / static_cast<double>(values.size()));
    band.low.push_back(*low);
    band.high.push_back(*high);
  }
  return band;
}

LinePlot panel_of(const std::string& recipe, const Runs& runs, const Quantity& quantity) {
  LinePlot panel;
  panel.name = std::string(quantity.title) + " per epoch, " + recipe_title(recipe);
  panel.height = kPanelHeight;
  panel.y_in_percent = quantity.in_percent;
  const std::string style = recipe_style(recipe);
  panel.lines.push_back({"train " + style, "training", band_over(runs, quantity.train)});
  panel.lines.push_back({"valid " + style, "validation", band_over(runs, quantity.validation)});
  std::erase_if(panel.lines, [](const BandLine& line) { return line.band.x.empty(); });
  for (const Curve* run : runs) {
    if (run->best_epoch > 0) panel.rug.push_back(run->best_epoch);
  }
  return panel;
}

// One pair of axes for all panels of a row, so that their heights compare.
void share_axes(std::vector<LinePlot>& panels) {
  std::vector<double> x;
  std::vector<double> y;
  for (const LinePlot& panel : panels) {
    for (const BandLine& line : panel.lines) {
      x.insert(x.end(), {line.band.x.front(), line.band.x.back()});
      y.insert(y.end(), line.band.low.begin(), line.band.low.end());
      y.insert(y.end(), line.band.high.begin(), line.band.high.end());
    }
  }
  Scale across = scale_over(x, 0);
  y.push_back(panels.front().y_in_percent ? kUnknown : 0);  // a loss is seen against zero
  Scale up = rounded_out(scale_over(y, 0), kHeightTicks);
  for (LinePlot& panel : panels) {
    if (panel.y_in_percent) up = {std::max(up.low, 0.0), std::min(up.high, 1.0)};
    panel.x = across;
    panel.y = up;
  }
}

Markup figure(const std::string& recipe, const LinePlot& panel, const Quantity& quantity) {
  const Markup caption =
      recipe_name(recipe) + element("span", {{"class", "quantity"}}, std::string(quantity.title));
  return element(
      "figure", {{"class", "panel"}},
      element("figcaption", {}, caption) + element("div", {{"class", "frame"}}, line_plot(panel)));
}

Markup row_of_panels(const std::vector<std::pair<std::string, Runs>>& groups,
                     const Quantity& quantity) {
  std::vector<LinePlot> panels;
  for (const auto& [recipe, runs] : groups) panels.push_back(panel_of(recipe, runs, quantity));
  share_axes(panels);
  Markup out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (!panels[i].lines.empty()) out += figure(groups[i].first, panels[i], quantity);
  }
  return out.empty() ? out : element("div", {{"class", "panels"}}, out);
}

}  // namespace

Section curves_section(const Results& results, const std::vector<Curve>& curves) {
  Section section{"training", "Training", "How each recipe learned", {}, {}};
  const auto groups = runs_by_recipe(results, curves);
  if (groups.empty()) return section;
  for (const Quantity& quantity : kQuantities) section.body += row_of_panels(groups, quantity);
  section.lead = paragraph(
      "Mean over the runs, per epoch; the band spans the least and the greatest run. Dashed: the "
      "rows it learns from. Solid: the validation rows. A wide gap between the two is learning by "
      "heart. Each small triangle marks the epoch that a run kept.");
  return section;
}

}  // namespace diptych::report
