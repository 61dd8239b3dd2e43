#include "report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/numbers.h"

namespace diptych::report {
namespace {

// Far more than are ever wanted: for scales too narrow for a double's precision.
constexpr double kMostTicks = 100;

std::string percent_text(double x) { return short_number(x) + "%"; }

const char* anchor_name(Anchor anchor) {
  switch (anchor) {
    case Anchor::start:
      return "start";
    case Anchor::middle:
      return "middle";
    case Anchor::end:
      return "end";
  }
  return "middle";
}

// A shape of about equal area around the origin.
std::string shape_path(std::string_view style, double radius) {
  const double r = radius;
  if (style.find("text") != std::string_view::npos) {
    return fmt::format("M0 {0:.2f}L{1:.2f} 0L0 {1:.2f}L{0:.2f} 0Z", -1.25 * r, 1.25 * r);
  }
  if (style.find("fused") != std::string_view::npos) {
    return fmt::format("M{0:.2f} {0:.2f}H{1:.2f}V{1:.2f}H{0:.2f}Z", -0.9 * r, 0.9 * r);
  }
  if (style.find("other") != std::string_view::npos) {
    return fmt::format("M0 {:.2f}L{:.2f} {:.2f}H{:.2f}Z", -1.2 * r, 1.1 * r, 0.9 * r, -1.1 * r);
  }
  return fmt::format("M{0:.2f} 0a{1:.2f} {1:.2f} 0 1 1 {2:.2f} 0a{1:.2f} {1:.2f} 0 1 1 {3:.2f} 0Z",
                     -r, r, 2 * r, -2 * r);
}

int decimals_of(double step) {
  int decimals = 0;
  for (double scaled = std::abs(step); decimals < 9; scaled *= 10, ++decimals) {
    if (std::abs(scaled - std::round(scaled)) < 1e-6 * std::max(1.0, scaled)) break;
  }
  return decimals;
}

// The step between ticks; 0 when the scale has no width.
double tick_step(double span, int wanted) {
  const double rough = span / std::max(wanted, 1);
  if (!std::isfinite(rough) || rough <= 0) return 0;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power;
  for (const double multiple : {2.0, 5.0, 10.0}) {
    if (step < rough * 0.999) step = power * multiple;
  }
  return step;
}

}  // namespace

std::string short_number(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

double Scale::percent(double value) const {
  const double span = high - low;
  if (!std::isfinite(value) || span == 0) return 0;
  return std::clamp((value - low) / span * 100, 0.0, 100.0);
}

Scale scale_over(std::span<const double> values, double margin) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) return {0, 1};
  const double span = high - low;
  const double least = std::max(std::abs(low), std::abs(high)) * 0.1;
  const double pad = span > 0 ? span * margin : least > 0 ? least : 0.1;
  return {low - pad, high + pad};
}

Scale rounded_out(const Scale& scale, int wanted) {
  const double step = tick_step(std::abs(scale.high - scale.low), wanted);
  if (step == 0) return scale;
  return {std::floor(scale.low / step + 1e-9) * step, std::ceil(scale.high / step - 1e-9) * step};
}

Ticks nice_ticks(const Scale& scale, int wanted) {
  const double low = std::min(scale.low, scale.high);
  const double high = std::max(scale.low, scale.high);
  const double step = tick_step(high - low, wanted);
  if (step == 0) return {{low}, 0};
  Ticks ticks;
  ticks.decimals = decimals_of(step);
  const double first = std::ceil(low / step - 1e-9);
  const double last = std::floor(high / step + 1e-9);
  const int count = static_cast<int>(std::clamp(last - first + 1, 0.0, kMostTicks));
  for (int i = 0; i < count; ++i) ticks.at.push_back((first + i) * step);
  return ticks;
}

Anchor anchor_inside(double x) {
  if (x < 12) return Anchor::start;
  return x > 88 ? Anchor::end : Anchor::middle;
}

Markup plot(double height, std::string_view name, const Markup& inner) {
  return element("svg",
                 {{"class", "plot"},
                  {"width", "100%"},
                  {"height", short_number(height)},
                  {"role", "img"},
                  {"aria-label", std::string(name)}},
                 inner);
}

Markup line(std::string_view style, Point from, Point to) {
  return element("line", {{"class", std::string(style)},
                          {"x1", percent_text(from.x)},
                          {"y1", short_number(from.y)},
                          {"x2", percent_text(to.x)},
                          {"y2", short_number(to.y)}});
}

Markup bar(std::string_view style, Point from, Point to) {
  return element("rect", {{"class", std::string(style)},
                          {"x", percent_text(std::min(from.x, to.x))},
                          {"y", short_number(std::min(from.y, to.y))},
                          {"width", percent_text(std::abs(to.x - from.x))},
                          {"height", short_number(std::abs(to.y - from.y))}});
}

Markup label(std::string_view style, Point at, std::string_view text, Anchor anchor) {
  return element("text",
                 {{"class", std::string(style)},
                  {"x", percent_text(at.x)},
                  {"y", short_number(at.y)},
                  {"text-anchor", anchor_name(anchor)}},
                 text);
}

Markup marker(std::string_view style, Point at, double radius, std::string_view title) {
  Markup inner;
  if (!title.empty()) inner += element("title", {}, title);
  inner += element("path", {{"d", shape_path(style, radius)}});
  return element("svg",
                 {{"class", "mark " + std::string(style)},
                  {"x", percent_text(at.x)},
                  {"y", short_number(at.y)}},
                 inner);
}

Markup marker_icon(std::string_view style) {
  return element("svg",
                 {{"class", "icon mark " + std::string(style)},
                  {"viewBox", "-7 -7 14 14"},
                  {"width", "14"},
                  {"height", "14"},
                  {"aria-hidden", "true"}},
                 element("path", {{"d", shape_path(style, 5)}}));
}

Markup grid(const Scale& scale, const AxisLook& look) {
  Markup out;
  const Scale shown{scale.low * look.factor, scale.high * look.factor};
  for (const double value : nice_ticks(shown, look.wanted).at) {
    const double x = shown.percent(value);
    out += line(value == 0 ? "zero" : "tick", {x, 0}, {x, look.height});
  }
  return out;
}

Markup axis(const Scale& scale, const AxisLook& look) {
  Markup out = grid(scale, look);
  const Scale shown{scale.low * look.factor, scale.high * look.factor};
  const Ticks ticks = nice_ticks(shown, look.wanted);
  for (const double value : ticks.at) {
    const std::string text =
        look.with_sign ? signed_decimal(value, ticks.decimals) : decimal(value, ticks.decimals);
    out += label("tick-label", {shown.percent(value), look.height + 16}, text + look.unit);
  }
  return out;
}

}  // namespace diptych::report
