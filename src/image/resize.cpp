// Separable resampling of pictures: along the rows, then along the columns.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/vectorised.h"
#include "image/codecs.h"
#include "image/image.h"
#include "image/resample.h"

namespace diptych {
namespace {

// Four rows are narrowed together: the pixels that stand above each other, each with a fourth
// channel that is not looked at, are summed at once.
constexpr int kRows = kLanes / 4;
using Pixels [[gnu::vector_size(kLanes)]] = std::uint32_t;  // four of four channels

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

// from: the first of a row's pixels in [W,kRows,4]; to: [W,3].
void take_row(const std::uint8_t* from, int width, std::uint8_t* to) {
  for (int x = 0; x < width; ++x) std::memcpy(to + 3 * x, from + kLanes * x, 3);
}

Image resize_width(const Image& image, const Kernel& kernel, int width) {
  const Filter filter = make_filter(kernel, {0, 1.0 * image.width}, width);
  Image result{width, image.height, {}};
  result.pixels.resize(image_bytes(width, image.height, 3));
  std::vector<std::uint8_t> together(image_bytes(image.width, 1, kLanes));
  std::vector<std::uint8_t> narrowed(image_bytes(width, 1, kLanes));
  for (int y = 0; y < image.height; y += kRows) {
    std::array<const std::uint8_t*, kRows> from;
    for (int row = 0; row < kRows; ++row) {  // beyond the end the last row, once more
      const int at = std::min(y + row, image.height - 1);
      from[static_cast<std::size_t>(row)] = image.pixels.data() + image_bytes(image.width, at, 3);
    }
    interleave(from, image.width, together.data());
    narrow(together.data(), filter, narrowed.data());
    for (int row = 0; row < std::min(kRows, image.height - y); ++row) {
      take_row(narrowed.data() + 4 * row, width,
               result.pixels.data() + image_bytes(width, y + row, 3));
    }
  }
  return result;
}

Image resize_height(const Image& image, const Kernel& kernel, int height) {
  const Filter filter = make_filter(kernel, {0, 1.0 * image.height}, height);
  Image result{image.width, height, {}};
  result.pixels.resize(image_bytes(image.width, height, 3));
  merge_rows(image.pixels.data(), filter, image_bytes(image.width, 1, 3), result.pixels.data());
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

}  // namespace diptych
