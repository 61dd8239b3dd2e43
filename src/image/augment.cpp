#include "image/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numbers>

namespace diptych {
namespace {

constexpr std::size_t kChannels = 3;

// From a target pixel (x, y) to its place in the source: x' = xx x + xy y + x0, likewise y'.
struct Warp {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;
  bool is_identity() const {
    return xx == 1 && xy == 0 && x0 == 0 && yx == 0 && yy == 1 && y0 == 0;
  }
};

Warp draw_warp(int side, const AugmentOptions& options, Rng& rng) {
  constexpr double kLeastZoom = 0.05;
  const double mirror = rng.chance(options.flip) ? -1 : 1;
  const double right = rng.uniform(-options.shift, options.shift) * side;
  const double down = rng.uniform(-options.shift, options.shift) * side;
  const double zoom = std::max(kLeastZoom, 1 + rng.uniform(-options.scale, options.scale));
  const double angle = rng.uniform(-options.rotate, options.rotate) * std::numbers::pi / 180;
  const double cosine = std::cos(angle) / zoom, sine = std::sin(angle) / zoom;
  const double centre = (side - 1) / 2.0;
  Warp warp{mirror * cosine, mirror * -sine, 0, sine, cosine, 0};
  warp.x0 = centre - warp.xx * (centre + right) - warp.xy * (centre + down);
  warp.y0 = centre - warp.yx * (centre + right) - warp.yy * (centre + down);
  return warp;
}

// Coordinates are fixed point: whole steps (a mirror image) stay exact, and no pixel costs a
// conversion from floating point.
constexpr int kCoordinateBits = 16;
constexpr int kWeightBits = 8;

std::int64_t fixed(double value) { return std::llround(value * (1 << kCoordinateBits)); }

// A coordinate's pixel, the distance to the next one in channels (0 at the edge), and how far
// between the two it lies.
struct Between {
  std::int64_t pixel;
  std::int64_t next;
  int weight;
};

Between between(std::int64_t coordinate, std::int64_t last) {
  const std::int64_t inside = std::clamp<std::int64_t>(coordinate, 0, last << kCoordinateBits);
  const std::int64_t pixel = inside >> kCoordinateBits;
  const int fraction = static_cast<int>(inside & ((1 << kCoordinateBits) - 1));
  return {pixel, pixel < last ? 1 : 0, fraction >> (kCoordinateBits - kWeightBits)};
}

void warp_pixels(const std::uint8_t* from, int side, const Warp& warp, std::uint8_t* to) {
  constexpr int kOne = 1 << kWeightBits, kHalf = 1 << (2 * kWeightBits - 1);
  const std::int64_t last = side - 1, stride = std::int64_t{kChannels} * side;
  const std::int64_t step_x = fixed(warp.xx), step_y = fixed(warp.yx);
  for (int row = 0; row < side; ++row) {
    std::int64_t x = fixed(warp.xy * row + warp.x0), y = fixed(warp.yy * row + warp.y0);
    for (int column = 0; column < side; ++column, x += step_x, y += step_y) {
      const Between across = between(x, last), down = between(y, last);
      const std::uint8_t* upper = from + down.pixel * stride + across.pixel * 3;
      const std::uint8_t* lower = upper + down.next * stride;
      const std::int64_t next = across.next * 3;
      for (std::size_t c = 0; c < kChannels; ++c, ++upper, ++lower) {
        const int above = upper[0] * (kOne - across.weight) + upper[next] * across.weight;
        const int below = lower[0] * (kOne - across.weight) + lower[next] * across.weight;
        *to++ = static_cast<std::uint8_t>(
            (above * (kOne - down.weight) + below * down.weight + kHalf) >> (2 * kWeightBits));
      }
    }
  }
}

constexpr float kRed = 0.299F, kGreen = 0.587F, kBlue = 0.114F;  // luma of ITU-R BT.601

float mean_luma(std::span<const std::uint8_t> pixels) {
  std::array<std::uint64_t, kChannels> sums{};
  for (std::size_t i = 0; i < pixels.size(); i += kChannels) {
    for (std::size_t c = 0; c < kChannels; ++c) sums[c] += pixels[i + c];
  }
  const float count = static_cast<float>(pixels.size() / kChannels);
  return (kRed * static_cast<float>(sums[0]) + kGreen * static_cast<float>(sums[1]) +
          kBlue * static_cast<float>(sums[2])) /
         count;
}

// Brightness scales, contrast moves away from the mean grey, saturation away from the pixel's own
// grey. All three are linear, so together they are own * value + grey * luma + offset.
void change_colour(std::span<std::uint8_t> pixels, double strength, Rng& rng) {
  const auto factor = [&] { return static_cast<float>(1 + rng.uniform(-strength, strength)); };
  const float brightness = factor(), contrast = factor(), saturation = factor();
  const float own = saturation * contrast * brightness;
  const float grey = (1 - saturation) * contrast * brightness;
  const float offset = (1 - contrast) * brightness * mean_luma(pixels) + 0.5F;
  for (std::size_t i = 0; i < pixels.size(); i += kChannels) {
    std::uint8_t* pixel = pixels.data() + i;
    const float luma = kRed * pixel[0] + kGreen * pixel[1] + kBlue * pixel[2];
    const float shared = grey * luma + offset;
    for (std::size_t c = 0; c < kChannels; ++c) {
      const int value = static_cast<int>(own * pixel[c] + shared);
      pixel[c] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
    }
  }
}

// Zhong, Zheng, Kang, Li, Yang, "Random erasing data augmentation", AAAI 2020.
void erase_rectangle(std::span<std::uint8_t> pixels, int side, Rng& rng) {
  constexpr double kLeastArea = 0.02, kMostArea = 0.2, kMostElongated = 3;
  const double area = rng.uniform(kLeastArea, kMostArea) * side * side;
  const double longest = std::log(kMostElongated);
  const double aspect = std::exp(rng.uniform(-longest, longest));
  const int width = std::clamp(static_cast<int>(std::lround(std::sqrt(area * aspect))), 1, side);
  const int height = std::clamp(static_cast<int>(std::lround(area / width)), 1, side);
  const auto place = [&](int length) {
    return static_cast<std::size_t>(rng.below(static_cast<std::uint64_t>(side - length) + 1));
  };
  const std::size_t left = place(width), top = place(height);
  std::array<std::uint8_t, kChannels> colour;
  for (std::uint8_t& value : colour) value = static_cast<std::uint8_t>(rng.below(256));
  for (std::size_t y = top; y < top + static_cast<std::size_t>(height); ++y) {
    std::uint8_t* to = pixels.data() + kChannels * (y * static_cast<std::size_t>(side) + left);
    for (int x = 0; x < width; ++x, to += kChannels) std::memcpy(to, colour.data(), kChannels);
  }
}

}  // namespace

void augment(std::span<const std::uint8_t> from, int side, const AugmentOptions& options, Rng& rng,
             std::span<std::uint8_t> to) {
  const std::size_t size =
      kChannels * static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  const Warp warp = draw_warp(side, options, rng);
  if (warp.is_identity()) {
    std::copy_n(from.data(), size, to.data());
  } else {
    warp_pixels(from.data(), side, warp, to.data());
  }
  if (options.colour > 0) change_colour(to.first(size), options.colour, rng);
  if (options.erase > 0 && rng.chance(options.erase)) erase_rectangle(to.first(size), side, rng);
}

}  // namespace diptych
