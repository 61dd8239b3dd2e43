#include "image/exif.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "image/codecs.h"
#include "image/jpeg_markers.h"

namespace diptych {
namespace {

using std::string_view_literals::operator""sv;

// Numbers at any place of untrusted bytes; what lies beyond the end is nothing, never read.
struct Reader {
  std::string_view bytes;
  bool big_endian = true;

  std::optional<std::uint32_t> number(std::size_t place, std::size_t size) const {
    if (place > bytes.size() || bytes.size() - place < size) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t at = place + (big_endian ? i : size - 1 - i);
      value = value << 8 | static_cast<std::uint8_t>(bytes[at]);
    }
    return value;
  }
};

std::string_view part(std::string_view bytes, std::size_t place, std::size_t size) {
  return place > bytes.size() ? ""sv : bytes.substr(place, size);
}

int exif_block_orientation(std::string_view block) {
  if (block.starts_with("Exif\0\0"sv)) block.remove_prefix(6);
  return tiff_orientation(block);
}

int jpeg_orientation(std::string_view bytes) {
  constexpr int kApp1 = 0xe1, kStartOfScan = 0xda;
  JpegMarkers markers(bytes);
  while (const auto segment = markers.next()) {
    if (segment->marker == kStartOfScan) return kUpright;
    if (segment->marker == kApp1 && segment->payload.starts_with("Exif\0\0"sv)) {
      return exif_block_orientation(segment->payload);
    }
  }
  return kUpright;
}

int png_orientation(std::string_view bytes) {
  constexpr std::size_t kSignature = 8, kFrame = 12;  // length, name and checksum of a chunk
  const Reader reader{bytes};
  for (std::size_t place = kSignature;;) {
    const auto size = reader.number(place, 4);
    if (!size) return kUpright;
    if (part(bytes, place + 4, 4) == "eXIf"sv) {
      return exif_block_orientation(part(bytes, place + 8, *size));
    }
    place += kFrame + *size;
  }
}

int webp_orientation(std::string_view bytes) {
  constexpr std::size_t kHeader = 12;
  const Reader reader{bytes, false};
  for (std::size_t place = kHeader;;) {
    const auto size = reader.number(place + 4, 4);
    if (!size) return kUpright;
    if (part(bytes, place, 4) == "EXIF"sv) {
      return exif_block_orientation(part(bytes, place + 8, *size));
    }
    place += 8 + std::size_t{*size} + (*size & 1);
  }
}

// Where the pixel that is shown at (x, y) is stored in a picture of width x height.
std::pair<int, int> stored_place(int orientation, int x, int y, const Image& stored) {
  const int right = stored.width - 1, bottom = stored.height - 1;
  switch (orientation) {
    case 2:
      return {right - x, y};
    case 3:
      return {right - x, bottom - y};
    case 4:
      return {x, bottom - y};
    case 5:
      return {y, x};
    case 6:
      return {y, bottom - x};
    case 7:
      return {right - y, bottom - x};
    case 8:
      return {right - y, x};
    default:
      return {x, y};
  }
}

}  // namespace

int tiff_orientation(std::string_view tiff) {
  constexpr std::uint32_t kOrientation = 0x0112, kShort = 3;
  constexpr std::size_t kEntry = 12;
  if (!tiff.starts_with("II*\0"sv) && !tiff.starts_with("MM\0*"sv)) return kUpright;
  const Reader reader{tiff, tiff.front() == 'M'};
  const std::size_t directory = reader.number(4, 4).value_or(0);
  const std::size_t count = reader.number(directory, 2).value_or(0);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t entry = directory + 2 + i * kEntry;
    if (reader.number(entry, 2) != kOrientation) continue;
    const auto value = reader.number(entry + 8, 2).value_or(0);
    const bool valid = reader.number(entry + 2, 2) == kShort && value >= 1 && value <= 8;
    return valid ? static_cast<int>(value) : kUpright;
  }
  return kUpright;
}

int read_orientation(std::string_view bytes, ImageFormat format) {
  switch (format) {
    case ImageFormat::jpeg:
      return jpeg_orientation(bytes);
    case ImageFormat::png:
      return png_orientation(bytes);
    case ImageFormat::webp:
      return webp_orientation(bytes);
    case ImageFormat::gif:
    case ImageFormat::unknown:
      break;
  }
  return kUpright;
}

Image apply_orientation(Image image, int orientation) {
  if (orientation <= kUpright || orientation > 8) return image;
  Image shown{image.width, image.height, {}};
  if (orientation >= 5) std::swap(shown.width, shown.height);
  shown.pixels.resize(image.pixels.size());
  std::uint8_t* to = shown.pixels.data();
  for (int y = 0; y < shown.height; ++y) {
    for (int x = 0; x < shown.width; ++x, to += 3) {
      const auto [column, row] = stored_place(orientation, x, y, image);
      const std::uint8_t* from =
          image.pixels.data() + image_bytes(image.width, row, 3) + std::ptrdiff_t{3} * column;
      to[0] = from[0];
      to[1] = from[1];
      to[2] = from[2];
    }
  }
  return shown;
}

}  // namespace diptych
