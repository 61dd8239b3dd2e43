#include "image/colour_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/vectorised.h"

namespace diptych {
namespace {

// Where one channel's value lies between two neighbouring bins.
struct Place {
  int bin = 0;
  float above = 0;  // share of the next bin
};

std::array<Place, 256> places_of(int bins) {
  std::array<Place, 256> places;
  for (int value = 0; value < 256; ++value) {
    const float position = static_cast<float>(value * (bins - 1)) / 255;
    const int bin = std::min(static_cast<int>(position), bins - 2);
    places[static_cast<std::size_t>(value)] = {bin, position - static_cast<float>(bin)};
  }
  return places;
}

// The share of each of the eight bins around a pixel, [red, green, blue], added to those of its
// cell.
DIPTYCH_VECTORISED void add_shares(std::span<const std::uint8_t> pixels,
                                   const std::array<Place, 256>& places, int bins,
                                   std::span<std::array<float, 8>> cells) {
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) {
    const Place red = places[pixels[i]], green = places[pixels[i + 1]],
                blue = places[pixels[i + 2]];
    float* __restrict cell =
        cells[static_cast<std::size_t>((red.bin * bins + green.bin) * bins + blue.bin)].data();
    for (int corner = 0; corner < 8; ++corner) {
      const float in_red = corner & 4 ? red.above : 1 - red.above;
      const float in_green = corner & 2 ? green.above : 1 - green.above;
      const float in_blue = corner & 1 ? blue.above : 1 - blue.above;
      cell[corner] += in_red * in_green * in_blue;
    }
  }
}

}  // namespace

void colour_histogram(std::span<const std::uint8_t> pixels, int bins, std::span<float> histogram) {
  const std::array<Place, 256> places = places_of(bins);
  std::fill(histogram.begin(), histogram.end(), 0.0F);
  std::vector<std::array<float, 8>> cells(histogram.size());
  add_shares(pixels, places, bins, cells);
  const auto next_red = static_cast<std::size_t>(bins * bins),
             next_green = static_cast<std::size_t>(bins);
  for (std::size_t at = 0; at < cells.size(); ++at) {
    for (std::size_t corner = 0; corner < 8; ++corner) {
      if (cells[at][corner] == 0) continue;
      const std::size_t red = corner & 4 ? next_red : 0, green = corner & 2 ? next_green : 0;
      histogram[at + red + green + (corner & 1)] += cells[at][corner];
    }
  }
  const float count = static_cast<float>(pixels.size() / 3);
  for (float& share : histogram) share = std::sqrt(share / count);
}

}  // namespace diptych
