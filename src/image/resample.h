// Resampling along one direction in fixed point: 8-bit numbers in and out, weights of 22 bits,
// which is how Pillow does it, so that the results agree.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace diptych {

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

// What is summed at once: bytes of one register.
constexpr int kLanes = 16;
using Bytes [[gnu::vector_size(kLanes)]] = std::uint8_t;

// Lines of numbers that stand side by side, kLanes of them. from: [W,kLanes], to: [taps,kLanes].
void narrow(const std::uint8_t* from, const Filter& filter, std::uint8_t* to);

// Lines that run down through rows. rows: [H,bytes], to: [taps,bytes].
void merge_rows(const std::uint8_t* rows, const Filter& filter, std::size_t bytes,
                std::uint8_t* to);

}  // namespace diptych
