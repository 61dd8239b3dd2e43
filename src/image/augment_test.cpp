#include "image/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "image/drawn_pictures.h"

namespace diptych {
namespace {

constexpr int kSide = 48;
using Pixels = std::vector<std::uint8_t>;

Pixels changed(const Pixels& from, const AugmentOptions& options, std::uint64_t row = 0) {
  Rng rng(1, Stream::augment, 0, row);
  Pixels to(from.size(), 1);
  augment(from, kSide, options, rng, to);
  return to;
}

Pixels mirrored(const Pixels& from) {
  Pixels to;
  for (int y = 0; y < kSide; ++y) {
    for (int x = kSide - 1; x >= 0; --x) {
      const auto pixel = from.begin() + 3 * (y * kSide + x);
      to.insert(to.end(), pixel, pixel + 3);
    }
  }
  return to;
}

// A dark disc away from the centre on white: its place and size can be measured.
Pixels disc(double x0, double y0, double radius) {
  Pixels pixels;
  for (int i = 0; i < kSide * kSide; ++i) {
    const bool inside = std::hypot(i % kSide - x0, i / kSide - y0) < radius;
    pixels.insert(pixels.end(), 3, inside ? 0 : 255);
  }
  return pixels;
}

struct Measured {
  double x = 0, y = 0, area = 0;
};

Measured measure(const Pixels& pixels) {
  Measured found;
  for (int i = 0; i < kSide * kSide; ++i) {
    const double dark = (255 - pixels[static_cast<std::size_t>(3 * i)]) / 255.0;
    found.x += dark * (i % kSide);
    found.y += dark * (i / kSide);
    found.area += dark;
  }
  return {found.x / found.area, found.y / found.area, found.area};
}

AugmentOptions with(double AugmentOptions::*option, double value) {
  AugmentOptions options;
  options.*option = value;
  return options;
}

TEST(Augment, WithoutOptionsCopiesTheBytes) {
  const Pixels from = drawn::coloured(kSide, kSide).pixels;
  EXPECT_EQ(changed(from, {}), from);
}

TEST(Augment, IsDeterminedByItsAddress) {
  const Pixels from = drawn::smooth(kSide, kSide).pixels;
  const AugmentOptions options{0.5, 0.1, 0.15, 10, 0.2, 0.5};
  EXPECT_EQ(changed(from, options, 3), changed(from, options, 3));
  EXPECT_NE(changed(from, options, 3), changed(from, options, 4));
}

TEST(Augment, MirrorsExactlyAndAsOftenAsAsked) {
  const Pixels from = drawn::coloured(kSide, kSide).pixels;
  EXPECT_EQ(changed(from, with(&AugmentOptions::flip, 1)), mirrored(from));
  int flips = 0;
  for (std::uint64_t row = 0; row < 1000; ++row) {
    flips += changed(from, with(&AugmentOptions::flip, 0.3), row) != from;
  }
  EXPECT_NEAR(flips, 300, 60);
}

TEST(Augment, ShiftsWithinItsBounds) {
  const Pixels from = disc(23.5, 23.5, 5);
  std::vector<double> across, down;
  for (std::uint64_t row = 0; row < 300; ++row) {
    const Measured found = measure(changed(from, with(&AugmentOptions::shift, 0.1), row));
    EXPECT_NEAR(found.area, measure(from).area, 2);
    across.push_back(found.x - 23.5);
    down.push_back(found.y - 23.5);
  }
  for (const std::vector<double>& moved : {across, down}) {
    EXPECT_NEAR(*std::min_element(moved.begin(), moved.end()), -4.8, 0.3);
    EXPECT_NEAR(*std::max_element(moved.begin(), moved.end()), 4.8, 0.3);
  }
}

TEST(Augment, ZoomsAboutTheCentreWithinItsBounds) {
  const Pixels from = disc(23.5, 23.5, 8);
  double least = 1, most = 1;
  for (std::uint64_t row = 0; row < 300; ++row) {
    const Measured found = measure(changed(from, with(&AugmentOptions::scale, 0.2), row));
    EXPECT_NEAR(found.x, 23.5, 0.1);
    const double zoom = std::sqrt(found.area / measure(from).area);
    least = std::min(least, zoom);
    most = std::max(most, zoom);
  }
  EXPECT_NEAR(least, 0.8, 0.02);
  EXPECT_NEAR(most, 1.2, 0.02);
}

TEST(Augment, RotatesAboutTheCentreWithinItsBounds) {
  const Pixels from = disc(38.5, 23.5, 4);
  double least = 0, most = 0;
  for (std::uint64_t row = 0; row < 300; ++row) {
    const Measured found = measure(changed(from, with(&AugmentOptions::rotate, 30), row));
    EXPECT_NEAR(std::hypot(found.x - 23.5, found.y - 23.5), 15, 0.2);
    const double degrees = std::atan2(found.y - 23.5, found.x - 23.5) * 180 / 3.14159265;
    least = std::min(least, degrees);
    most = std::max(most, degrees);
  }
  EXPECT_NEAR(least, -30, 1);
  EXPECT_NEAR(most, 30, 1);
}

TEST(Augment, FillsTheOutsideWithTheNearestEdge) {
  const Pixels even(kSide * kSide * 3, 123);
  AugmentOptions options{0.5, 0.5, 0.9, 180, 0, 0};
  for (std::uint64_t row = 0; row < 50; ++row) ASSERT_EQ(changed(even, options, row), even);
}

TEST(Augment, ChangesBrightnessContrastAndSaturationTogether) {
  const Pixels from = drawn::smooth(kSide, kSide).pixels;
  const auto mean = [](const Pixels& p) {
    return std::accumulate(p.begin(), p.end(), 0.0) / p.size();
  };
  double least = 2, most = 0;
  for (std::uint64_t row = 0; row < 200; ++row) {
    const Pixels to = changed(from, with(&AugmentOptions::colour, 0.2), row);
    least = std::min(least, mean(to) / mean(from));
    most = std::max(most, mean(to) / mean(from));
  }
  EXPECT_NEAR(least, 0.8, 0.06);
  EXPECT_NEAR(most, 1.2, 0.06);
}

TEST(Augment, MeasuresContrastFromThePicturesOwnMean) {
  // An even picture has no contrast: nothing but its brightness can change.
  const Pixels even(kSide * kSide * 3, 100);
  for (std::uint64_t row = 0; row < 500; ++row) {
    const Pixels to = changed(even, with(&AugmentOptions::colour, 0.5), row);
    ASSERT_GE(to.front(), 50);
    ASSERT_LE(to.front(), 150);
  }
}

TEST(Augment, LeavesGreyPicturesGrey) {
  const Pixels from = disc(20, 20, 9);
  for (std::uint64_t row = 0; row < 50; ++row) {
    const Pixels to = changed(from, with(&AugmentOptions::colour, 0.5), row);
    for (std::size_t i = 0; i < to.size(); i += 3) {
      ASSERT_NEAR(to[i], to[i + 1], 1);
      ASSERT_NEAR(to[i], to[i + 2], 1);
    }
  }
}

TEST(Augment, ErasesOneRectangleOfOneColour) {
  const Pixels from(kSide * kSide * 3, 255);
  std::set<std::array<int, 3>> colours;
  for (std::uint64_t row = 0; row < 100; ++row) {
    const Pixels to = changed(from, with(&AugmentOptions::erase, 1), row);
    int left = kSide, right = -1, top = kSide, bottom = -1, erased = 0;
    std::set<std::array<int, 3>> found;
    for (int i = 0; i < kSide * kSide; ++i) {
      const auto* p = to.data() + 3 * i;
      if (p[0] == 255 && p[1] == 255 && p[2] == 255) continue;
      found.insert({p[0], p[1], p[2]});
      ++erased;
      left = std::min(left, i % kSide);
      right = std::max(right, i % kSide);
      top = std::min(top, i / kSide);
      bottom = std::max(bottom, i / kSide);
    }
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(erased, (right - left + 1) * (bottom - top + 1));
    EXPECT_GT(erased, 0.015 * kSide * kSide);
    EXPECT_LT(erased, 0.22 * kSide * kSide);
    colours.merge(found);
  }
  EXPECT_GT(colours.size(), 90u);
}

TEST(Augment, TakesAPictureOfOnePixel) {
  const Pixels from = {10, 20, 30};
  Pixels to(3);
  Rng rng(1);
  augment(from, 1, {1, 0.5, 0.5, 90, 0, 0}, rng, to);
  EXPECT_EQ(to, from);
}

}  // namespace
}  // namespace diptych
