#include "image/perceptual_hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace diptych {
namespace {

constexpr std::size_t kSide = 32, kLow = 8;

// The first rows of the cosine transform (DCT-II), [8,32].
std::array<double, kLow * kSide> cosines() {
  std::array<double, kLow * kSide> table;
  for (std::size_t k = 0; k < kLow; ++k) {
    for (std::size_t n = 0; n < kSide; ++n) {
      const double turn = static_cast<double>(k * (2 * n + 1)) / (2 * kSide);
      table[k * kSide + n] = 2 * std::cos(std::numbers::pi * turn);
    }
  }
  return table;
}

std::array<double, kLow * kLow> low_frequencies(std::span<const std::uint8_t> grey) {
  static const std::array<double, kLow* kSide> table = cosines();
  std::array<double, kLow * kSide> columns{};  // transformed along y: [8,32]
  for (std::size_t k = 0; k < kLow; ++k) {
    for (std::size_t y = 0; y < kSide; ++y) {
      for (std::size_t x = 0; x < kSide; ++x) {
        columns[k * kSide + x] += table[k * kSide + y] * grey[y * kSide + x];
      }
    }
  }
  std::array<double, kLow * kLow> low{};
  for (std::size_t k = 0; k < kLow; ++k) {
    for (std::size_t l = 0; l < kLow; ++l) {
      double sum = 0;
      for (std::size_t x = 0; x < kSide; ++x) {
        sum += table[l * kSide + x] * columns[k * kSide + x];
      }
      // What is nothing but rounding (a mirror-symmetric picture has many) must not become bits.
      low[k * kLow + l] = std::abs(sum) < 1e-6 ? 0 : sum;
    }
  }
  return low;
}

}  // namespace

std::uint64_t perceptual_hash(const Image& image) {
  const auto low = low_frequencies(grey_square(image, kSide));
  auto sorted = low;
  std::sort(sorted.begin(), sorted.end());
  const double median = (sorted[kLow * kLow / 2 - 1] + sorted[kLow * kLow / 2]) / 2;
  std::uint64_t hash = 0;
  for (double value : low) hash = hash << 1 | (value > median ? 1U : 0U);
  return hash;
}

std::string hash_text(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

}  // namespace diptych
