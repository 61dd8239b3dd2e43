// Random changes of a training picture: one affine warp, colour, erasing. Works on uint8 pixels;
// every draw comes from the generator that is passed in, so a picture's augmentation depends on its
// address (seed, epoch, row) alone.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/rng.h"

namespace diptych {

struct AugmentOptions {
  double flip = 0;    // probability of a mirror image
  double shift = 0;   // up to this share of the side, each way
  double scale = 0;   // zoom drawn from [1 - scale, 1 + scale]
  double rotate = 0;  // up to this many degrees, each way
  double colour = 0;  // brightness, contrast and saturation factors from [1 - colour, 1 + colour]
  double erase = 0;   // probability of blanking a random rectangle (2 % to 20 % of the area)
  bool any() const {
    return flip > 0 || shift > 0 || scale > 0 || rotate > 0 || colour > 0 || erase > 0;
  }
};

// From a target pixel (x, y) to its place in the source: x' = xx x + xy y + x0, likewise y'.
struct Warp {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;
  bool is_identity() const {
    return xx == 1 && xy == 0 && x0 == 0 && yx == 0 && yy == 1 && y0 == 0;
  }
};

// Every value becomes own · value + grey · the pixel's luma + mean · the mean luma of the warped
// picture.
struct ColourChange {
  float own = 1, grey = 0, mean = 0;
};

struct Erased {
  int left = 0, top = 0, width = 0, height = 0;
  std::array<std::uint8_t, 3> colour{};
};

// What becomes of one picture, in this order.
struct Augmentation {
  Warp warp;
  std::optional<ColourChange> colour;
  std::optional<Erased> erased;
};

Augmentation draw_augmentation(int side, const AugmentOptions& options, Rng& rng);

constexpr float kRedLuma = 0.299F, kGreenLuma = 0.587F, kBlueLuma = 0.114F;  // ITU-R BT.601

// A warp in fixed point: whole steps (a mirror image) stay exact, and no pixel costs a conversion
// from floating point. A row begins at x, y of the source; each pixel is a step from the last.
constexpr int kCoordinateBits = 16;
constexpr int kWeightBits = 8;  // of those behind the point, what pixels are weighed by
struct WarpedRows {
  std::int64_t step_x = 0, step_y = 0;
  std::vector<std::int64_t> x, y;  // [S]
};
WarpedRows warped_rows(const Warp& warp, int side);

// from, to: [S,S,3]; outside of the picture is filled with its nearest edge pixel. Must not
// overlap.
void augment(std::span<const std::uint8_t> from, int side, const Augmentation& drawn,
             std::span<std::uint8_t> to);
void augment(std::span<const std::uint8_t> from, int side, const AugmentOptions& options, Rng& rng,
             std::span<std::uint8_t> to);

}  // namespace diptych
