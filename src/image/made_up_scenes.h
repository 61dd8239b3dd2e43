// For tests: as many different pictures as are wanted, each of a gradient with some shapes on it,
// and what copying does to a picture: smaller, JPEG at quality 40, cut, brighter or darker.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/rng.h"
#include "image/drawn_pictures.h"

namespace diptych::made_up {

using Colour = std::array<double, 3>;

inline Colour any_colour(Rng& rng) {
  return {rng.uniform(0, 255), rng.uniform(0, 255), rng.uniform(0, 255)};
}

struct Shape {
  bool round;
  double x, y, wide, high, lean;
  Colour colour;
  bool covers(double at_x, double at_y) const {
    const double dx = (at_x - x + lean * (at_y - y)) / wide, dy = (at_y - y) / high;
    return round ? dx * dx + dy * dy < 1 : std::abs(dx) < 1 && std::abs(dy) < 1;
  }
};

inline Image scene(std::uint64_t seed, int width = 80, int height = 60) {
  Rng rng(seed, {1});
  const Colour from = any_colour(rng), to = any_colour(rng);
  const double turn = rng.uniform(0, 6.28);
  std::vector<Shape> shapes;
  for (std::uint64_t left = 5 + rng.below(8); left > 0; --left) {
    shapes.push_back({rng.chance(0.5), rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.05, 0.3),
                      rng.uniform(0.05, 0.3), rng.uniform(-1, 1), any_colour(rng)});
  }
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    const double x = static_cast<double>(i % width) / width;
    const double y = static_cast<double>(i / width) / height;
    const double share = 0.5 + 0.5 * ((x - 0.5) * std::cos(turn) + (y - 0.5) * std::sin(turn));
    Colour colour;
    for (std::size_t c = 0; c < 3; ++c) colour[c] = from[c] + share * (to[c] - from[c]);
    for (const Shape& shape : shapes) {
      if (shape.covers(x, y)) colour = shape.colour;
    }
    for (double value : colour) image.pixels.push_back(static_cast<std::uint8_t>(value));
  }
  return image;
}

inline Image cut(const Image& image, int left, int top, int width, int height) {
  Image part{width, height, {}};
  for (int y = 0; y < height; ++y) {
    const auto row = image.pixels.begin() + 3 * (std::ptrdiff_t{top + y} * image.width + left);
    part.pixels.insert(part.pixels.end(), row, row + std::ptrdiff_t{3} * width);
  }
  return part;
}

inline Image brighter(Image image, double factor) {
  for (std::uint8_t& value : image.pixels) {
    value = static_cast<std::uint8_t>(std::min(255.0, value * factor));
  }
  return image;
}

inline Image at_jpeg_quality(const Image& image, int quality) {
  tjhandle handle = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  tjCompress2(handle, image.pixels.data(), image.width, 0, image.height, TJPF_RGB, &bytes, &size,
              TJSAMP_420, quality, 0);
  const Image again = decode_image({reinterpret_cast<char*>(bytes), size}, {});
  tjFree(bytes);
  tjDestroy(handle);
  return again;
}

enum class Copying { smaller, jpeg, cut, brightness };

inline Image copied(const Image& image, Copying how, Rng& rng) {
  const int width = image.width, height = image.height;
  switch (how) {
    case Copying::smaller:
      return resize(image, width * 6 / 10, height * 6 / 10);
    case Copying::jpeg:
      return at_jpeg_quality(image, 40);
    case Copying::cut: {  // a twentieth off every side, or that in all from wherever
      const int x = width / 20, y = height / 20;
      if (rng.chance(0.5)) return cut(image, x, y, width - 2 * x, height - 2 * y);
      return cut(image, static_cast<int>(rng.below(1 + static_cast<std::uint64_t>(x))),
                 static_cast<int>(rng.below(1 + static_cast<std::uint64_t>(y))), width - x,
                 height - y);
    }
    case Copying::brightness:
      return brighter(image, rng.chance(0.5) ? rng.uniform(0.7, 0.85) : rng.uniform(1.15, 1.3));
  }
  return image;
}

}  // namespace diptych::made_up
