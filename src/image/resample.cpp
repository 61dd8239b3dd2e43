#include "image/resample.h"

#include <cmath>
#include <numbers>

#include "base/vectorised.h"

namespace diptych {
namespace {

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double sinc(double x) {
  return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}
double lanczos(double x) { return std::abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0; }

}  // namespace

const Kernel kTriangle{1, triangle}, kLanczos{3, lanczos};

Filter make_filter(const Kernel& kernel, Stretch part, int to) {
  const double scale = part.length / to;
  const double widened = std::max(1.0, scale);
  const double support = kernel.radius * widened;
  const int begin = static_cast<int>(part.start);
  const int end = static_cast<int>(std::ceil(part.start + part.length));
  Filter filter;
  std::vector<double> weights;
  for (int i = 0; i < to; ++i) {
    const double centre = part.start + (i + 0.5) * scale;
    const int first = std::max(begin, static_cast<int>(centre - support + 0.5));
    const int last = std::min(end, static_cast<int>(centre + support + 0.5));
    weights.clear();
    double sum = 0;
    for (int x = first; x < last; ++x) {
      weights.push_back(kernel.weight((x + 0.5 - centre) / widened));
      sum += weights.back();
    }
    filter.taps.push_back({first, filter.weights.size(), last - first});
    for (double weight : weights) {
      filter.weights.push_back(
          static_cast<std::int32_t>(std::lround(weight / sum * (1 << kWeightBits))));
    }
  }
  return filter;
}

DIPTYCH_VECTORISED
void merge_rows(const std::uint8_t* rows, const std::int32_t* weights, int count, std::size_t bytes,
                std::uint8_t* to) {
  std::size_t x = 0;
  for (; x + kLanes <= bytes; x += kLanes) {
    Sums sums;
    const std::uint8_t* next = rows + x;
    for (int k = 0; k < count; ++k, next += bytes) sums.add(next, weights[k]);
    const auto merged = sums.bytes();
    std::memcpy(to + x, merged.data(), merged.size());
  }
  for (; x < bytes; ++x) {
    std::int32_t sum = 1 << (kWeightBits - 1);
    for (int k = 0; k < count; ++k) {
      sum += weights[k] * rows[static_cast<std::size_t>(k) * bytes + x];
    }
    to[x] = static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
  }
}

}  // namespace diptych
