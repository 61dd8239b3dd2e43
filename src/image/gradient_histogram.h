// Which way the edges run in each part of a picture: histograms of oriented gradients (Dalal and
// Triggs, CVPR 2005) with nine unsigned orientations, blocks of 2×2 cells and clipped block norms.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace diptych {

// Length of the descriptor for cells × cells cells; cells ≥ 2.
std::size_t gradient_histogram_size(int cells);

// pixels: [S,S,3] sRGB, S ≥ cells. Fills descriptor, [(cells-1)²·36]: blocks row by row, each of
// length 1 (0 where a block has no edge), so that light and contrast do not matter.
void gradient_histogram(std::span<const std::uint8_t> pixels, int side, int cells,
                        std::span<float> descriptor);

}  // namespace diptych
