#include "image/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>

#include "base/vectorised.h"

namespace diptych {
namespace {

constexpr int kWeightBits = 22;
constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double sinc(double x) {
  return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}
double lanczos(double x) { return std::abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0; }

// kLanes sums of weighted bytes. (Loops over arrays, since the compiler widens vectors one number
// at a time.)
class Sums {
  using Half [[gnu::vector_size(kLanes * 2)]] = std::int32_t;

 public:
  [[gnu::always_inline]] void add(const std::uint8_t* bytes, std::int32_t weight) {
    for (Half& sums : halves_) {
      std::array<std::int32_t, kLanes / 2> wide;
      for (int i = 0; i < kLanes / 2; ++i) wide[static_cast<std::size_t>(i)] = *bytes++;
      Half numbers;
      std::memcpy(&numbers, wide.data(), sizeof numbers);
      sums += weight * numbers;
    }
  }

  // Rounded, and within what a byte holds.
  [[gnu::always_inline]] std::array<std::uint8_t, kLanes> bytes() const {
    std::array<Half, 2> halves;
    for (std::size_t half = 0; half < 2; ++half) {
      Half sums = halves_[half] >> kWeightBits;
      sums = sums < 0 ? Half{} : sums;
      halves[half] = sums > 255 ? Half{} + 255 : sums;
    }
    using BothBytes [[gnu::vector_size(kLanes * 2)]] = std::uint8_t;
    constexpr BothBytes kLowest = {0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60};
    const BothBytes lowest = __builtin_shuffle(reinterpret_cast<BothBytes>(halves[0]),
                                               reinterpret_cast<BothBytes>(halves[1]), kLowest);
    std::array<std::uint8_t, kLanes> result;
    std::memcpy(result.data(), &lowest, sizeof result);
    return result;
  }

 private:
  std::array<Half, 2> halves_ = {Half{} + kHalf, Half{} + kHalf};
};

// Of every `stride` bytes from `from` on.
[[gnu::always_inline]] inline void sum_lanes(const std::uint8_t* from, std::size_t stride,
                                             const Filter& filter, const Tap& tap,
                                             std::uint8_t* to) {
  const std::uint8_t* next = from + static_cast<std::size_t>(tap.first) * stride;
  const std::int32_t* weight = filter.weights.data() + tap.begin;
  Sums sums;
  for (int k = 0; k < tap.count; ++k, next += stride) sums.add(next, weight[k]);
  const auto bytes = sums.bytes();
  std::memcpy(to, bytes.data(), bytes.size());
}

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

DIPTYCH_VECTORISED void narrow(const std::uint8_t* from, const Filter& filter, std::uint8_t* to) {
  for (const Tap& tap : filter.taps) {
    sum_lanes(from, kLanes, filter, tap, to);
    to += kLanes;
  }
}

DIPTYCH_VECTORISED void merge_rows(const std::uint8_t* rows, const Filter& filter,
                                   std::size_t bytes, std::uint8_t* to) {
  for (const Tap& tap : filter.taps) {
    std::size_t x = 0;
    for (; x + kLanes <= bytes; x += kLanes) sum_lanes(rows + x, bytes, filter, tap, to + x);
    for (; x < bytes; ++x) {
      std::int32_t sum = kHalf;
      for (int k = 0; k < tap.count; ++k) {
        sum += filter.weights[tap.begin + static_cast<std::size_t>(k)] *
               rows[static_cast<std::size_t>(tap.first + k) * bytes + x];
      }
      to[x] = static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
    }
    to += bytes;
  }
}

}  // namespace diptych
