#include "image/colour_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>

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

}  // namespace

void colour_histogram(std::span<const std::uint8_t> pixels, int bins, std::span<float> histogram) {
  const std::array<Place, 256> places = places_of(bins);
  std::fill(histogram.begin(), histogram.end(), 0.0F);
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) {
    const Place red = places[pixels[i]], green = places[pixels[i + 1]],
                blue = places[pixels[i + 2]];
    float* corner =
        &histogram[static_cast<std::size_t>((red.bin * bins + green.bin) * bins + blue.bin)];
    for (const float in_red : {1 - red.above, red.above}) {
      float* line = corner;
      for (const float in_green : {1 - green.above, green.above}) {
        const float share = in_red * in_green;
        line[0] += share * (1 - blue.above);
        line[1] += share * blue.above;
        line += bins;
      }
      corner += bins * bins;
    }
  }
  const float count = static_cast<float>(pixels.size() / 3);
  for (float& share : histogram) share = std::sqrt(share / count);
}

}  // namespace diptych
