// Drawing in SVG without a fixed width: x is in per cent of the plot's width, y in pixels, so a
// plot fills a wide screen and a phone while its letters keep their size. Margins are the wrapper's
// padding (style.cpp); what lies beside the plot is drawn outside 0–100 %. Colours are style
// classes.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/markup.h"

namespace diptych::report {

// Maps values to per cent; low may exceed high, which turns the direction round.
struct Scale {
  double low = 0, high = 1;
  double percent(double value) const;  // held within 0–100; 0 when the value is not known
};

// The least scale over the known values, with a margin (a share of its span) on both sides;
// around a single value, or [0, 1] when none is known, so that it never is of width zero.
Scale scale_over(std::span<const double> values, double margin);

struct Ticks {
  std::vector<double> at;  // within the scale, ascending
  int decimals = 0;        // that tell them apart
};
// Steps of 1, 2 or 5 times a power of ten, about `wanted` of them.
Ticks nice_ticks(const Scale& scale, int wanted);

// The scale moved outwards to the next ticks.
Scale rounded_out(const Scale& scale, int wanted);

enum class Anchor { start, middle, end };
// Where a label at x (per cent) must be anchored to stay inside the plot.
Anchor anchor_inside(double x);

// The plot's frame: full width, `height` pixels, named for screen readers.
Markup plot(double height, std::string_view name, const Markup& inner);

struct Point {
  double x = 0;  // per cent
  double y = 0;  // pixels
};
Markup line(std::string_view style, Point from, Point to);
Markup bar(std::string_view style, Point from, Point to);  // the rectangle between two corners
Markup label(std::string_view style, Point at, std::string_view text,
             Anchor anchor = Anchor::middle);

// One shape per recipe, so that colour is never the only sign: circle for image, diamond for text,
// square for both, triangle for others. title: shown on hover; may be empty.
Markup marker(std::string_view style, Point at, double radius, std::string_view title = "");
// The same beside words, on its own.
Markup marker_icon(std::string_view style);

// The axis under a plot: tick lines over `height` pixels, values below.
struct AxisLook {
  double height = 0;
  double factor = 1;  // values are multiplied by it
  bool with_sign = false;
  int wanted = 6;    // ticks
  std::string unit;  // behind each value
};
Markup axis(const Scale& scale, const AxisLook& look);
Markup grid(const Scale& scale, const AxisLook& look);  // the tick lines alone

std::string short_number(double value);  // for attributes: up to two decimals, no more than needed

}  // namespace diptych::report
