// The tests that a verdict rests on; declared in comparison.h.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "metrics/comparison.h"

namespace diptych {
namespace {

// The continued fraction of the incomplete beta function, by Lentz's method (Numerical
// Recipes 6.4).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300, kPrecision = 1e-15;
  constexpr int kMaxTerms = 10000;
  const auto nonzero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1, d = 1 / nonzero(1 - (a + b) * x / (a + 1)), result = d;
  for (int m = 1; m <= kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    result *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    result *= d * c;
    if (std::abs(d * c - 1) < kPrecision) break;
  }
  return result;
}

double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

}  // namespace

double student_t_two_sided_p(double t, double degrees) {
  if (std::isinf(t)) return 0;
  return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

double student_t_quantile(double probability, double degrees) {
  if (probability == 0.5) return 0;
  const bool upper = probability > 0.5;
  const double tails = 2 * (upper ? 1 - probability : probability);
  double low = 0, high = 1;
  while (student_t_two_sided_p(high, degrees) > tails) high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-14 * high; ++i) {
    const double middle = (low + high) / 2;
    (student_t_two_sided_p(middle, degrees) > tails ? low : high) = middle;
  }
  return upper ? (low + high) / 2 : -(low + high) / 2;
}

Interval corrected_resampled_interval(std::span<const double> per_split, double test_to_train) {
  const auto n = static_cast<double>(per_split.size());
  Interval interval;
  interval.per_seed.assign(per_split.begin(), per_split.end());
  interval.mean = std::accumulate(per_split.begin(), per_split.end(), 0.0) / n;
  double squares = 0;
  for (double value : per_split) squares += (value - interval.mean) * (value - interval.mean);
  const double error = std::sqrt((1 / n + test_to_train) * squares / (n - 1));
  const double reach = student_t_quantile(0.975, n - 1) * error;
  interval.low = interval.mean - reach;
  interval.high = interval.mean + reach;
  return interval;
}

double mcnemar_exact_p(std::int64_t only_a_right, std::int64_t only_b_right) {
  const std::int64_t n = only_a_right + only_b_right, least = std::min(only_a_right, only_b_right);
  if (n == 0) return 1;
  double tail = 0;
  for (std::int64_t k = 0; k <= least; ++k) {
    tail += std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) -
                     static_cast<double>(n) * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> corrected(p.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, p[order[rank]] * static_cast<double>(order.size() - rank));
    corrected[order[rank]] = std::min(1.0, largest);
  }
  return corrected;
}

}  // namespace diptych
