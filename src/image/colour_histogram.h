// How much of each colour a picture holds, wherever it stands: Swain and Ballard, "Color indexing",
// IJCV 7(1), 1991. A pixel is shared among the eight nearest bins of an RGB grid, and counts enter
// by their square root, which keeps a large background from drowning the rest (Arandjelović and
// Zisserman, CVPR 2012).
#pragma once
#include <cstdint>
#include <span>

namespace diptych {

// pixels: [P,3] sRGB, P > 0; bins ≥ 2 along each channel. Fills histogram, [bins³], red slowest:
// the square roots of shares that sum to 1.
void colour_histogram(std::span<const std::uint8_t> pixels, int bins, std::span<float> histogram);

}  // namespace diptych
