#include "image/augment.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numbers>
#include <vector>

#include "base/vectorised.h"

namespace diptych {
namespace {

constexpr int kChannels = 3;

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

// Where each pixel of a row comes from: the number of its upper left neighbour's first channel, the
// distances to those on the right and below (0 at the edge), and how far between them it lies.
struct Sources {
  explicit Sources(int side) : at(static_cast<std::size_t>(side)) {
    right = below = across = down = at;
  }
  std::vector<std::int32_t> at, right, below, across, down;
};

DIPTYCH_VECTORISED void find_sources(std::int64_t x, std::int64_t y, const WarpedRows& rows,
                                     Sources& sources) {
  constexpr int kRest = (1 << kCoordinateBits) - 1, kShift = kCoordinateBits - kWeightBits;
  const auto side = static_cast<std::int64_t>(sources.at.size()), last = side - 1;
  const std::int64_t most = last << kCoordinateBits, stride = kChannels * side;
  const std::int64_t step_x = rows.step_x, step_y = rows.step_y;
  std::int32_t* __restrict at = sources.at.data();
  std::int32_t* __restrict right = sources.right.data();
  std::int32_t* __restrict below = sources.below.data();
  std::int32_t* __restrict across = sources.across.data();
  std::int32_t* __restrict down = sources.down.data();
  for (std::int64_t i = 0; i < side; ++i) {
    const std::int64_t wide = x + i * step_x, high = y + i * step_y;
    const auto column = static_cast<std::int32_t>(wide < 0 ? 0 : wide > most ? most : wide);
    const auto row = static_cast<std::int32_t>(high < 0 ? 0 : high > most ? most : high);
    const std::int32_t pixel = column >> kCoordinateBits, line = row >> kCoordinateBits;
    at[i] = line * static_cast<std::int32_t>(stride) + pixel * kChannels;
    right[i] = pixel < last ? kChannels : 0;
    below[i] = line < last ? static_cast<std::int32_t>(stride) : 0;
    across[i] = (column & kRest) >> kShift;
    down[i] = (row & kRest) >> kShift;
  }
}

// Of each pixel of a row the four that it lies between, channels in the bytes of a word from the
// lowest on, and what becomes of them.
struct Corners {
  explicit Corners(int side) : upper_left(static_cast<std::size_t>(side)) {
    upper_right = lower_left = lower_right = mixed = upper_left;
  }
  std::vector<std::uint32_t> upper_left, upper_right, lower_left, lower_right, mixed;
};

// from: with a byte to spare.
void gather(const std::uint8_t* from, const Sources& sources, Corners& corners) {
  const auto word = [](const std::uint8_t* at) {
    static_assert(std::endian::native == std::endian::little);
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    return bytes;
  };
  for (std::size_t i = 0; i < sources.at.size(); ++i) {
    const std::uint8_t* const upper = from + sources.at[i];
    const std::uint8_t* const lower = upper + sources.below[i];
    corners.upper_left[i] = word(upper);
    corners.upper_right[i] = word(upper + sources.right[i]);
    corners.lower_left[i] = word(lower);
    corners.lower_right[i] = word(lower + sources.right[i]);
  }
}

DIPTYCH_VECTORISED void mix(const Sources& sources, Corners& corners) {
  constexpr std::uint32_t kOne = 1 << kWeightBits, kHalf = 1 << (2 * kWeightBits - 1);
  const std::int32_t* __restrict right_share = sources.across.data();
  const std::int32_t* __restrict lower_share = sources.down.data();
  const std::uint32_t* __restrict upper_left = corners.upper_left.data();
  const std::uint32_t* __restrict upper_right = corners.upper_right.data();
  const std::uint32_t* __restrict lower_left = corners.lower_left.data();
  const std::uint32_t* __restrict lower_right = corners.lower_right.data();
  std::uint32_t* __restrict mixed = corners.mixed.data();
  const std::size_t side = corners.mixed.size();
  for (std::size_t i = 0; i < side; ++i) {
    const auto right = static_cast<std::uint32_t>(right_share[i]), left = kOne - right;
    const auto lower = static_cast<std::uint32_t>(lower_share[i]), upper = kOne - lower;
    const auto channel = [&](int shift) __attribute__((always_inline)) {
      const std::uint32_t above =
          (upper_left[i] >> shift & 255) * left + (upper_right[i] >> shift & 255) * right;
      const std::uint32_t below =
          (lower_left[i] >> shift & 255) * left + (lower_right[i] >> shift & 255) * right;
      return (above * upper + below * lower + kHalf) >> (2 * kWeightBits) << shift;
    };
    mixed[i] = channel(0) | channel(8) | channel(16);
  }
}

void warp_pixels(const std::uint8_t* from, int side, const Warp& warp, std::uint8_t* to) {
  const std::size_t line = kChannels * static_cast<std::size_t>(side);
  const WarpedRows rows = warped_rows(warp, side);
  std::vector<std::uint8_t> copy(from, from + line * rows.x.size());
  copy.push_back(0);
  Sources sources(side);
  Corners corners(side);
  for (std::size_t row = 0; row < rows.x.size(); ++row) {
    find_sources(rows.x[row], rows.y[row], rows, sources);
    gather(copy.data(), sources, corners);
    mix(sources, corners);
    // A word's byte too many is the next pixel's; the last one's is left out.
    const std::uint32_t last = corners.mixed.back();
    for (std::size_t i = 0; i + 1 < corners.mixed.size(); ++i, to += kChannels) {
      std::memcpy(to, &corners.mixed[i], sizeof last);
    }
    std::memcpy(to, &last, kChannels);
    to += kChannels;
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
