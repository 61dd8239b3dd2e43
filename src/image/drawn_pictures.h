// Pictures for tests, written by the format libraries themselves. Four levels that every bit depth
// of two and more can hold, so that what is read back can be compared exactly.
#pragma once
#include <gif_lib.h>
#include <png.h>
#include <turbojpeg.h>
#include <webp/encode.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "image/image.h"

namespace diptych::drawn {

using Colour = std::array<int, 3>;

inline int level_at(int x, int y) { return (x + 2 * y + x / 4) % 4; }
inline int grey_at(int x, int y) { return 85 * level_at(x, y); }
inline Colour colour_of_level(int level) { return {85 * level, 255 - 85 * level, 85}; }

inline Image coloured(int width, int height) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    for (int value : colour_of_level(level_at(i % width, i / width))) {
      image.pixels.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return image;
}

// Smooth, as photographs are: lossy formats keep it nearly.
inline Image smooth(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.pixels.push_back(static_cast<std::uint8_t>(x * 255 / width));
      image.pixels.push_back(static_cast<std::uint8_t>(y * 255 / height));
      image.pixels.push_back(static_cast<std::uint8_t>((x + y) * 255 / (width + height)));
    }
  }
  return image;
}

struct JpegKind {
  int subsampling = TJSAMP_444;
  int pixels = TJPF_RGB;
  int flags = 0;
};

// data: [H,W,3] or, for TJPF_CMYK, [H,W,4].
inline std::string jpeg(int width, int height, const std::uint8_t* data, JpegKind kind = {}) {
  tjhandle handle = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int failed = tjCompress2(handle, data, width, 0, height, kind.pixels, &bytes, &size,
                                 kind.subsampling, 95, kind.flags);
  const std::string result(reinterpret_cast<char*>(bytes), failed ? 0 : size);
  tjFree(bytes);
  tjDestroy(handle);
  return result;
}
inline std::string jpeg(const Image& image, JpegKind kind = {}) {
  return jpeg(image.width, image.height, image.pixels.data(), kind);
}

struct PngKind {
  int colours = PNG_COLOR_TYPE_RGB;
  int depth = 8;
  bool interlaced = false;
  bool transparent_level = false;  // level 2 is transparent by a tRNS chunk
  int alpha = 255;                 // of every pixel, for the types with alpha
  std::string exif = {};
};

inline void add_png_sample(std::string& row, int value, int depth) {
  if (depth < 8) value = value * ((1 << depth) - 1) / 255;
  row.push_back(static_cast<char>(value));
  if (depth == 16) row.push_back(static_cast<char>(value));
}

inline std::string png_row(const PngKind& kind, int width, int y) {
  std::string row;
  for (int x = 0; x < width; ++x) {
    const int level = level_at(x, y);
    if (kind.colours == PNG_COLOR_TYPE_PALETTE) {
      row.push_back(static_cast<char>(level));
    } else if (kind.colours & PNG_COLOR_MASK_COLOR) {
      for (int value : colour_of_level(level)) add_png_sample(row, value, kind.depth);
    } else {
      add_png_sample(row, kind.depth == 1 ? 255 * (level / 2) : 85 * level, kind.depth);
    }
    if (kind.colours & PNG_COLOR_MASK_ALPHA) add_png_sample(row, kind.alpha, kind.depth);
  }
  return row;
}

inline void describe_png(png_structp png, png_infop info, const PngKind& kind) {
  std::array<png_color, 4> palette;
  for (int level = 0; level < 4; ++level) {
    const Colour colour = colour_of_level(level);
    palette[static_cast<std::size_t>(level)] = {static_cast<png_byte>(colour[0]),
                                                static_cast<png_byte>(colour[1]),
                                                static_cast<png_byte>(colour[2])};
  }
  if (kind.colours == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette.data(), 4);
  if (!kind.transparent_level) return;
  const png_byte alphas[] = {255, 255, 0};
  const int one = kind.depth == 16 ? 257 : 1;
  png_color_16 key{};
  key.red = static_cast<png_uint_16>(palette[2].red * one);
  key.green = static_cast<png_uint_16>(palette[2].green * one);
  key.blue = static_cast<png_uint_16>(palette[2].blue * one);
  key.gray = static_cast<png_uint_16>(170 * ((1 << kind.depth) - 1) / 255);
  png_set_tRNS(png, info, alphas, 3, &key);
}

