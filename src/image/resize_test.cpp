#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "image/drawn_pictures.h"
#include "image/image.h"

namespace diptych {
namespace {

double triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }

// The definition, in double precision and without separation: every target pixel is the mean of
// all source pixels, weighted by how near their centres lie.
double defined_value(const Image& image, int width, int height, int place) {
  const int x = place / 3 % width, y = place / 3 / width, channel = place % 3;
  const double across = static_cast<double>(image.width) / width;
  const double down = static_cast<double>(image.height) / height;
  double sum = 0, weights = 0;
  for (int row = 0; row < image.height; ++row) {
    for (int column = 0; column < image.width; ++column) {
      const double dx = (column + 0.5 - (x + 0.5) * across) / std::max(1.0, across);
      const double dy = (row + 0.5 - (y + 0.5) * down) / std::max(1.0, down);
      const double weight = triangle(dx) * triangle(dy);
      weights += weight;
      sum += weight *
             image.pixels[static_cast<std::size_t>((row * image.width + column) * 3 + channel)];
    }
  }
  return sum / weights;
}

TEST(Resize, IsTheWeightedMeanThatTheTriangleFilterDefines) {
  const Image image = drawn::coloured(29, 23);
  const std::vector<std::pair<int, int>> sizes = {{8, 8},  {29, 5}, {5, 23},  {58, 46}, {1, 1},
                                                  {7, 40}, {40, 7}, {28, 22}, {30, 24}, {64, 1}};
  for (const auto& [width, height] : sizes) {
    SCOPED_TRACE(testing::Message() << width << " x " << height);
    const Image resized = resize(image, width, height);
    ASSERT_EQ(resized.width, width);
    ASSERT_EQ(resized.height, height);
    ASSERT_EQ(resized.pixels.size(), static_cast<std::size_t>(width * height * 3));
    for (int i = 0; i < width * height * 3; ++i) {
      ASSERT_NEAR(resized.pixels[static_cast<std::size_t>(i)],
                  defined_value(image, width, height, i), 1.01)
          << i;
    }
  }
}

TEST(Resize, ToItsOwnSizeChangesNothing) {
  const Image image = drawn::coloured(9, 6);
  EXPECT_EQ(resize(image, 9, 6).pixels, image.pixels);
}

TEST(Resize, KeepsAnEvenColourExactly) {
  const Image even{50, 40, std::vector<std::uint8_t>(50 * 40 * 3, 201)};
  EXPECT_EQ(resize(even, 13, 77).pixels, std::vector<std::uint8_t>(13 * 77 * 3, 201));
}

TEST(Resize, RefusesNothing) {
  EXPECT_THROW(resize({}, 4, 4), Error);
  EXPECT_THROW(resize(drawn::coloured(4, 4), 0, 4), Error);
  EXPECT_THROW(fit_square({}, 4, ImageFit::pad), Error);
}

std::uint8_t red_at(const Image& image, int x, int y) {
  return image.pixels[static_cast<std::size_t>(3 * (y * image.width + x))];
}

// Wide: black but for the left and right quarters, which are mid-grey.
Image banner() {
  Image image{40, 20, std::vector<std::uint8_t>(40 * 20 * 3, 100)};
  for (int y = 0; y < 20; ++y) {
    for (int x = 30; x < 90; ++x) image.pixels[static_cast<std::size_t>(y * 120 + x)] = 0;
  }
  return image;
}

TEST(FitSquare, StretchesPadsOrCutsTheCentre) {
  const Image image = banner();
  EXPECT_EQ(fit_square(image, 20, ImageFit::stretch).pixels, resize(image, 20, 20).pixels);

  const Image padded = fit_square(image, 20, ImageFit::pad);
  ASSERT_EQ(padded.height, 20);
  EXPECT_EQ(red_at(padded, 0, 4), 255);
  EXPECT_EQ(red_at(padded, 0, 5), 100);
  EXPECT_EQ(red_at(padded, 10, 14), 0);
  EXPECT_EQ(red_at(padded, 0, 15), 255);

  const Image tall = fit_square(Image{20, 40, image.pixels}, 20, ImageFit::pad);
  EXPECT_EQ(red_at(tall, 4, 0), 255);
  EXPECT_LT(red_at(tall, 5, 0), 255);
  EXPECT_EQ(red_at(tall, 15, 0), 255);

  const Image cut = fit_square(image, 20, ImageFit::crop);
  ASSERT_EQ(cut.width, 20);
  EXPECT_EQ(*std::max_element(cut.pixels.begin(), cut.pixels.end()), 0);
}

TEST(FitSquare, TakesPicturesOfExtremeShape) {
  for (ImageFit fit : {ImageFit::stretch, ImageFit::pad, ImageFit::crop}) {
    EXPECT_EQ(fit_square(drawn::smooth(3000, 1), 16, fit).pixels.size(), 16u * 16 * 3);
    EXPECT_EQ(fit_square(drawn::smooth(1, 3000), 16, fit).pixels.size(), 16u * 16 * 3);
  }
}

}  // namespace
}  // namespace diptych
