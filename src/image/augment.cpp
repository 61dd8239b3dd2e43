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
  const WarpedRows rows = warped_rows(warp, side);
  for (std::size_t row = 0; row < rows.x.size(); ++row) {
    std::int64_t x = rows.x[row], y = rows.y[row];
    for (int column = 0; column < side; ++column, x += rows.step_x, y += rows.step_y) {
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

float mean_luma(std::span<const std::uint8_t> pixels) {
  std::array<std::uint64_t, kChannels> sums{};
  for (std::size_t i = 0; i < pixels.size(); i += kChannels) {
    for (std::size_t c = 0; c < kChannels; ++c) sums[c] += pixels[i + c];
  }
  const float count = static_cast<float>(pixels.size() / kChannels);
  return (kRedLuma * static_cast<float>(sums[0]) + kGreenLuma * static_cast<float>(sums[1]) +
          kBlueLuma * static_cast<float>(sums[2])) /
         count;
}

// Brightness scales, contrast moves away from the mean grey, saturation away from the pixel's own
// grey. All three are linear.
ColourChange draw_colour(double strength, Rng& rng) {
  const auto factor = [&] { return static_cast<float>(1 + rng.uniform(-strength, strength)); };
  const float brightness = factor(), contrast = factor(), saturation = factor();
  return {saturation * contrast * brightness, (1 - saturation) * contrast * brightness,
          (1 - contrast) * brightness};
}

void change_colour(std::span<std::uint8_t> pixels, const ColourChange& change) {
  const float offset = change.mean * mean_luma(pixels) + 0.5F;
  for (std::size_t i = 0; i < pixels.size(); i += kChannels) {
    std::uint8_t* pixel = pixels.data() + i;
    const float luma = kRedLuma * pixel[0] + kGreenLuma * pixel[1] + kBlueLuma * pixel[2];
    const float shared = change.grey * luma + offset;
    for (std::size_t c = 0; c < kChannels; ++c) {
      const int value = static_cast<int>(change.own * pixel[c] + shared);
      pixel[c] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
    }
  }
}

// Zhong, Zheng, Kang, Li, Yang, "Random erasing data augmentation", AAAI 2020.
Erased draw_erased(int side, Rng& rng) {
  constexpr double kLeastArea = 0.02, kMostArea = 0.2, kMostElongated = 3;
  const double area = rng.uniform(kLeastArea, kMostArea) * side * side;
  const double longest = std::log(kMostElongated);
  const double aspect = std::exp(rng.uniform(-longest, longest));
  Erased erased;
  erased.width = std::clamp(static_cast<int>(std::lround(std::sqrt(area * aspect))), 1, side);
  erased.height = std::clamp(static_cast<int>(std::lround(area / erased.width)), 1, side);
  const auto place = [&](int length) {
    return static_cast<int>(rng.below(static_cast<std::uint64_t>(side - length) + 1));
  };
  erased.left = place(erased.width);
  erased.top = place(erased.height);
  for (std::uint8_t& value : erased.colour) value = static_cast<std::uint8_t>(rng.below(256));
  return erased;
}

void erase(std::span<std::uint8_t> pixels, int side, const Erased& erased) {
  for (int y = erased.top; y < erased.top + erased.height; ++y) {
    std::uint8_t* to = pixels.data() + kChannels * static_cast<std::size_t>(y * side + erased.left);
    for (int x = 0; x < erased.width; ++x, to += kChannels) {
      std::memcpy(to, erased.colour.data(), kChannels);
    }
  }
}

}  // namespace

WarpedRows warped_rows(const Warp& warp, int side) {
  WarpedRows rows{fixed(warp.xx), fixed(warp.yx), {}, {}};
  for (int row = 0; row < side; ++row) {
    rows.x.push_back(fixed(warp.xy * row + warp.x0));
    rows.y.push_back(fixed(warp.yy * row + warp.y0));
  }
  return rows;
}

Augmentation draw_augmentation(int side, const AugmentOptions& options, Rng& rng) {
  Augmentation drawn;
  drawn.warp = draw_warp(side, options, rng);
  if (options.colour > 0) drawn.colour = draw_colour(options.colour, rng);
  if (options.erase > 0 && rng.chance(options.erase)) drawn.erased = draw_erased(side, rng);
  return drawn;
}

void augment(std::span<const std::uint8_t> from, int side, const AugmentOptions& options, Rng& rng,
             std::span<std::uint8_t> to) {
  augment(from, side, draw_augmentation(side, options, rng), to);
}

void augment(std::span<const std::uint8_t> from, int side, const Augmentation& drawn,
             std::span<std::uint8_t> to) {
  const std::size_t size =
      kChannels * static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  if (drawn.warp.is_identity()) {
    std::copy_n(from.data(), size, to.data());
  } else {
    warp_pixels(from.data(), side, drawn.warp, to.data());
  }
  if (drawn.colour) change_colour(to.first(size), *drawn.colour);
  if (drawn.erased) erase(to.first(size), side, *drawn.erased);
}

}  // namespace diptych
