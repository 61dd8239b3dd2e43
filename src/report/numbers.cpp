#include "report/numbers.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace diptych::report {
namespace {

constexpr std::string_view kMinus = "\u2212";
constexpr std::string_view kNarrowSpace = "\u202F";

constexpr std::array<Measurement, 4> kMeasurements{{
    {"accuracy", "Accuracy", 100, 1, false, "\u202F%", " points"},
    {"macro_f1", "Macro-F1", 100, 1, false, "\u202F%", " points"},
    {"log_loss", "Log loss", 1, 3, true, "", ""},
    {"calibration_error", "Calibration error", 100, 1, true, "\u202F%", " points"},
}};

// Digits of |value|, and whether they are all zero, so that no "−0.0" is shown.
std::string digits(double value, int decimals) {
  return fmt::format("{:.{}f}", std::abs(value), decimals);
}

bool rounds_to_zero(const std::string& text) {
  return text.find_first_not_of("0.") == std::string::npos;
}

}  // namespace

std::span<const Measurement> measurements() { return kMeasurements; }

const Measurement& measurement(std::string_view key) {
  for (const Measurement& row : kMeasurements) {
    if (row.key == key) return row;
  }
  return kMeasurements.front();
}

std::string decimal(double value, int decimals) {
  if (!std::isfinite(value)) return "–";
  const std::string text = digits(value, decimals);
  return value < 0 && !rounds_to_zero(text) ? std::string(kMinus) + text : text;
}

std::string signed_decimal(double value, int decimals) {
  const std::string text = decimal(value, decimals);
  return value > 0 && std::isfinite(value) && !rounds_to_zero(text) ? "+" + text : text;
}

std::string percent(double share, int decimals) {
  if (!std::isfinite(share)) return "–";
  return decimal(share * 100, decimals) + std::string(kNarrowSpace) + "%";
}

std::string count(double number) {
  if (!std::isfinite(number)) return "–";
  std::string text = digits(number, 0);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(at, ",");
  return number < 0 && !rounds_to_zero(text) ? std::string(kMinus) + text : text;
}

std::string p_value(double p) {
  if (!std::isfinite(p)) return "–";
  if (p < 0.001) return "<\u202F0.001";
  return decimal(p, p < 0.1 ? 3 : 2);
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "–";
  if (seconds < 10) return decimal(seconds, 1) + "\u202Fs";
  if (seconds < 59.5) return decimal(seconds, 0) + "\u202Fs";
  const double whole = std::round(seconds);
  const double minutes = std::floor(whole / 60);
  if (whole < 3600) return fmt::format("{}\u202Fmin {}\u202Fs", minutes, whole - minutes * 60);
  const double hours = std::floor(minutes / 60);
  return fmt::format("{}\u202Fh {}\u202Fmin", count(hours), minutes - hours * 60);
}

std::string plural(double number, std::string_view one, std::string_view many) {
  return count(number) + " " + std::string(number == 1 ? one : many);
}

std::string value_text(const Measurement& measurement, double value) {
  if (!std::isfinite(value)) return "–";
  return decimal(value * measurement.factor, measurement.decimals) + std::string(measurement.unit);
}

std::string difference_text(const Measurement& measurement, double difference) {
  if (!std::isfinite(difference)) return "–";
  return signed_decimal(difference * measurement.factor, measurement.decimals) +
         std::string(measurement.difference_unit);
}

std::string recipe_title(std::string_view recipe) {
  if (recipe == "image") return "image only";
  if (recipe == "text") return "text only";
  if (recipe == "image,text") return "image + text";
  return std::string(recipe);
}

std::string recipe_style(std::string_view recipe) {
  if (recipe == "image" || recipe == "text") return std::string(recipe);
  return recipe == "image,text" ? "fused" : "other";
}

}  // namespace diptych::report
