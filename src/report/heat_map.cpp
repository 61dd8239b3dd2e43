// The confusion matrix as a heat map: a picture of natural size that shrinks to the page.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "report/numbers.h"
#include "report/plots.h"

namespace diptych::report {
namespace {

constexpr double kLeastCellWithText = 21;  // pixels; below, numbers would not be legible

constexpr double kAxisNameLetters = 11;  // as long as "true class"

struct Geometry {
  double left, cell, letters, height;
  std::size_t characters;  // of a class name
};

Geometry geometry_of(const HeatMap& map) {
  const auto classes = static_cast<double>(map.classes.size());
  Geometry g{};
  std::size_t longest = 0;
  for (const std::string& name : map.classes) {
    std::size_t length = 0;
    for (const char byte : name) length += (byte & 0xC0) != 0x80 ? 1 : 0;
    longest = std::max(longest, length);
  }
  g.characters = 18;
  const double shown = static_cast<double>(std::min(longest, g.characters));
  g.letters = std::clamp(map.width / classes * 0.75, 7.0, 12.0);
  g.left = std::min(std::max(shown, kAxisNameLetters) * g.letters * 0.62 + 14, map.width * 0.4);
  g.cell = (map.width - g.left) / classes;
  g.height = g.cell * classes + std::max(shown, 5.0) * g.letters * 0.62 + 14;
  return g;
}

std::string cell_title(const HeatMap& map, std::size_t truth, std::size_t answer, double total) {
  const double number = map.counts[truth][answer];
  const std::string& name = map.classes[truth];
  const std::string said =
      truth == answer ? " recognised: " : " taken for " + map.classes[answer] + ": ";
  return name + said + count(number) + " of " + count(total) + " (" + percent(number / total, 0) +
         ")";
}

Markup cell(const HeatMap& map, const Geometry& g, std::size_t truth, std::size_t answer) {
  const auto& row = map.counts[truth];
  double total = 0;
  for (const double number : row) total += std::isfinite(number) ? number : 0;
  const double share = row[answer] / total;
  if (!(share > 0)) return {};
  const double x = g.left + g.cell * static_cast<double>(answer);
  const double y = g.cell * static_cast<double>(truth);
  Markup inner = element("title", {}, cell_title(map, truth, answer, total));
  inner += element("rect", {{"x", short_number(x)},
                            {"y", short_number(y)},
                            {"width", short_number(g.cell)},
                            {"height", short_number(g.cell)},
                            {"fill-opacity", short_number(0.05 + 0.95 * share)}});
  if (g.cell >= kLeastCellWithText) {
    inner += element("text",
                     {{"class", share > 0.88  ? "deep"
                                : share > 0.6 ? "half"
                                              : ""},
                      {"x", short_number(x + g.cell / 2)},
                      {"y", short_number(y + g.cell / 2 + 4)},
                      {"font-size", short_number(std::min(12.0, g.cell * 0.42))},
                      {"text-anchor", "middle"}},
                     decimal(share * 100, 0));
  }
  return element("g", {}, inner);
}

Markup row_name(const HeatMap& map, const Geometry& g, std::size_t index) {
  const double y = g.cell * (static_cast<double>(index) + 0.5) + g.letters * 0.35;
  return element("text",
                 {{"x", short_number(g.left - 6)},
                  {"y", short_number(y)},
                  {"font-size", short_number(g.letters)},
                  {"text-anchor", "end"}},
                 shortened(map.classes[index], g.characters));
}

Markup column_name(const HeatMap& map, const Geometry& g, std::size_t index) {
  const double x = g.left + g.cell * (static_cast<double>(index) + 0.5) + g.letters * 0.35;
  const double y = g.cell * static_cast<double>(map.classes.size()) + 6;
  return element(
      "text",
      {{"transform", "translate(" + short_number(x) + " " + short_number(y) + ") rotate(-90)"},
       {"font-size", short_number(g.letters)},
       {"text-anchor", "end"}},
      shortened(map.classes[index], g.characters));
}

// In the corner between the two rows of names.
Markup axis_names(const Geometry& g, double side) {
  Markup out;
  double y = side + g.letters + 6;
  for (const char* words : {"true class ↑", "answer →"}) {
    out += element("text",
                   {{"class", "axis-name"},
                    {"x", short_number(g.left - 6)},
                    {"y", short_number(y)},
                    {"font-size", short_number(g.letters)},
                    {"text-anchor", "end"}},
                   words);
    y += g.letters * 1.4;
  }
  return out;
}

}  // namespace

Markup heat_map(const HeatMap& map) {
  const std::size_t classes = map.classes.size();
  if (classes == 0 || map.counts.size() != classes) return {};
  const Geometry g = geometry_of(map);
  const double side = g.cell * static_cast<double>(classes);
  Markup names;
  Markup cells = element("rect", {{"class", "field"},
                                  {"x", short_number(g.left)},
                                  {"y", "0"},
                                  {"width", short_number(side)},
                                  {"height", short_number(side)}});
  for (std::size_t truth = 0; truth < classes; ++truth) {
    names += row_name(map, g, truth) + column_name(map, g, truth);
    for (std::size_t answer = 0; answer < classes; ++answer) cells += cell(map, g, truth, answer);
  }
  names += axis_names(g, side);
  const std::string size = short_number(map.width) + " " + short_number(g.height);
  return element("svg",
                 {{"class", "matrix " + map.style},
                  {"viewBox", "0 0 " + size},
                  {"width", short_number(map.width)},
                  {"role", "img"},
                  {"aria-label", map.name}},
                 element("g", {{"class", "names"}}, names) + cells);
}

}  // namespace diptych::report
