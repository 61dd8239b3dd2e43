// Numbers as a reader meets them: true minus signs, grouped thousands, units, "–" for what is not
// known. Not-a-number stands for "not known" throughout the report.
#pragma once
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace diptych::report {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// How one score is named, scaled and judged.
struct Measurement {
  std::string_view key;  // in results.json
  std::string_view title;
  double factor;  // 100: shown in points or per cent
  int decimals;
  bool less_is_better;
  std::string_view unit;  // of a value
  std::string_view difference_unit;
};
std::span<const Measurement> measurements();  // accuracy, macro-F1, log loss, calibration error
const Measurement& measurement(std::string_view key);  // accuracy when the key is none of them

std::string decimal(double value, int decimals);         // "12.30", "−0.1"
std::string signed_decimal(double value, int decimals);  // "+4.1", "−0.3", "0.0"
std::string percent(double share, int decimals = 1);     // 0.836 → "83.6 %"
std::string count(double number);                        // "12,345"
std::string p_value(double p);                           // "< 0.001", "0.013", "0.42"
std::string duration(double seconds);                    // "48 s", "4 min 12 s", "2 h 5 min"
std::string plural(double number, std::string_view one, std::string_view many);  // "1 run"

// A value or a difference of one measurement with its unit.
std::string value_text(const Measurement& measurement, double value);
std::string difference_text(const Measurement& measurement, double difference);

// "image only", "text only", "image + text"; another recipe keeps its name.
std::string recipe_title(std::string_view recipe);
// The style class that carries the recipe's colour: image, text, fused, other.
std::string recipe_style(std::string_view recipe);

}  // namespace diptych::report
