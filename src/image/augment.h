// Random changes of a training picture: one affine warp, colour, erasing. Works on uint8 pixels;
// every draw comes from the generator that is passed in, so a picture's augmentation depends on its
// address (seed, epoch, row) alone.
#pragma once
#include <cstdint>
#include <span>

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

// from, to: [S,S,3]; outside of the picture is filled with its nearest edge pixel. Must not
// overlap.
void augment(std::span<const std::uint8_t> from, int side, const AugmentOptions& options, Rng& rng,
             std::span<std::uint8_t> to);

}  // namespace diptych
