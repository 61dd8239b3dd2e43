#include "image/image.h"

#include <fmt/format.h>
#include <gif_lib.h>
#include <jpeglib.h>
#include <png.h>
#include <webp/decode.h>

#include <array>
#include <new>
#include <stdexcept>

#include "base/error.h"
#include "image/codecs.h"
#include "image/exif.h"

namespace diptych {
namespace {

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  const char* name;
};

using std::string_view_literals::operator""sv;

// What turns up in the picture column of real tables, so that the refusal can name it.
constexpr std::array kUnread = {
    Magic{0, "BM"sv, "BMP"},
    Magic{0, "II*\0"sv, "TIFF"},
    Magic{0, "MM\0*"sv, "TIFF"},
    Magic{0, "II+\0"sv, "BigTIFF"},
    Magic{0, "MM\0+"sv, "BigTIFF"},
    Magic{4, "ftypavif"sv, "AVIF"},
    Magic{4, "ftypavis"sv, "AVIF"},
    Magic{4, "ftyphei"sv, "HEIC"},
    Magic{4, "ftypmif1"sv, "HEIF"},
    Magic{4, "ftyp"sv, "MP4 video"},
    Magic{0, "\0\0\0\x0cjP  "sv, "JPEG 2000"},
    Magic{0, "\xff\x4f\xff\x51"sv, "JPEG 2000"},
    Magic{0, "\0\0\0\x0cJXL "sv, "JPEG XL"},
    Magic{0, "\xff\x0a"sv, "JPEG XL"},
    Magic{0, "\0\0\1\0"sv, "ICO"},
    Magic{0, "8BPS"sv, "Photoshop"},
    Magic{0, "qoif"sv, "QOI"},
    Magic{0, "DDS "sv, "DDS"},
    Magic{0, "\x76\x2f\x31\x01"sv, "OpenEXR"},
    Magic{0, "P1\n"sv, "PBM"},
    Magic{0, "P2\n"sv, "PGM"},
    Magic{0, "P3\n"sv, "PPM"},
    Magic{0, "P4\n"sv, "PBM"},
    Magic{0, "P5\n"sv, "PGM"},
    Magic{0, "P6\n"sv, "PPM"},
    Magic{0, "%PDF"sv, "PDF"},
    Magic{0, "<svg"sv, "SVG"},
    Magic{0, "<?xml"sv, "XML or SVG"},
    Magic{0, "<!DOCTYPE"sv, "HTML"},
    Magic{0, "<html"sv, "HTML"},
    Magic{0, "PK\3\4"sv, "ZIP"},
    Magic{0, "\x1f\x8b"sv, "gzip"},
    Magic{0, "version https://git-lfs"sv, "Git LFS pointer"},
};

bool has_at(std::string_view bytes, std::size_t offset, std::string_view magic) {
  return bytes.size() >= offset && bytes.substr(offset).starts_with(magic);
}

[[noreturn]] void refuse_unknown(std::string_view bytes) {
  const std::string hint = "formats that are read: JPEG, PNG, WebP, GIF";
  if (bytes.empty()) refuse_image("the file is empty");
  for (const Magic& magic : kUnread) {
    if (has_at(bytes, magic.offset, magic.bytes)) {
      refuse_image("the format is " + std::string(magic.name) + ", which is not read", hint);
    }
  }
  refuse_image("this is no picture in a known format", hint);
}

Image decode_stored(std::string_view bytes, const DecodeLimits& limits, int enough_side) {
  switch (image_format(bytes)) {
    case ImageFormat::jpeg:
      return decode_jpeg(bytes, limits, enough_side);
    case ImageFormat::png:
      return decode_png(bytes, limits);
    case ImageFormat::webp:
      return decode_webp(bytes, limits);
    case ImageFormat::gif:
      return decode_gif(bytes, limits);
    case ImageFormat::unknown:
      break;
  }
  refuse_unknown(bytes);
}

std::string megapixels(double value) {
  std::string text = std::to_string(value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

void refuse_image(const std::string& reason, const std::string& hint) {
  throw Error(ErrorKind::image, reason, "", hint);
}

void refuse_for_memory() {
  refuse_image("there is not enough memory for the picture", "--max-megapixels sets the limit");
}

void check_image_size(std::uint64_t width, std::uint64_t height, const DecodeLimits& limits) {
  if (width == 0 || height == 0) refuse_image("the picture has no pixels");
  if (width > INT32_MAX || height > INT32_MAX) refuse_image("the picture's size is impossible");
  const double size = static_cast<double>(width) * static_cast<double>(height) / 1e6;
  if (size <= limits.max_megapixels) return;
  refuse_image("the picture is " + std::to_string(width) + " x " + std::to_string(height) +
                   " pixels, more than the limit of " + megapixels(limits.max_megapixels) +
                   " megapixels",
               "--max-megapixels sets the limit");
}

Image on_white(int width, int height, const std::uint8_t* rgba) {
  Image image{width, height, {}};
  image.pixels.resize(image_bytes(width, height, 3));
  for (std::size_t i = 0, count = image_bytes(width, height, 1); i < count; ++i) {
    const int alpha = rgba[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const int blended = (rgba[4 * i + c] * alpha + 255 * (255 - alpha) + 127) / 255;
      image.pixels[3 * i + c] = static_cast<std::uint8_t>(blended);
    }
  }
  return image;
}

ImageFormat image_format(std::string_view bytes) {
  if (bytes.starts_with("\xff\xd8\xff"sv)) return ImageFormat::jpeg;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return ImageFormat::png;
  if (bytes.starts_with("RIFF"sv) && has_at(bytes, 8, "WEBP")) return ImageFormat::webp;
  if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) return ImageFormat::gif;
  return ImageFormat::unknown;
}

Image decode_image(std::string_view bytes, const DecodeLimits& limits, int enough_side) try {
  Image image = decode_stored(bytes, limits, enough_side);
  return apply_orientation(std::move(image), read_orientation(bytes, image_format(bytes)));
} catch (const std::bad_alloc&) {
  refuse_for_memory();
}

std::string decoder_version() {
  constexpr int kOwn = 2;
  return fmt::format("diptych {}, libjpeg-turbo {}, libpng {}, libwebp {:06x}, giflib {}.{}.{}",
                     kOwn, LIBJPEG_TURBO_VERSION_NUMBER, png_get_libpng_ver(nullptr),
                     WebPGetDecoderVersion(), GIFLIB_MAJOR, GIFLIB_MINOR, GIFLIB_RELEASE);
}

std::string encode_png(const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  std::string bytes;
  if (image.width > 0 && image.height > 0) bytes.resize(PNG_IMAGE_PNG_SIZE_MAX(header));
  png_alloc_size_t size = bytes.size();
  if (bytes.empty() || !png_image_write_to_memory(&header, bytes.data(), &size, 0,
                                                  image.pixels.data(), 0, nullptr)) {
    throw Error(ErrorKind::internal, std::string("a picture cannot be written as PNG: ") +
                                         (bytes.empty() ? "it has no pixels" : header.message));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace diptych
