#include "image/planes.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/vectorised.h"
#include "image/codecs.h"

namespace diptych {
namespace {

using Square = std::array<Bytes, kLanes>;

// Row r, byte c becomes row c, byte r: four rounds of interleaving the upper half with the lower.
[[gnu::always_inline]] inline void transpose(Square& square) {
  constexpr Bytes kFirst = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23};
  constexpr Bytes kSecond = {8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  for (int round = 0; round < 4; ++round) {
    const Square from = square;
    for (std::size_t i = 0; i < kLanes / 2; ++i) {
      square[2 * i] = __builtin_shuffle(from[i], from[i + kLanes / 2], kFirst);
      square[2 * i + 1] = __builtin_shuffle(from[i], from[i + kLanes / 2], kSecond);
    }
  }
}

// from: kLanes rows `from_stride` apart, of `columns` bytes; to: `columns` rows `to_stride` apart,
// of kLanes bytes. columns: a multiple of kLanes.
DIPTYCH_VECTORISED void transpose_strip(const std::uint8_t* from, std::size_t from_stride,
                                        std::size_t columns, std::uint8_t* to,
                                        std::size_t to_stride) {
  for (std::size_t x = 0; x < columns; x += kLanes) {
    Square square;
    for (std::size_t i = 0; i < kLanes; ++i) {
      std::memcpy(&square[i], from + i * from_stride + x, kLanes);
    }
    transpose(square);
    for (std::size_t i = 0; i < kLanes; ++i) {
      std::memcpy(to + (x + i) * to_stride, &square[i], kLanes);
    }
  }
}

constexpr int whole_lanes(int count) { return (count + kLanes - 1) / kLanes * kLanes; }

// The rows are taken kLanes at a time and stood upright, so that one sum serves them all.
Plane resample(const Plane& plane, Stretch across, Stretch down, int width, int height) {
  const Filter columns = make_filter(kTriangle, across, width);
  const Filter rows = make_filter(kTriangle, down, height);
  Plane between(width, whole_lanes(plane.height));
  std::vector<std::uint8_t> upright(plane.stride * kLanes), narrowed(between.stride * kLanes);
  for (std::size_t y = 0; y < plane.samples.size(); y += kLanes * plane.stride) {
    transpose_strip(plane.samples.data() + y, plane.stride, plane.stride, upright.data(), kLanes);
    narrow(upright.data(), columns, narrowed.data());
    std::uint8_t* to = between.samples.data() + y / plane.stride * between.stride;
    for (std::size_t x = 0; x < between.stride; x += kLanes) {
      transpose_strip(narrowed.data() + x * kLanes, kLanes, kLanes, to + x, between.stride);
    }
  }
  Plane result(width, height);
  merge_rows(between.samples.data(), rows, between.stride, result.samples.data());
  return result;
}

// JFIF's colours in 16 bits, as libjpeg rounds them.
constexpr int kColourBits = 16, kColourHalf = 1 << (kColourBits - 1);
constexpr int fixed(double value) {
  return static_cast<int>(value * (1 << kColourBits) + (value < 0 ? -0.5 : 0.5));
}

std::uint8_t byte(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

DIPTYCH_VECTORISED void colour_row(const std::uint8_t* brightness, const std::uint8_t* blue,
                                   const std::uint8_t* red, int width, std::uint8_t* to) {
  for (int x = 0; x < width; ++x) {
    const int y = brightness[x], cb = blue[x] - 128, cr = red[x] - 128;
    to[3 * x] = byte(y + ((fixed(1.402) * cr + kColourHalf) >> kColourBits));
    to[3 * x + 1] = byte(
        y + ((fixed(-0.344136286) * cb + fixed(-0.714136286) * cr + kColourHalf) >> kColourBits));
    to[3 * x + 2] = byte(y + ((fixed(1.772) * cb + kColourHalf) >> kColourBits));
  }
}

}  // namespace

Plane::Plane(int columns, int rows)
    : width(columns),
      height(rows),
      stride(static_cast<std::size_t>(whole_lanes(columns))),
      samples(stride * static_cast<std::size_t>(whole_lanes(rows))) {}

Image compose(const Planes& planes, Stretch across, Stretch down, int width, int height) {
  const auto shrunk = [](Stretch part, int by) {
    return Stretch{part.start / by, part.length / by};
  };
  std::vector<Plane> small;
  for (const Plane& plane : planes.planes) {
    const bool is_colour = !small.empty();
    small.push_back(resample(plane, shrunk(across, is_colour ? planes.across : 1),
                             shrunk(down, is_colour ? planes.down : 1), width, height));
  }
  if (small.size() == 1) {  // grey
    Plane none(width, height);
    std::fill(none.samples.begin(), none.samples.end(), std::uint8_t{128});
    small.insert(small.end(), 2, none);
  }
  Image image{width, height, {}};
  image.pixels.resize(image_bytes(width, height, 3));
  for (int y = 0; y < height; ++y) {
    const std::size_t row = static_cast<std::size_t>(y) * small[0].stride;
    colour_row(&small[0].samples[row], &small[1].samples[row], &small[2].samples[row], width,
               image.pixels.data() + image_bytes(width, y, 3));
  }
  return image;
}

}  // namespace diptych
