// The report's plots, each from plain numbers: intervals against zero, lines with a band, a heat
// map and a field of one hundred squares. Not-a-number is left out of a drawing.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "report/svg.h"

namespace diptych::report {

// A mean, its interval and the single runs it comes from.
struct IntervalMark {
  std::string style;  // the recipe's
  double mean = 0, low = 0, high = 0;
  std::vector<double> dots;
  std::vector<std::string> dot_titles;  // one per dot, or none
};
// Drawn around the height y; `radius` of the mean's marker sets the size of the rest.
Markup interval_mark(const Scale& scale, const IntervalMark& mark, double y, double radius);

constexpr int kHeightTicks = 4;  // about so many on a vertical axis

// A mean over the runs per epoch, with the least and the greatest.
struct Band {
  std::vector<double> x, mean, low, high;  // of equal length, x ascending
};
struct BandLine {
  std::string style;  // "train image", "valid fused"
  std::string name;   // written at the line's end
  Band band;
};
struct LinePlot {
  std::string name;  // for screen readers
  std::vector<BandLine> lines;
  std::vector<double> rug;  // marked on the x axis
  Scale x, y;               // y.low: at the bottom
  double height = 0;
  bool y_in_percent = false;
};
Markup line_plot(const LinePlot& data);

// Counts [K][K], row: true class; shade: the share of the row.
struct HeatMap {
  std::string name;
  std::string style;
  std::vector<std::string> classes;
  std::vector<std::vector<double>> counts;
  double width = 0;  // its natural width in pixels; it shrinks to the page
};
Markup heat_map(const HeatMap& data);

// One hundred squares in a ten by ten field: `kept` of the first kind, then `changed` of the
// second (gained or lost), the rest of the third. Negative: lost, taken from the kept ones.
Markup hundred_squares(int kept, int changed, std::string_view name);

}  // namespace diptych::report
