// Separable resampling with a triangle or a Lanczos filter, in fixed point: 8-bit pixels between
// the two passes, weights of 22 bits, which is how Pillow does it, so that the results agree.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>

#include "base/vectorised.h"
#include "image/codecs.h"
#include "image/image.h"

namespace diptych {
namespace {

constexpr int kWeightBits = 22;

struct Tap {
  int first = 0;          // first source pixel
  std::size_t begin = 0;  // its weight's place in Filter::weights
  int count = 0;
};

// For every target pixel the source pixels it is made of.
struct Filter {
  std::vector<Tap> taps;
  std::vector<std::int32_t> weights;
};

struct Kernel {
  double radius;
  double (*weight)(double distance);  // within the radius
};

constexpr Kernel kTriangle{1, [](double x) { return std::max(0.0, 1.0 - std::abs(x)); }};

double sinc(double x) {
  return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}
constexpr Kernel kLanczos{3, [](double x) { return std::abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0; }};

Filter make_filter(const Kernel& kernel, int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double widened = std::max(1.0, scale);
  const double support = kernel.radius * widened;
  Filter filter;
  std::vector<double> weights;
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int last = std::min(from, static_cast<int>(centre + support + 0.5));
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

constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

// Four rows are narrowed together: the pixels that stand above each other, each with a fourth
// channel that is not looked at, fill two registers when they are summed.
constexpr int kRows = 4, kLanes = 4 * kRows;
using Bytes [[gnu::vector_size(kLanes)]] = std::uint8_t;
using Pixels [[gnu::vector_size(kLanes)]] = std::uint32_t;  // four of four channels
using Half [[gnu::vector_size(kLanes * 2)]] = std::int32_t;

// kLanes sums of weighted bytes. (Loops over arrays, since the compiler widens vectors one number
// at a time.)
class Sums {
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
    const BothBytes lowest =
        __builtin_shuffle(reinterpret_cast<BothBytes>(halves[0]),
                          reinterpret_cast<BothBytes>(halves[1]), kLowest);
    std::array<std::uint8_t, kLanes> result;
    std::memcpy(result.data(), &lowest, sizeof result);
    return result;
  }

 private:
  std::array<Half, 2> halves_ = {Half{} + kHalf, Half{} + kHalf};
};

[[gnu::always_inline]] inline void store(Pixels pixels, std::uint8_t* to) {
  std::memcpy(to, &pixels, sizeof pixels);
}

// rows: kRows pointers to [W,3]; to: [W,kRows,4], of which the fourth channel may hold anything.
DIPTYCH_VECTORISED void interleave(const std::array<const std::uint8_t*, kRows>& rows, int width,
                                   std::uint8_t* to) {
  constexpr Bytes kWidened = {0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0};
  int x = 0;
  for (; 3 * x + kLanes <= 3 * width; x += 4, to += 4 * kLanes) {
    std::array<Pixels, kRows> row;  // four pixels each: a square to transpose
    for (std::size_t r = 0; r < kRows; ++r) {
      Bytes bytes;
      std::memcpy(&bytes, rows[r] + 3 * x, sizeof bytes);
      row[r] = reinterpret_cast<Pixels>(__builtin_shuffle(bytes, kWidened));
    }
    constexpr Pixels kLow = {0, 4, 1, 5}, kHigh = {2, 6, 3, 7};
    const Pixels low02 = __builtin_shuffle(row[0], row[2], kLow);
    const Pixels low13 = __builtin_shuffle(row[1], row[3], kLow);
    const Pixels high02 = __builtin_shuffle(row[0], row[2], kHigh);
    const Pixels high13 = __builtin_shuffle(row[1], row[3], kHigh);
    store(__builtin_shuffle(low02, low13, kLow), to);
    store(__builtin_shuffle(low02, low13, kHigh), to + kLanes);
    store(__builtin_shuffle(high02, high13, kLow), to + 2 * kLanes);
    store(__builtin_shuffle(high02, high13, kHigh), to + 3 * kLanes);
  }
  for (; x < width; ++x) {
    for (const std::uint8_t* row : rows) {
      std::memcpy(to, row + 3 * x, 3);
      to += 4;
    }
  }
}

// from: [W,kRows,4]; to: kRows rows of [taps,3].
DIPTYCH_VECTORISED void narrow_rows(const std::uint8_t* from, const Filter& filter,
                                    const std::array<std::uint8_t*, kRows>& to) {
  for (std::size_t i = 0; i < filter.taps.size(); ++i) {
    const Tap& tap = filter.taps[i];
    const std::uint8_t* next = from + std::ptrdiff_t{kLanes} * tap.first;
    const std::int32_t* weight = filter.weights.data() + tap.begin;
    Sums sums;
    for (int k = 0; k < tap.count; ++k, next += kLanes) sums.add(next, weight[k]);
    const auto bytes = sums.bytes();
    for (std::size_t row = 0; row < kRows; ++row) {
      std::memcpy(to[row] + 3 * i, bytes.data() + 4 * row, 3);
    }
  }
}

// rows: count of [bytes], one after the other; to: [bytes], their sum by the weights.
DIPTYCH_VECTORISED void merge_rows(const std::uint8_t* rows, const std::int32_t* weights, int count,
                                   std::size_t bytes, std::uint8_t* to) {
  std::size_t x = 0;
  for (; x + kLanes <= bytes; x += kLanes) {
    Sums sums;
    const std::uint8_t* next = rows + x;
    for (int k = 0; k < count; ++k, next += bytes) sums.add(next, weights[k]);
    const auto merged = sums.bytes();
    std::memcpy(to + x, merged.data(), merged.size());
  }
  for (; x < bytes; ++x) {
    std::int32_t sum = kHalf;
    for (int k = 0; k < count; ++k) {
      sum += weights[k] * rows[static_cast<std::size_t>(k) * bytes + x];
    }
    to[x] = static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
  }
}

Image resize_width(const Image& image, const Kernel& kernel, int width) {
  const Filter filter = make_filter(kernel, image.width, width);
  Image result{width, image.height, {}};
  result.pixels.resize(image_bytes(width, image.height, 3));
  std::vector<std::uint8_t> together(image_bytes(image.width, 1, kLanes));
  for (int y = 0; y < image.height; y += kRows) {
    std::array<const std::uint8_t*, kRows> from;
    std::array<std::uint8_t*, kRows> to;
    for (int row = 0; row < kRows; ++row) {  // beyond the end the last row, once more
      const int at = std::min(y + row, image.height - 1);
      from[static_cast<std::size_t>(row)] = image.pixels.data() + image_bytes(image.width, at, 3);
      to[static_cast<std::size_t>(row)] = result.pixels.data() + image_bytes(width, at, 3);
    }
    interleave(from, image.width, together.data());
    narrow_rows(together.data(), filter, to);
  }
  return result;
}

Image resize_height(const Image& image, const Kernel& kernel, int height) {
  const Filter filter = make_filter(kernel, image.height, height);
  Image result{image.width, height, {}};
  result.pixels.resize(image_bytes(image.width, height, 3));
  const std::size_t bytes = image_bytes(image.width, 1, 3);
  std::uint8_t* to = result.pixels.data();
  for (const Tap& tap : filter.taps) {
    merge_rows(image.pixels.data() + image_bytes(image.width, tap.first, 3),
               filter.weights.data() + tap.begin, tap.count, bytes, to);
    to += bytes;
  }
  return result;
}

Image centre_square(const Image& image) {
  const int side = std::min(image.width, image.height);
  const int left = (image.width - side) / 2, top = (image.height - side) / 2;
  Image result{side, side, {}};
  result.pixels.resize(image_bytes(side, side, 3));
  for (int y = 0; y < side; ++y) {
    std::memcpy(result.pixels.data() + image_bytes(side, y, 3),
                image.pixels.data() + image_bytes(image.width, top + y, 3) + 3 * left,
                image_bytes(side, 1, 3));
  }
  return result;
}

Image padded(const Image& image, int side) {
  const double scale = static_cast<double>(side) / std::max(image.width, image.height);
  const auto scaled = [&](int length) {
    return std::clamp(static_cast<int>(std::lround(length * scale)), 1, side);
  };
  const Image inner = resize(image, scaled(image.width), scaled(image.height));
  const int left = (side - inner.width) / 2, top = (side - inner.height) / 2;
  Image result{side, side, {}};
  result.pixels.assign(image_bytes(side, side, 3), 255);
  for (int y = 0; y < inner.height; ++y) {
    std::memcpy(result.pixels.data() + image_bytes(side, top + y, 3) + 3 * left,
                inner.pixels.data() + image_bytes(inner.width, y, 3),
                image_bytes(inner.width, 1, 3));
  }
  return result;
}

void require_pixels(const Image& image) {
  if (image.width < 1 || image.height < 1) refuse_image("the picture has no pixels");
}

Image resize_by(const Kernel& kernel, const Image& image, int width, int height) {
  require_pixels(image);
  if (width < 1 || height < 1) refuse_image("a picture cannot be resized to nothing");
  if (width == image.width) {
    return height == image.height ? image : resize_height(image, kernel, height);
  }
  const Image narrow = resize_width(image, kernel, width);
  return height == image.height ? narrow : resize_height(narrow, kernel, height);
}

}  // namespace

Image resize(const Image& image, int width, int height) {
  return resize_by(kTriangle, image, width, height);
}

std::vector<std::uint8_t> grey_square(const Image& image, int side) {
  Image grey{image.width, image.height, std::vector<std::uint8_t>(image.pixels.size())};
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    const int sum = 19595 * image.pixels[i] + 38470 * image.pixels[i + 1] +
                    7471 * image.pixels[i + 2] + 0x8000;  // ITU-R BT.601 in 16 bits
    std::fill_n(grey.pixels.begin() + static_cast<std::ptrdiff_t>(i), 3,
                static_cast<std::uint8_t>(sum >> 16));
  }
  const Image small = resize_by(kLanczos, grey, side, side);
  std::vector<std::uint8_t> result;
  for (std::size_t i = 0; i < small.pixels.size(); i += 3) result.push_back(small.pixels[i]);
  return result;
}

Image fit_square(const Image& image, int side, ImageFit fit) {
  require_pixels(image);
  switch (fit) {
    case ImageFit::stretch:
      return resize(image, side, side);
    case ImageFit::pad:
      return padded(image, side);
    case ImageFit::crop:
      return resize(centre_square(image), side, side);
  }
  return resize(image, side, side);
}

}  // namespace diptych