inline std::string png(int width, int height, const PngKind& kind) {
  std::string bytes;
  png_structp png = png_create_write_struct(
      PNG_LIBPNG_VER_STRING, nullptr,
      [](png_structp, png_const_charp message) { throw std::runtime_error(message); }, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &bytes,
      [](png_structp writer, png_bytep data, std::size_t size) {
        static_cast<std::string*>(png_get_io_ptr(writer))
            ->append(reinterpret_cast<char*>(data), size);
      },
      nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
               kind.depth, kind.colours, kind.interlaced ? PNG_INTERLACE_ADAM7 : 0, 0, 0);
  describe_png(png, info, kind);
  png_write_info(png, info);
  if (!kind.exif.empty()) {
    png_write_chunk(png, reinterpret_cast<png_const_bytep>("eXIf"),
                    reinterpret_cast<png_const_bytep>(kind.exif.data()), kind.exif.size());
  }
  png_set_packing(png);
  std::vector<std::string> rows;
  std::vector<png_bytep> places;
  for (int y = 0; y < height; ++y) rows.push_back(png_row(kind, width, y));
  for (std::string& row : rows) places.push_back(reinterpret_cast<png_bytep>(row.data()));
  png_write_image(png, places.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

struct GifKind {
  bool interlaced = false;
  int transparent = -1;
  int left = 0, top = 0;  // of the frame; the canvas is as large as the frame and this
  int frames = 1;
};

inline std::string gif(int width, int height, const GifKind& kind = {}) {
  std::string bytes;
  int code = 0;
  GifFileType* file = EGifOpen(
      &bytes,
      [](GifFileType* writer, const GifByteType* data, int size) {
        static_cast<std::string*>(writer->UserData)
            ->append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
        return size;
      },
      &code);
  EGifSetGifVersion(file, true);
  ColorMapObject* map = GifMakeMapObject(4, nullptr);
  for (int level = 0; level < 4; ++level) {
    const Colour colour = colour_of_level(level);
    map->Colors[level] = {static_cast<GifByteType>(colour[0]), static_cast<GifByteType>(colour[1]),
                          static_cast<GifByteType>(colour[2])};
  }
  EGifPutScreenDesc(file, width + kind.left, height + kind.top, 2, 0, map);
  for (int frame = 0; frame < kind.frames; ++frame) {
    const GraphicsControlBlock control{0, false, 1, kind.transparent};
    GifByteType extension[4];
    const auto size = EGifGCBToExtension(&control, extension);
    EGifPutExtension(file, GRAPHICS_EXT_FUNC_CODE, static_cast<int>(size), extension);
    EGifPutImageDesc(file, kind.left, kind.top, width, height, kind.interlaced, nullptr);
    std::vector<int> rows;
    for (int y = 0; y < height; y += kind.interlaced ? 8 : 1) rows.push_back(y);
    for (int step = 8; kind.interlaced && step > 1; step /= 2) {
      for (int y = step / 2; y < height; y += step) rows.push_back(y);
    }
    for (int y : rows) {
      std::vector<GifPixelType> row;
      for (int x = 0; x < width; ++x) {
        row.push_back(static_cast<GifPixelType>(frame ? 0 : level_at(x, y)));
      }
      EGifPutLine(file, row.data(), width);
    }
  }
  GifFreeMapObject(map);
  EGifCloseFile(file, &code);
  return bytes;
}

inline std::string webp(const Image& image) {
  std::uint8_t* bytes = nullptr;
  const std::size_t size = WebPEncodeLosslessRGB(image.pixels.data(), image.width, image.height,
                                                 image.width * 3, &bytes);
  const std::string result(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  return result;
}

inline std::string webp_with_alpha(int width, int height, const std::vector<std::uint8_t>& rgba) {
  std::uint8_t* bytes = nullptr;
  const std::size_t size = WebPEncodeLosslessRGBA(rgba.data(), width, height, width * 4, &bytes);
  const std::string result(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  return result;
}

inline std::string little_endian(std::size_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

inline std::string riff_chunk(const std::string& name, const std::string& payload) {
  return name + little_endian(payload.size(), 4) + payload + std::string(payload.size() % 2, '\0');
}

// The extended form of a WebP: `flags` 8 for EXIF, 2 for an animation, then the chunks.
inline std::string extended_webp(const Image& size, int flags, const std::string& chunks) {
  const std::string header = little_endian(static_cast<std::size_t>(flags), 4) +
                             little_endian(static_cast<std::size_t>(size.width - 1), 3) +
                             little_endian(static_cast<std::size_t>(size.height - 1), 3);
  return riff_chunk("RIFF", "WEBP" + riff_chunk("VP8X", header) + chunks);
}

inline std::string webp_frame(const Image& image) {
  const std::string still = webp(image).substr(12);
  return riff_chunk("ANMF", little_endian(0, 6) +
                                little_endian(static_cast<std::size_t>(image.width - 1), 3) +
                                little_endian(static_cast<std::size_t>(image.height - 1), 3) +
                                little_endian(100, 4) + still);
}

inline std::string animated_webp(const std::vector<Image>& frames) {
  std::string chunks = riff_chunk("ANIM", little_endian(0, 6));
  for (const Image& frame : frames) chunks += webp_frame(frame);
  return extended_webp(frames.front(), 2, chunks);
}

// A TIFF block that holds nothing but an orientation.
inline std::string exif(int orientation, bool big_endian = true) {
  using namespace std::string_literals;
  const std::string value(1, static_cast<char>(orientation));
  if (big_endian) {
    return "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + value + "\0\0\0\0\0\0"s;
  }
  return "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + value + "\0\0\0\0\0\0\0"s;
}

inline std::string jpeg_with_exif(const std::string& jpeg, const std::string& exif) {
  using namespace std::string_literals;
  const std::size_t length = 2 + 6 + exif.size();
  const std::string size = {static_cast<char>(length >> 8), static_cast<char>(length)};
  return jpeg.substr(0, 2) + "\xff\xe1" + size + "Exif\0\0"s + exif + jpeg.substr(2);
}

}  // namespace diptych::drawn
