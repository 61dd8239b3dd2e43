// The verdict: the answer in words, as one hundred pictures and as an interval against zero.
#include <algorithm>
#include <cmath>

#include "report/plots.h"
#include "report/sections.h"

namespace diptych::report {
namespace {

constexpr double kPictureHeight = 108;
constexpr double kMarkHeight = 64;

std::vector<double> shown_values(const PairResult& pair) {
  std::vector<double> values = pair.difference.per_seed;
  values.insert(values.end(),
                {0.0, pair.difference.mean, pair.difference.low, pair.difference.high});
  return values;
}

// Zero keeps a quarter of the width on either side, so that "hurts" and "helps" are both in view.
Scale scale_around_zero(const PairResult& pair) {
  Scale scale = scale_over(shown_values(pair), 0.08);
  scale.low = std::min(scale.low, -scale.high / 3);
  scale.high = std::max(scale.high, -scale.low / 3);
  return scale;
}

std::vector<std::string> run_titles(const PairResult& pair) {
  std::vector<std::string> titles;
  for (std::size_t i = 0; i < pair.difference.per_seed.size(); ++i) {
    titles.push_back("run " + std::to_string(i + 1) + ": " +
                     difference_text(measurement(pair.metric), pair.difference.per_seed[i]));
  }
  return titles;
}

Markup end_value(double x, double value) {
  return label("end-value", {x, kMarkHeight - 16}, signed_decimal(value * 100, 1),
               anchor_inside(x));
}

// The mean above its marker; the ends of the interval where there is room for them.
Markup values_above(const Scale& scale, const Estimate& difference) {
  Markup out;
  const double x = scale.percent(difference.mean);
  if (!std::isfinite(difference.mean)) return out;
  out += label("mean-value", {x, kMarkHeight - 18},
               difference_text(measurement("accuracy"), difference.mean), anchor_inside(x));
  for (const double end : {difference.low, difference.high}) {
    if (!std::isfinite(end) || std::abs(scale.percent(end) - x) < 21) continue;
    out += end_value(scale.percent(end), end);
  }
  return out;
}

Markup difference_picture(const PairResult& pair) {
  const Scale scale = scale_around_zero(pair);
  const Estimate& difference = pair.difference;
  const double zero = scale.percent(0);
  Markup inner = bar("helps-side", {zero, 0}, {100, kPictureHeight});
  inner += axis(
      scale, {.height = kPictureHeight, .factor = 100, .with_sign = true, .wanted = 9, .unit = ""});
  inner += element("svg", {{"x", "8"}}, label("side", {zero, 17}, "text helps →", Anchor::start));
  inner += element("svg", {{"x", "-8"}}, label("side", {zero, 17}, "← text hurts", Anchor::end));
  inner += interval_mark(scale,
                         {"fused big", difference.mean, difference.low, difference.high,
                          difference.per_seed, run_titles(pair)},
                         kMarkHeight, 9);
  inner += values_above(scale, difference);
  const Measurement& accuracy = measurement("accuracy");
  const std::string name =
      "Accuracy of image + text minus image only: " + difference_text(accuracy, difference.mean) +
      ", 95 % interval " + difference_text(accuracy, difference.low) + " to " +
      difference_text(accuracy, difference.high);
  const Markup caption = element("figcaption", {},
                                 "Points of accuracy that image + text gains over image only. The "
                                 "bar is the 95\u202F% interval"
                                 ", each small dot one run.");
  return element("figure", {{"class", "difference"}},
                 element("div", {{"class", "frame"}}, plot(kPictureHeight, name, inner)) + caption);
}

Markup square_legend(std::string_view style, int number, std::string_view meaning) {
  return element("li", {},
                 element("span", {{"class", "swatch " + std::string(style)}}) +
                     element("b", {}, std::to_string(number)) + escaped(" ") + escaped(meaning));
}

int in_hundred(double share) {
  return static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * 100));
}

// Of one hundred test pictures: right without the text, gained or lost with it, wrong.
Markup hundred_pictures(const Results& results) {
  const RecipeResult* image = results.recipe("image");
  const RecipeResult* fused = results.recipe("image,text");
  if (image == nullptr || fused == nullptr) return {};
  if (!std::isfinite(image->accuracy().mean) || !std::isfinite(fused->accuracy().mean)) return {};
  const int before = in_hundred(image->accuracy().mean);
  const int after = in_hundred(fused->accuracy().mean);
  const int changed = after - before;
  Markup legend = square_legend("kept", std::min(before, after), "right with the image alone");
  if (changed < 0) legend = square_legend("kept", after, "right either way");
  const std::string doubt = results.verdict == "no clear gain" ? ", which may be chance" : "";
  if (changed > 0) legend += square_legend("gained", changed, "more right with the text" + doubt);
  if (changed < 0) legend += square_legend("lost", -changed, "lost with the text" + doubt);
  legend += square_legend("rest", 100 - std::max(before, after), "wrong");
  const std::string name = "Of 100 test pictures " + std::to_string(before) +
                           " are right with the image alone and " + std::to_string(after) +
                           " with image and text.";
  return element(
      "figure", {{"class", "hundred"}},
      hundred_squares(before, changed, name) +
          element("figcaption", {},
                  paragraph("Of 100 test pictures, on balance") + element("ul", {}, legend)));
}

std::string facts_line(const Results& results) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : " · ") + part; };
  if (std::isfinite(results.rows_used)) add(plural(results.rows_used, "row", "rows"));
  if (!results.classes.empty()) add(plural(results.classes.size(), "class", "classes"));
  if (results.runs() > 0) add(plural(results.runs(), "run", "runs"));
  if (std::isfinite(results.seconds)) add(duration(results.seconds));
  return text;
}

// "The text helps: +9.8 points …" becomes a line to read from afar and a line that is exact.
Markup headline(const Results& results) {
  const std::string sentence =
      results.sentence.empty() ? "No comparison was made" : results.sentence;
  const std::size_t colon = sentence.find(": ");
  if (colon == std::string::npos) return element("h1", {{"dir", "auto"}}, sentence);
  return element("h1", {},
                 element("span", {{"class", "claim"}}, sentence.substr(0, colon)) +
                     element("span", {{"class", "hidden"}}, ": ") +
                     element("span", {{"class", "exact"}}, sentence.substr(colon + 2)));
}

}  // namespace

Markup verdict_banner(const Results& results, const std::string& title) {
  const std::string name = title.empty() ? "Untitled dataset" : shortened(title, 120);
  Markup words = element("p", {{"class", "dataset"}, {"dir", "auto"}}, name);
  words += headline(results);
  const std::string facts = facts_line(results);
  if (!facts.empty()) words += element("p", {{"class", "facts-line"}}, facts);
  if (!results.caution.empty()) words += element("p", {{"class", "facts-line"}}, results.caution);
  Markup out = element("div", {{"class", "words"}}, words);
  out += hundred_pictures(results);
  const PairResult* pair = results.pair("image,text", "image", "accuracy");
  if (pair != nullptr && std::isfinite(pair->difference.mean)) out += difference_picture(*pair);
  const std::string style = results.verdict == "helps"   ? "verdict helps"
                            : results.verdict == "hurts" ? "verdict hurts"
                                                         : "verdict unclear";
  return element("header", {{"class", style}}, out);
}

}  // namespace diptych::report
