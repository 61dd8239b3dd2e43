// The histograms that describe a picture: of colours and of gradients.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "image/colour_histogram.h"
#include "image/gradient_histogram.h"

namespace diptych {
namespace {

using Pixels = std::vector<std::uint8_t>;

std::vector<float> colours_of(const Pixels& pixels, int bins) {
  std::vector<float> histogram(static_cast<std::size_t>(bins * bins * bins), -1.0F);
  colour_histogram(pixels, bins, histogram);
  return histogram;
}

float squares(const std::vector<float>& values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0F);
}

TEST(ColourHistogram, PutsTheCornersOfTheCubeIntoBinsOfTheirOwn) {
  const auto black_and_red = colours_of({0, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0}, 3);
  EXPECT_FLOAT_EQ(black_and_red[0], std::sqrt(0.25F));
  EXPECT_FLOAT_EQ(black_and_red[2 * 9], std::sqrt(0.75F));
  EXPECT_FLOAT_EQ(squares(black_and_red), 1);
  EXPECT_FLOAT_EQ(colours_of({0, 255, 0}, 3)[2 * 3], 1);
  EXPECT_FLOAT_EQ(colours_of({0, 0, 255}, 3)[2], 1);
}

TEST(ColourHistogram, SharesAPixelAmongTheNearestBinsByDistance) {
  const auto histogram = colours_of({51, 0, 102}, 2);
  EXPECT_NEAR(histogram[0], std::sqrt(0.8F * 0.6F), 1e-6);
  EXPECT_NEAR(histogram[1], std::sqrt(0.8F * 0.4F), 1e-6);
  EXPECT_NEAR(histogram[4], std::sqrt(0.2F * 0.6F), 1e-6);
  EXPECT_NEAR(histogram[5], std::sqrt(0.2F * 0.4F), 1e-6);
}

// A square picture of side 16 whose grey is given by each place.
template <typename Grey>
std::vector<float> gradients_of(const Grey& grey) {
  constexpr int kSide = 16, kCells = 4;
  Pixels pixels;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x)
      pixels.insert(pixels.end(), 3, static_cast<std::uint8_t>(grey(x, y)));
  }
  std::vector<float> descriptor(gradient_histogram_size(kCells), -1.0F);
  gradient_histogram(pixels, kSide, kCells, descriptor);
  return descriptor;
}

TEST(GradientHistogram, HasNineOrientationsOfFourCellsInEachBlock) {
  EXPECT_EQ(gradient_histogram_size(4), 9U * 36U);
  EXPECT_EQ(gradient_histogram_size(2), 36U);
}

TEST(GradientHistogram, FindsTheOrientationOfARamp) {
  const auto across = gradients_of([](int x, int) { return 16 * x; });
  const auto down = gradients_of([](int, int y) { return 16 * y; });
  for (std::size_t block = 0; block < 9; ++block) {
    for (std::size_t cell = 0; cell < 4; ++cell) {
      const std::size_t at = block * 36 + cell * 9;
      EXPECT_NEAR(across[at], 0.5F, 0.03) << block;  // all at 0°; the border votes less
      EXPECT_NEAR(across[at + 4], 0, 1e-6) << block;
      EXPECT_NEAR(down[at], 0, 1e-6) << block;
      EXPECT_NEAR(down[at + 4], down[at + 5], 1e-2) << block;  // 90° lies between 80° and 100°
      EXPECT_GT(down[at + 4], 0.3F) << block;
    }
  }
}

TEST(GradientHistogram, SeesAnEdgeAndItsNegativeAlike) {
  const auto light = gradients_of([](int x, int y) { return x > y + 3 ? 200 : 30; });
  const auto dark = gradients_of([](int x, int y) { return x > y + 3 ? 30 : 200; });
  for (std::size_t i = 0; i < light.size(); ++i) ASSERT_NEAR(light[i], dark[i], 1e-6) << i;
}

TEST(GradientHistogram, HardlyMindsTheContrast) {
  const auto strong = gradients_of([](int x, int y) { return (x * y) % 7 < 3 ? 250 : 10; });
  const auto weak = gradients_of([](int x, int y) { return (x * y) % 7 < 3 ? 160 : 100; });
  for (std::size_t i = 0; i < strong.size(); ++i) ASSERT_NEAR(strong[i], weak[i], 1e-2) << i;
}

TEST(GradientHistogram, IsNothingWhereThereIsNoEdge) {
  for (const float value : gradients_of([](int, int) { return 77; })) ASSERT_EQ(value, 0);
}

}  // namespace
}  // namespace diptych
