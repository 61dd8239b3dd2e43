// A JPEG before its colours are put together: brightness and two colour differences (YCbCr, JFIF
// 1.02), the latter often of fewer samples. To reduce them apart and to put only the small picture
// together costs less than to do it the other way round.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "image/image.h"
#include "image/resample.h"

namespace diptych {

struct Plane {
  Plane(int columns, int rows);

  int width, height;
  std::size_t stride;  // bytes from row to row: the width, up to a multiple of kLanes
  std::vector<std::uint8_t> samples;  // [height, stride]
};

struct Planes {
  int width, height;          // of the picture, in pixels
  int across, down;           // pixels to a sample of colour
  std::vector<Plane> planes;  // Y, or Y, Cb and Cr
};

// At a reduced scale as decode_image() takes it. Nothing for a file whose colours or sampling are
// others, or which is damaged: decode_image() tells. Throws Error{image} for a picture too large.
std::optional<Planes> decode_jpeg_planes(std::string_view bytes, const DecodeLimits& limits,
                                         int enough_side);

// Part of the picture, in pixels, as an image of width × height.
Image compose(const Planes& planes, Stretch across, Stretch down, int width, int height);

}  // namespace diptych
