// Pictures: bytes in, [H,W,3] sRGB out. Decoding is bounded before a pixel is allocated.
// Formats: JPEG (libjpeg-turbo), PNG (libpng), WebP (libwebp), GIF (giflib, first frame).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace diptych {

struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  // [H,W,3], sRGB, rows top to bottom
};

struct DecodeLimits {
  double max_megapixels = 100;
};

enum class ImageFormat { jpeg, png, webp, gif, unknown };

// By the leading bytes, never by the file's name.
ImageFormat image_format(std::string_view bytes);

// Decodes one picture: EXIF orientation applied, palette and greyscale expanded, alpha laid on
// white, CMYK and 16-bit reduced to 8-bit sRGB. enough_side > 0 allows a cheaper decode at reduced
// scale (JPEG's DCT scaling) as long as the shorter side stays at least that many pixels.
// Throws Error{image} with the reason; never crashes on hostile bytes. Thread-safe.
Image decode_image(std::string_view bytes, const DecodeLimits& limits, int enough_side = 0);

// Antialiased resize (triangle filter widened by the reduction, as in Pillow's BILINEAR).
Image resize(const Image& image, int width, int height);

// [S,S] brightness (as Pillow's mode L), stretched by a Lanczos filter (as Pillow's LANCZOS).
std::vector<std::uint8_t> grey_square(const Image& image, int side);

// A square of side pixels: stretched, padded with white, or cut to its centre. Throws Error{image}
// for an empty picture.
Image fit_square(const Image& image, int side, ImageFit fit);

// What fit_square() of decode_image() shows, by the cheapest way. A JPEG's brightness and colours
// are reduced before they become pixels, which differs by a few levels. Throws as these do.
Image decode_square(std::string_view bytes, const DecodeLimits& limits, int side, ImageFit fit);

// Names what decode_square() gives: equal names, equal pixels. Its own number rises
// with every change of them.
std::string decoder_version();

// PNG bytes of a picture (for reports and sample data).
std::string encode_png(const Image& image);

}  // namespace diptych
