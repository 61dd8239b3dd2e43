#include "image/gradient_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

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

const Vote& look_up(int dx, int dy) {
  if (dy < 0) {
    dx = -dx;
    dy = -dy;
  }
  return votes()[static_cast<std::size_t>(dy * 511 + dx + 255)];
}

// Central differences of the channel that changes most; 0 beyond the border.
const Vote& steepest(const std::uint8_t* pixel, std::ptrdiff_t across, std::ptrdiff_t down) {
  int most = -1, dx = 0, dy = 0;
  for (int c = 0; c < 3; ++c) {
    const int x = across ? pixel[c + across] - pixel[c - across] : 0;
    const int y = down ? pixel[c + down] - pixel[c - down] : 0;
    if (x * x + y * y <= most) continue;
    most = x * x + y * y;
    dx = x;
    dy = y;
  }
  return look_up(dx, dy);
}

std::vector<Cell> cells_of(std::span<const std::uint8_t> pixels, int side, int cells) {
  std::vector<Cell> grid(static_cast<std::size_t>(cells * cells));
  const std::ptrdiff_t row = std::ptrdiff_t{3} * side;
  for (int y = 0; y < side; ++y) {
    Cell* const line = &grid[static_cast<std::size_t>(y * cells / side * cells)];
    for (int x = 0; x < side; ++x) {
      const bool inside_x = x > 0 && x + 1 < side, inside_y = y > 0 && y + 1 < side;
      const Vote& vote = steepest(&pixels[static_cast<std::size_t>(y * row + 3 * x)],
                                  inside_x ? 3 : 0, inside_y ? row : 0);
      Cell& cell = line[x * cells / side];
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
