// Resampling along one direction in fixed point: 8-bit numbers in and out, weights of 22 bits,
// which is how Pillow does it, so that the results agree.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace diptych {

constexpr int kWeightBits = 22;

// For every target pixel the source pixels that it is made of.
struct Tap {
  int first = 0;          // first source pixel
  std::size_t begin = 0;  // its weight's place in Filter::weights
  int count = 0;
};
struct Filter {
  std::vector<Tap> taps;
  std::vector<std::int32_t> weights;
};

struct Kernel {
  double radius;
  double (*weight)(double distance);  // within the radius
};
extern const Kernel kTriangle, kLanczos;

// Part of a line of pixels, which need not begin or end between two of them.
struct Stretch {
  double start = 0, length = 0;
};

// From part of a line, and nothing beyond it, to a line of `to`.
Filter make_filter(const Kernel& kernel, Stretch part, int to);

// rows: [count, bytes]; to: [bytes], the sum of the rows by their weights.
void merge_rows(const std::uint8_t* rows, const std::int32_t* weights, int count, std::size_t bytes,
                std::uint8_t* to);

constexpr int kLanes = 16;
using Bytes [[gnu::vector_size(kLanes)]] = std::uint8_t;

// kLanes sums of weighted bytes. (Loops over arrays, since the compiler widens vectors one number
// at a time.)
class Sums {
  using Half [[gnu::vector_size(kLanes * 2)]] = std::int32_t;
  static constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

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

}  // namespace diptych
