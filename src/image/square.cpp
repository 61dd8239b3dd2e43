// Pictures as the squares that a network takes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "image/codecs.h"
#include "image/exif.h"
#include "image/image.h"
#include "image/planes.h"

namespace diptych {
namespace {

// What is shown of a picture, and at which size; a smaller size than the square's is padded.
struct Framing {
  Stretch across, down;
  int width, height;
};

Framing framing(int width, int height, int side, ImageFit fit) {
  if (width < 1 || height < 1) refuse_image("the picture has no pixels");
  if (side < 1) refuse_image("a picture cannot be resized to nothing");
  const auto whole = [](int length) { return Stretch{0, static_cast<double>(length)}; };
  if (fit == ImageFit::crop) {
    const int shorter = std::min(width, height);
    const auto centre = [&](int length) {
      return Stretch{static_cast<double>((length - shorter) / 2), static_cast<double>(shorter)};
    };
    return {centre(width), centre(height), side, side};
  }
  if (fit == ImageFit::stretch) return {whole(width), whole(height), side, side};
  const double scale = static_cast<double>(side) / std::max(width, height);
  const auto scaled = [&](int length) {
    return std::clamp(static_cast<int>(std::lround(length * scale)), 1, side);
  };
  return {whole(width), whole(height), scaled(width), scaled(height)};
}

Image cut(const Image& image, const Framing& frame) {
  const int left = static_cast<int>(frame.across.start), top = static_cast<int>(frame.down.start);
  Image result{static_cast<int>(frame.across.length), static_cast<int>(frame.down.length), {}};
  result.pixels.resize(image_bytes(result.width, result.height, 3));
  for (int y = 0; y < result.height; ++y) {
    std::memcpy(result.pixels.data() + image_bytes(result.width, y, 3),
                image.pixels.data() + image_bytes(image.width, top + y, 3) + 3 * left,
                image_bytes(result.width, 1, 3));
  }
  return result;
}

Image on_white_square(Image inner, int side) {
  if (inner.width == side && inner.height == side) return inner;
  const int left = (side - inner.width) / 2, top = (side - inner.height) / 2;
  Image result{side, side, {}};
  result.pixels.assign(image_bytes(side, side, 3), 255);
  for (int y = 0; y < inner.height; ++y) {
    std::memcpy(result.pixels.data() + image_bytes(side, top + y, 3) + 3 * left,
                inner.pixels.data() + image_bytes(inner.width, y, 3),
                image_bytes(inner.width, 1, 3));
  }
  return result;
}

}  // namespace

Image fit_square(const Image& image, int side, ImageFit fit) {
  const Framing frame = framing(image.width, image.height, side, fit);
  if (fit != ImageFit::crop) {
    return on_white_square(resize(image, frame.width, frame.height), side);
  }
  return resize(cut(image, frame), side, side);
}

Image decode_square(std::string_view bytes, const DecodeLimits& limits, int side,
                    ImageFit fit) try {
  const ImageFormat format = image_format(bytes);
  const auto planes = format == ImageFormat::jpeg ? decode_jpeg_planes(bytes, limits, side)
                                                  : std::optional<Planes>();
  if (!planes) return fit_square(decode_image(bytes, limits, side), side, fit);
  const Framing frame = framing(planes->width, planes->height, side, fit);
  Image inner = compose(*planes, frame.across, frame.down, frame.width, frame.height);
  return on_white_square(apply_orientation(std::move(inner), read_orientation(bytes, format)),
                         side);
} catch (const std::bad_alloc&) {
  refuse_for_memory();
}

}  // namespace diptych
