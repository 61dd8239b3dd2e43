// Separable resampling with a triangle or a Lanczos filter, in fixed point: 8-bit pixels between
// the two passes, weights of 22 bits, which is how Pillow does it, so that the results agree.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

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

// The sums of a pixel's C channels, told one by one so that they stay in registers; an Image of one
// channel stands for grey.
template <int... Channel>
void resize_row(const std::uint8_t* from, const Filter& filter, std::uint8_t* to,
                std::integer_sequence<int, Channel...>) {
  constexpr std::ptrdiff_t kChannels = sizeof...(Channel);
  for (const Tap& tap : filter.taps) {
    std::int32_t sums[] = {(kHalf + 0 * Channel)...};
    const std::uint8_t* pixel = from + kChannels * tap.first;
    const std::int32_t* weight = filter.weights.data() + tap.begin;
    for (int k = 0; k < tap.count; ++k, pixel += kChannels) {
      ((sums[Channel] += weight[k] * pixel[Channel]), ...);
    }
    ((*to++ = rounded(sums[Channel])), ...);
  }
}

template <int C>
Image resize_width(const Image& image, const Kernel& kernel, int width) {
  const Filter filter = make_filter(kernel, image.width, width);
  Image result{width, image.height, {}};
  result.pixels.resize(image_bytes(width, image.height, C));
  for (int y = 0; y < image.height; ++y) {
    resize_row(image.pixels.data() + image_bytes(image.width, y, C), filter,
               result.pixels.data() + image_bytes(width, y, C),
               std::make_integer_sequence<int, C>());
  }
  return result;
}

template <int C>
Image resize_height(const Image& image, const Kernel& kernel, int height) {
  const Filter filter = make_filter(kernel, image.height, height);
  Image result{image.width, height, {}};
  result.pixels.reserve(image_bytes(image.width, height, C));
  std::vector<std::int32_t> sums(image_bytes(image.width, 1, C));
  for (const Tap& tap : filter.taps) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int k = 0; k < tap.count; ++k) {
      const std::uint8_t* row = image.pixels.data() + image_bytes(image.width, tap.first + k, C);
      const std::int32_t weight = filter.weights[tap.begin + static_cast<std::size_t>(k)];
      for (std::size_t x = 0; x < sums.size(); ++x) sums[x] += weight * row[x];
    }
    for (std::int32_t sum : sums) result.pixels.push_back(rounded(sum));
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

template <int C>
Image resize_by(const Kernel& kernel, const Image& image, int width, int height) {
  require_pixels(image);
  if (width < 1 || height < 1) refuse_image("a picture cannot be resized to nothing");
  if (width == image.width) {
    return height == image.height ? image : resize_height<C>(image, kernel, height);
  }
  const Image narrow = resize_width<C>(image, kernel, width);
  return height == image.height ? narrow : resize_height<C>(narrow, kernel, height);
}

}  // namespace

Image resize(const Image& image, int width, int height) {
  return resize_by<3>(kTriangle, image, width, height);
}

std::vector<std::uint8_t> grey_square(const Image& image, int side) {
  Image grey{image.width, image.height, {}};
  grey.pixels.reserve(image.pixels.size() / 3);
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    const int sum = 19595 * image.pixels[i] + 38470 * image.pixels[i + 1] +
                    7471 * image.pixels[i + 2] + 0x8000;  // ITU-R BT.601 in 16 bits
    grey.pixels.push_back(static_cast<std::uint8_t>(sum >> 16));
  }
  return resize_by<1>(kLanczos, grey, side, side).pixels;
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
