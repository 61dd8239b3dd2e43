// Pictures and filters at the points of packed_patches.h, where training multiplies them in fp32.
// Free of torch.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "nn/packed_weights.h"

namespace diptych {

constexpr int kPatch = 5;          // a side of the outputs that are made together
constexpr int kSeen = kPatch + 2;  // a side of what these see
constexpr int kPatchPoints = kSeen * kSeen;

// [count,side,side,C] of fp32 or bf16.
template <typename Byte>
struct PicturesOf {
  Byte* numbers = nullptr;
  std::int64_t count = 0, side = 0, channels = 0;
  Arithmetic arithmetic = Arithmetic::fp32;
  std::int64_t picture_bytes() const {
    return side * side * channels * bytes_of_number(arithmetic);
  }
  std::int64_t patches_across() const { return (side + kPatch - 1) / kPatch; }
  std::int64_t patches() const { return count * patches_across() * patches_across(); }
};
using Pictures = PicturesOf<const std::byte>;
using WrittenPictures = PicturesOf<std::byte>;

// [count,side,side,3], of which numbers are made: byte · scale + shift.
struct BytePictures {
  const std::uint8_t* bytes = nullptr;
  std::int64_t count = 0, side = 0;
  std::array<float, 3> scale{}, shift{};  // of each channel
};

// From the so many numbers of a point to those of the next. A cache line is left between them: no
// two points of a power of two of numbers fall on the same lines of a cache.
constexpr std::int64_t points_apart(std::int64_t count) { return count + 16; }

// Numbers of so many patches at each point, a register's channels of all patches side by side:
// [points, C/lanes, patches, lanes].
struct PatchPoints {
  float* numbers = nullptr;
  std::int64_t patches = 0, channels = 0;
  std::int64_t apart() const { return points_apart(patches * channels); }
  std::int64_t size() const { return kPatchPoints * apart(); }
  // channel: the first of a register.
  float* at(std::int64_t point, std::int64_t patch, std::int64_t channel, int lanes) const {
    return numbers + point * apart() + channel * patches + patch * lanes;
  }
};

// Filters at each point: [points, O/block, C, block].
struct PointFilters {
  float* numbers = nullptr;
  std::int64_t outputs = 0, channels = 0;
  std::int64_t apart() const { return points_apart(outputs * channels); }
  std::int64_t size() const { return kPatchPoints * apart(); }
  // output: the first of a block.
  float* at(std::int64_t point, std::int64_t output) const {
    return numbers + point * apart() + output * channels;
  }
};

}  // namespace diptych
