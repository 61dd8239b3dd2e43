#include "report/plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/numbers.h"

namespace diptych::report {
namespace {

constexpr double kEndLabelGap = 15;  // pixels between two names at the lines' ends
constexpr std::size_t kMostReadouts = 80;

double height_of(const LinePlot& plot, double value) {
  return plot.height * (1 - plot.y.percent(value) / 100);
}

// "M x y L x y …" in the stretched frame of 1000 × height.
std::string path_through(const LinePlot& plot, const Band& band,
                         const std::vector<double>& values) {
  std::string path;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    path += path.empty() ? 'M' : 'L';
    path += short_number(plot.x.percent(band.x[i]) * 10) + " " +
            short_number(height_of(plot, values[i]));
  }
  return path;
}

std::string band_outline(const LinePlot& plot, const Band& band) {
  Band back = band;
  std::reverse(back.x.begin(), back.x.end());
  std::reverse(back.low.begin(), back.low.end());
  std::string there = path_through(plot, band, band.high);
  std::string here = path_through(plot, back, back.low);
  if (there.empty() || here.empty()) return "";
  here.front() = 'L';
  return there + here + "Z";
}

// Lines live in a nested frame that stretches; their width does not (style: non-scaling-stroke).
Markup stretched_lines(const LinePlot& plot) {
  Markup inner;
  for (const BandLine& line : plot.lines) {
    const std::string outline = band_outline(plot, line.band);
    if (outline.empty()) continue;
    inner += element("path", {{"class", "band " + line.style}, {"d", outline}});
  }
  for (const BandLine& line : plot.lines) {
    const std::string path = path_through(plot, line.band, line.band.mean);
    if (path.empty()) continue;
    inner += element("path", {{"class", "curve " + line.style}, {"d", path}});
  }
  return element("svg",
                 {{"viewBox", "0 0 1000 " + short_number(plot.height)},
                  {"preserveAspectRatio", "none"},
                  {"width", "100%"},
                  {"height", short_number(plot.height)}},
                 inner);
}

// The lines' names at their ends, pushed apart where they would touch.
Markup end_labels(const LinePlot& plot) {
  struct End {
    double y;
    const BandLine* line;
  };
  std::vector<End> ends;
  for (const BandLine& line : plot.lines) {
    if (line.band.mean.empty()) continue;
    ends.push_back({height_of(plot, line.band.mean.back()), &line});
  }
  std::sort(ends.begin(), ends.end(), [](const End& a, const End& b) { return a.y < b.y; });
  for (std::size_t i = 1; i < ends.size(); ++i) {
    const double overlap = kEndLabelGap - (ends[i].y - ends[i - 1].y);
    if (overlap <= 0) continue;
    ends[i - 1].y -= overlap / 2;
    ends[i].y += overlap / 2;
  }
  Markup out;
  for (const End& end : ends) {
    const double x = plot.x.percent(end.line->band.x.back());
    out += element("svg", {{"x", "8"}},
                   label("end-label", {x, end.y + 4}, end.line->name, Anchor::start));
  }
  return out;
}

std::string value_at(const LinePlot& plot, double value) {
  return plot.y_in_percent ? percent(value) : decimal(value, 3);
}

// What shows while the pointer is over one epoch: a guide, the points and the numbers on top.
Markup readout(const LinePlot& plot, double epoch, double half_width) {
  const double x = plot.x.percent(epoch);
  Markup inner = bar("catch", {x - half_width, 0}, {x + half_width, plot.height});
  Markup shown = line("guide", {x, 0}, {x, plot.height});
  std::string text = "epoch " + count(epoch);
  for (const BandLine& line : plot.lines) {
    const auto found = std::find(line.band.x.begin(), line.band.x.end(), epoch);
    if (found == line.band.x.end()) continue;
    const double mean = line.band.mean[found - line.band.x.begin()];
    shown += marker("spot " + line.style, {x, height_of(plot, mean)}, 4);
    text += " · " + line.name + " " + value_at(plot, mean);
  }
  shown += label("readout", {100, -8}, text, Anchor::end);
  inner += element("g", {{"class", "shown"}}, shown);
  return element("g", {{"class", "epoch"}}, inner);
}

Markup readouts(const LinePlot& plot) {
  std::vector<double> epochs;
  for (const BandLine& line : plot.lines) {
    if (line.band.x.size() > epochs.size()) epochs = line.band.x;
  }
  const std::size_t step = epochs.size() / kMostReadouts + 1;
  const double half_width = 50.0 * static_cast<double>(step) /
                            static_cast<double>(std::max<std::size_t>(epochs.size(), 2) - 1);
  Markup out;
  for (std::size_t i = 0; i < epochs.size(); i += step) {
    out += readout(plot, epochs[i], half_width);
  }
  return out;
}

Markup line_plot_axes(const LinePlot& plot) {
  Markup out;
  const double factor = plot.y_in_percent ? 100 : 1;
  const Scale shown{plot.y.low * factor, plot.y.high * factor};
  const Ticks ticks = nice_ticks(shown, kHeightTicks);
  for (const double value : ticks.at) {
    const double y = plot.height * (1 - shown.percent(value) / 100);
    out += line("tick", {0, y}, {100, y});
    const std::string unit = plot.y_in_percent ? "\u202F%" : "";
    out += element(
        "svg", {{"x", "-8"}},
        label("tick-label", {0, y + 4}, decimal(value, ticks.decimals) + unit, Anchor::end));
  }
  for (const double value : nice_ticks(plot.x, 5).at) {
    if (value != std::round(value) || value < 1) continue;
    out += label("tick-label", {plot.x.percent(value), plot.height + 18}, count(value));
  }
  out += element("svg", {{"x", "10"}},
                 label("tick-label", {100, plot.height + 18}, "epoch", Anchor::start));
  return out;
}

}  // namespace

