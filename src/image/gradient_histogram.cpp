#include "image/gradient_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "base/vectorised.h"

namespace diptych {
namespace {

constexpr int kOrientations = 9;
constexpr int kCellsOfBlock = 4;
constexpr float kLeastNorm = 0.01F;  // squared, for gradients on the scale 0..1: noise stays small

// With room for what is counted beyond half a turn.
using Cell = std::array<float, kOrientations + 2>;

constexpr std::size_t kColours = 3;

// A row of one channel.
using Plane = std::vector<std::int32_t>;

// Of a row's pixels the values of each channel, side by side so that loops over them are
// vectorised.
struct PixelRow {
  explicit PixelRow(int side) { planes.fill(Plane(static_cast<std::size_t>(side))); }
  void read(const std::uint8_t* pixels) {
    std::int32_t *red = planes[0].data(), *green = planes[1].data(), *blue = planes[2].data();
    for (std::size_t x = 0; x < planes[0].size(); ++x, pixels += kColours) {
      red[x] = pixels[0];
      green[x] = pixels[1];
      blue[x] = pixels[2];
    }
  }
  std::array<Plane, kColours> planes;
};

// Of a row of one channel: the central differences, 0 beyond the border, and their squares' sum.
struct Differences {
  explicit Differences(int side) : across(static_cast<std::size_t>(side)) {
    down = squares = across;
  }
  Plane across, down, squares;
};

// Of a row's pixels the gradient of the channel that changes most, its orientation of nine, and
// what of its length that and the next one get.
struct Edges {
  explicit Edges(int side) : across(static_cast<std::size_t>(side)) {
    down = squares = orientation = across;
    below.resize(across.size());
    above = below;
  }
  std::vector<std::int32_t> across, down, squares, orientation;
  std::vector<float> below, above;
};

DIPTYCH_VECTORISED void differ(const Plane& row, const Plane& above, const Plane& below,
                               Differences& differences) {
  const std::size_t side = row.size();
  const std::int32_t* __restrict here = row.data();
  const std::int32_t* __restrict upper = above.data();
  const std::int32_t* __restrict lower = below.data();
  std::int32_t* __restrict across = differences.across.data();
  std::int32_t* __restrict down = differences.down.data();
  std::int32_t* __restrict squares = differences.squares.data();
  for (std::size_t x = 1; x + 1 < side; ++x) across[x] = here[x + 1] - here[x - 1];
  for (std::size_t x = 0; x < side; ++x) {
    down[x] = lower[x] - upper[x];
    squares[x] = across[x] * across[x] + down[x] * down[x];
  }
}

// The arc tangent of 0 to 1 as a share of half a turn (Abramowitz and Stegun, Handbook of
// Mathematical Functions, 4.4.49: 2e-8 at most from it).
[[gnu::always_inline]] inline float angle_of(float tangent) {
  const float s = tangent * tangent;
  // A loop over the terms would keep the one over pixels from being vectorised.
  const float few = ((0.0028662257F * s - 0.0161657367F) * s + 0.0429096138F) * s - 0.0752896400F;
  const float sum = (((few * s + 0.1065626393F) * s - 0.1420889944F) * s + 0.1999355085F) * s;
  return ((sum - 0.3333314528F) * s + 1) * tangent * std::numbers::inv_pi_v<float>;
}

// Where another channel changes more than the one so far, it takes its place.
// Parameters, as GCC believes only of them that they do not overlap.
DIPTYCH_VECTORISED void take_steeper(const std::int32_t* __restrict across,
                                     const std::int32_t* __restrict down,
                                     const std::int32_t* __restrict squares,
                                     std::int32_t* __restrict dx, std::int32_t* __restrict dy,
                                     std::int32_t* __restrict most, std::size_t side) {
  for (std::size_t x = 0; x < side; ++x) {
    const bool steeper = squares[x] > most[x];
    const std::int32_t new_dx = steeper ? across[x] : dx[x];
    const std::int32_t new_dy = steeper ? down[x] : dy[x];
    dx[x] = new_dx;
    dy[x] = new_dy;
    most[x] = steeper ? squares[x] : most[x];
  }
}

// A gradient and its opposite are of one orientation.
DIPTYCH_VECTORISED void orient(Edges& edges) {
  const std::int32_t* __restrict dx = edges.across.data();
  const std::int32_t* __restrict dy = edges.down.data();
  std::int32_t* __restrict orientation = edges.orientation.data();
  const std::int32_t* __restrict squares = edges.squares.data();
  float* __restrict below = edges.below.data();
  float* __restrict above = edges.above.data();
  const std::size_t side = edges.across.size();
  for (std::size_t x = 0; x < side; ++x) {
    const std::int32_t right = dy[x] < 0 ? -dx[x] : dx[x], up = dy[x] < 0 ? -dy[x] : dy[x];
    const std::int32_t along = right < 0 ? -right : right;
    const std::int32_t shorter = along < up ? along : up, longer = along < up ? up : along;
    const std::int32_t divisor = longer > 0 ? longer : 1;
    const float acute = angle_of(static_cast<float>(shorter) / static_cast<float>(divisor));
    const float folded = along < up ? 0.5F - acute : acute;
    const float position = (right < 0 ? 1 - folded : folded) * kOrientations;
    orientation[x] = static_cast<std::int32_t>(position);
    const float length = __builtin_sqrtf(static_cast<float>(squares[x])) / 255;
    const float beyond = position - static_cast<float>(orientation[x]);
    below[x] = length * (1 - beyond);
    above[x] = length * beyond;
  }
}

std::vector<Cell> cells_of(std::span<const std::uint8_t> pixels, int side, int cells) {
  std::vector<Cell> grid(static_cast<std::size_t>(cells * cells));
  std::vector<std::size_t> cell_of(static_cast<std::size_t>(side));
  for (int x = 0; x < side; ++x) {
    cell_of[static_cast<std::size_t>(x)] = static_cast<std::size_t>(x * cells / side);
  }
  Differences differences(side);
  Edges edges(side);
  const std::ptrdiff_t stride = std::ptrdiff_t{kColours} * side;
  PixelRow row(side), above = row, below = row;
  below.read(pixels.data());
  for (int y = 0; y < side; ++y) {
    std::swap(above, row);
    std::swap(row, below);
    if (y + 1 < side) below.read(pixels.data() + (y + 1) * stride);
    const bool has_both = y > 0 && y + 1 < side;
    std::fill(edges.squares.begin(), edges.squares.end(), -1);
    for (std::size_t c = 0; c < kColours; ++c) {
      differ(row.planes[c], (has_both ? above : row).planes[c], (has_both ? below : row).planes[c],
             differences);
      take_steeper(differences.across.data(), differences.down.data(), differences.squares.data(),
                   edges.across.data(), edges.down.data(), edges.squares.data(), cell_of.size());
    }
    orient(edges);
    Cell* const line =
        &grid[cell_of[static_cast<std::size_t>(y)] * static_cast<std::size_t>(cells)];
    for (std::size_t x = 0; x < cell_of.size(); ++x) {
      float* const cell = line[cell_of[x]].data() + edges.orientation[x];
      cell[0] += edges.below[x];
      cell[1] += edges.above[x];
    }
  }
  for (Cell& cell : grid) {
    for (std::size_t i = 0; i < 2; ++i) cell[i] += cell[kOrientations + i];
  }
  return grid;
}

// To length 1, no value above 0.2 of it, to length 1 again.
void normalise(std::span<float> block) {
  const auto scale = [block](float most) {
    float squares = kLeastNorm;
    for (const float value : block) squares += value * value;
    for (float& value : block) value = std::min(most, value / std::sqrt(squares));
  };
  constexpr float kMost = 0.2F;
  scale(kMost);
  scale(1);
}

}  // namespace

std::size_t gradient_histogram_size(int cells) {
  return static_cast<std::size_t>((cells - 1) * (cells - 1) * kCellsOfBlock * kOrientations);
}

void gradient_histogram(std::span<const std::uint8_t> pixels, int side, int cells,
                        std::span<float> descriptor) {
  const std::vector<Cell> grid = cells_of(pixels, side, cells);
  float* next = descriptor.data();
  for (int y = 0; y + 1 < cells; ++y) {
    for (int x = 0; x + 1 < cells; ++x) {
      float* const block = next;
      for (const int corner : {0, 1, cells, cells + 1}) {
        next = std::copy_n(grid[static_cast<std::size_t>(y * cells + x + corner)].begin(),
                           kOrientations, next);
      }
      normalise({block, next});
    }
  }
}

}  // namespace diptych
