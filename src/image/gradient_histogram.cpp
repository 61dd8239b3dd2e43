#include "image/gradient_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/vectorised.h"

namespace diptych {
namespace {

constexpr int kOrientations = 9;
constexpr int kCellsOfBlock = 4;
constexpr float kLeastNorm = 0.01F;  // squared, for gradients on the scale 0..1: noise stays small

using Cell = std::array<float, kOrientations>;

// A gradient's share in the two nearest orientations.
struct Vote {
  float first = 0, second = 0;
  int orientation = 0;  // of first; second belongs to the next one
};

Vote vote_of(int dx, int dy) {
  const double length = std::hypot(dx, dy) / 255;
  double angle = std::atan2(dy, dx) / std::numbers::pi;  // of an undirected edge: 0..1
  if (angle < 0) angle += 1;
  const double position = angle * kOrientations;
  const int lower = static_cast<int>(position);
  const double above = position - lower;
  return {static_cast<float>(length * (1 - above)), static_cast<float>(length * above),
          lower % kOrientations};
}

// Every difference of two bytes, half of them: a gradient and its opposite vote alike.
const std::vector<Vote>& votes() {
  static const std::vector<Vote> table = [] {
    std::vector<Vote> all;
    for (int dy = 0; dy <= 255; ++dy) {
      for (int dx = -255; dx <= 255; ++dx) all.push_back(vote_of(dx, dy));
    }
    return all;
  }();
  return table;
}

// Of a row's 3·side values: the central differences, 0 beyond the border, and their squares' sum.
struct Differences {
  explicit Differences(int side) : across(count(side)), down(count(side)), squares(count(side)) {}
  static std::size_t count(int side) { return 3 * static_cast<std::size_t>(side); }
  std::vector<std::int32_t> across, down, squares;
};

// row, above, below: [3·side].
DIPTYCH_VECTORISED void differ(const std::uint8_t* row, const std::uint8_t* above,
                               const std::uint8_t* below, Differences& differences) {
  const std::size_t count = differences.across.size();
  std::int32_t* __restrict across = differences.across.data();
  std::int32_t* __restrict down = differences.down.data();
  std::int32_t* __restrict squares = differences.squares.data();
  for (std::size_t i = 3; i + 3 < count; ++i) across[i] = row[i + 3] - row[i - 3];
  for (std::size_t i = 0; i < count; ++i) {
    down[i] = below[i] - above[i];
    squares[i] = across[i] * across[i] + down[i] * down[i];
  }
}

// Of the pixel's channel that changes most.
const Vote& steepest(const Differences& differences, std::size_t pixel) {
  std::size_t most = 3 * pixel;
  for (const std::size_t other : {3 * pixel + 1, 3 * pixel + 2}) {
    most = differences.squares[other] > differences.squares[most] ? other : most;
  }
  const int dx = differences.across[most], dy = differences.down[most];
  return votes()[static_cast<std::size_t>(dy < 0 ? -dy * 511 - dx + 255 : dy * 511 + dx + 255)];
}

std::vector<Cell> cells_of(std::span<const std::uint8_t> pixels, int side, int cells) {
  std::vector<Cell> grid(static_cast<std::size_t>(cells * cells));
  std::vector<std::size_t> cell_of(static_cast<std::size_t>(side));
  for (int x = 0; x < side; ++x) {
    cell_of[static_cast<std::size_t>(x)] = static_cast<std::size_t>(x * cells / side);
  }
  Differences differences(side);
  const std::ptrdiff_t stride = std::ptrdiff_t{3} * side;
  for (int y = 0; y < side; ++y) {
    const std::uint8_t* row = pixels.data() + y * stride;
    const std::ptrdiff_t step = y > 0 && y + 1 < side ? stride : 0;
    differ(row, row - step, row + step, differences);
    Cell* const line =
        &grid[cell_of[static_cast<std::size_t>(y)] * static_cast<std::size_t>(cells)];
    for (std::size_t x = 0; x < cell_of.size(); ++x) {
      const Vote& vote = steepest(differences, x);
      Cell& cell = line[cell_of[x]];
      cell[static_cast<std::size_t>(vote.orientation)] += vote.first;
      cell[static_cast<std::size_t>((vote.orientation + 1) % kOrientations)] += vote.second;
    }
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