Markup interval_mark(const Scale& scale, const IntervalMark& mark, double y, double radius) {
  Markup inner;
  const double low = scale.percent(mark.low);
  const double high = scale.percent(mark.high);
  if (std::isfinite(mark.low) && std::isfinite(mark.high)) {
    inner += line("interval", {low, y}, {high, y});
    for (const double end : {low, high}) {
      inner += line("interval-end", {end, y - radius * 0.8}, {end, y + radius * 0.8});
    }
  }
  for (std::size_t i = 0; i < mark.dots.size(); ++i) {
    if (!std::isfinite(mark.dots[i])) continue;
    const std::string title = i < mark.dot_titles.size() ? mark.dot_titles[i] : "";
    inner += marker("dot", {scale.percent(mark.dots[i]), y + radius * 2.1}, radius * 0.55, title);
  }
  if (std::isfinite(mark.mean)) {
    inner += marker("mean " + mark.style, {scale.percent(mark.mean), y}, radius);
  }
  return element("g", {{"class", mark.style}}, inner);
}

Markup line_plot(const LinePlot& data) {
  Markup inner = line_plot_axes(data) + stretched_lines(data);
  for (const BandLine& line : data.lines) {  // a line of one epoch has no length
    if (line.band.x.size() != 1) continue;
    inner += marker("spot " + line.style,
                    {data.x.percent(line.band.x[0]), height_of(data, line.band.mean[0])}, 4);
  }
  for (const double epoch : data.rug) {
    inner += element("svg",
                     {{"class", "rug"},
                      {"x", short_number(data.x.percent(epoch)) + "%"},
                      {"y", short_number(data.height)}},
                     element("path", {{"d", "M0 -7L4 0H-4Z"}}));
  }
  inner += end_labels(data) + readouts(data);
  return plot(data.height, data.name, inner);
}

Markup hundred_squares(int kept, int changed, std::string_view name) {
  const int first = std::clamp(changed < 0 ? kept + changed : kept, 0, 100);
  const int second = std::clamp(first + std::abs(changed), 0, 100);
  Markup inner;
  for (int i = 0; i < 100; ++i) {
    const char* style = i < first ? "kept" : i >= second ? "rest" : changed > 0 ? "gained" : "lost";
    inner += element("rect", {{"class", style},
                              {"x", short_number(i % 10 * 10 + 1)},
                              {"y", short_number(i / 10 * 10 + 1)},
                              {"width", "8"},
                              {"height", "8"},
                              {"rx", "1.6"}});
  }
  return element("svg",
                 {{"class", "squares"},
                  {"viewBox", "0 0 100 100"},
                  {"role", "img"},
                  {"aria-label", std::string(name)}},
                 inner);
}

}  // namespace diptych::report
