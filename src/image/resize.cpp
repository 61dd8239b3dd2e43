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

std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

// Four rows are narrowed together: the pixels that stand above each other, each with a fourth
// channel that is not looked at, fill a register.
constexpr int kRows = 4, kLanes = 4 * kRows;
using Sums [[gnu::vector_size(kLanes * 4)]] = std::int32_t;

// rows: kRows pointers to [W,3]; to: [W,kRows,4], widened here since each is read several times.
DIPTYCH_VECTORISED void interleave(const std::array<const std::uint8_t*, kRows>& rows, int width,
                                   std::int32_t* to) {
  for (int row = 0; row < kRows; ++row) {
    const std::uint8_t* from = rows[static_cast<std::size_t>(row)];
    std::int32_t* pixel = to + 4 * row;
    for (int x = 0; x < width; ++x, from += 3, pixel += kLanes) {
      pixel[0] = from[0];
      pixel[1] = from[1];
      pixel[2] = from[2];
    }
  }
}

// from: [W,kRows,4]; to: kRows rows of [taps,3].
DIPTYCH_VECTORISED void narrow_rows(const std::int32_t* from, const Filter& filter,
                                    const std::array<std::uint8_t*, kRows>& to) {
  for (std::size_t i = 0; i < filter.taps.size(); ++i) {
    const Tap& tap = filter.taps[i];
    const std::int32_t* next = from + std::ptrdiff_t{kLanes} * tap.first;
    const std::int32_t* weight = filter.weights.data() + tap.begin;
    Sums sums = Sums{} + kHalf;
    for (int k = 0; k < tap.count; ++k, next += kLanes) {
      Sums pixels;
      std::memcpy(&pixels, next, sizeof pixels);
      sums += weight[k] * pixels;
    }
    sums >>= kWeightBits;
    sums = sums < 0 ? Sums{} : sums;
    sums = sums > 255 ? Sums{} + 255 : sums;
    for (int row = 0; row < kRows; ++row) {
      std::uint8_t* pixel = to[static_cast<std::size_t>(row)] + 3 * i;
      for (int c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(sums[4 * row + c]);
    }
  }
}

// sums: of rows by their weights, count numbers.
DIPTYCH_VECTORISED void add_row(const std::uint8_t* row, std::int32_t weight, std::size_t count,
                                std::int32_t* sums) {
  for (std::size_t x = 0; x < count; ++x) sums[x] += weight * row[x];
}

DIPTYCH_VECTORISED void round_row(const std::int32_t* sums, std::size_t count, std::uint8_t* to) {
  for (std::size_t x = 0; x < count; ++x) to[x] = rounded(sums[x]);
}

Image resize_width(const Image& image, const Kernel& kernel, int width) {
  const Filter filter = make_filter(kernel, image.width, width);
  Image result{width, image.height, {}};
  result.pixels.resize(image_bytes(width, image.height, 3));
  std::vector<std::int32_t> together(image_bytes(image.width, 1, kLanes));
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
  std::vector<std::int32_t> sums(image_bytes(image.width, 1, 3));
  std::uint8_t* to = result.pixels.data();
  for (const Tap& tap : filter.taps) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int k = 0; k < tap.count; ++k) {
      const std::uint8_t* row = image.pixels.data() + image_bytes(image.width, tap.first + k, 3);
      const std::int32_t weight = filter.weights[tap.begin + static_cast<std::size_t>(k)];
      add_row(row, weight, sums.size(), sums.data());
    }
    round_row(sums.data(), sums.size(), to);
    to += sums.size();
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
