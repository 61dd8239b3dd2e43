#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <memory>

#include "image/codecs.h"
#include "image/jpeg_markers.h"
#include "image/planes.h"

namespace diptych {
namespace {

using Decompressor = std::unique_ptr<void, int (*)(tjhandle)>;

struct Header {
  int width = 0;
  int height = 0;
  int colours = -1;
  int sampling = -1;  // TJSAMP; -1: one without a name
};

const unsigned char* data(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

[[noreturn]] void refuse_jpeg(tjhandle handle) {
  refuse_image(std::string("damaged JPEG: ") + tjGetErrorStr2(handle));
}

Header read_header(tjhandle handle, std::string_view bytes) {
  Header header;
  const int failed = tjDecompressHeader3(handle, data(bytes), bytes.size(), &header.width,
                                         &header.height, &header.sampling, &header.colours);
  // It also fails for samplings that it has no name for, which it decodes all the same.
  if (failed && (header.width < 1 || header.height < 1 || header.colours < 0)) refuse_jpeg(handle);
  if (failed) header.sampling = -1;
  return header;
}

// The decoder fills up what is missing with grey and a warning; without an end marker the file was
// cut, and half a picture must not pass for a whole one.
void require_end(std::string_view bytes) {
  constexpr int kEndOfImage = 0xd9;
  JpegMarkers markers(bytes);
  while (const auto segment = markers.next()) {
    if (segment->marker == kEndOfImage) return;
  }
  refuse_image("the JPEG is truncated: its end is missing");
}

// The halvings only: the scales between them have no fast transform.
tjscalingfactor cheapest_scale(const Header& header, int enough_side) {
  constexpr std::array kScales = {tjscalingfactor{1, 8}, tjscalingfactor{1, 4},
                                  tjscalingfactor{1, 2}};
  const int shorter = std::min(header.width, header.height);
  for (const tjscalingfactor& scale : kScales) {
    if (enough_side > 0 && TJSCALED(shorter, scale) >= enough_side) return scale;
  }
  return {1, 1};
}

// CMYK in JPEG files follows Adobe: stored inverted, 255 is no ink.
void inverted_cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, Image& image) {
  std::uint8_t* to = image.pixels.data();
  for (std::size_t i = 0; i < cmyk.size(); i += 4) {
    const int paper = cmyk[i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      *to++ = static_cast<std::uint8_t>((cmyk[i + c] * paper + 127) / 255);
    }
  }
}

Decompressor new_decompressor() {
  Decompressor handle(tjInitDecompress(), tjDestroy);
  if (!handle) refuse_image("the JPEG decoder does not start");
  return handle;
}

// Of a whole file whose size is within the limits.
Header checked_header(tjhandle handle, std::string_view bytes, const DecodeLimits& limits) {
  const Header header = read_header(handle, bytes);
  check_image_size(static_cast<std::uint64_t>(header.width),
                   static_cast<std::uint64_t>(header.height), limits);
  require_end(bytes);
  return header;
}

}  // namespace

std::optional<Planes> decode_jpeg_planes(std::string_view bytes, const DecodeLimits& limits,
                                         int enough_side) {
  const Decompressor handle = new_decompressor();
  const Header header = checked_header(handle.get(), bytes, limits);
  const bool is_grey = header.colours == TJCS_GRAY;
  if (header.sampling < 0 || (!is_grey && header.colours != TJCS_YCbCr)) return std::nullopt;

  const tjscalingfactor scale = cheapest_scale(header, enough_side);
  const int width = TJSCALED(header.width, scale), height = TJSCALED(header.height, scale);
  Planes result{
      width, height, tjMCUWidth[header.sampling] / 8, tjMCUHeight[header.sampling] / 8, {}};
  std::array<unsigned char*, 3> samples{};
  std::array<int, 3> strides{};
  for (int i = 0; i < (is_grey ? 1 : 3); ++i) {
    result.planes.emplace_back(tjPlaneWidth(i, width, header.sampling),
                               tjPlaneHeight(i, height, header.sampling));
  }
  for (std::size_t i = 0; i < result.planes.size(); ++i) {
    samples[i] = result.planes[i].samples.data();
    strides[i] = static_cast<int>(result.planes[i].stride);
  }
  const int failed =
      tjDecompressToYUVPlanes(handle.get(), data(bytes), bytes.size(), samples.data(), width,
                              strides.data(), height, TJFLAG_LIMITSCANS);
  if (failed && tjGetErrorCode(handle.get()) == TJERR_FATAL) return std::nullopt;
  return result;
}

Image decode_jpeg(std::string_view bytes, const DecodeLimits& limits, int enough_side) {
  const Decompressor handle = new_decompressor();
  const Header header = checked_header(handle.get(), bytes, limits);
  const tjscalingfactor scale = cheapest_scale(header, enough_side);
  Image image{TJSCALED(header.width, scale), TJSCALED(header.height, scale), {}};
  image.pixels.resize(image_bytes(image.width, image.height, 3));
  const bool is_cmyk = header.colours == TJCS_CMYK || header.colours == TJCS_YCCK;
  std::vector<std::uint8_t> cmyk(is_cmyk ? image_bytes(image.width, image.height, 4) : 0);
  // TJFLAG_LIMITSCANS: thousands of scans of one picture would take hours.
  const int failed = tjDecompress2(handle.get(), data(bytes), bytes.size(),
                                   is_cmyk ? cmyk.data() : image.pixels.data(), image.width, 0,
                                   image.height, is_cmyk ? TJPF_CMYK : TJPF_RGB, TJFLAG_LIMITSCANS);
  if (failed && tjGetErrorCode(handle.get()) == TJERR_FATAL) refuse_jpeg(handle.get());
  if (is_cmyk) inverted_cmyk_to_rgb(cmyk, image);
  return image;
}

}  // namespace diptych
