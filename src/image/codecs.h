// The decoders of one format each, behind decode_image. They return the pixels as stored: the
// orientation is read separately and applied by the caller. All throw Error{image}.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "image/image.h"

namespace diptych {

Image decode_jpeg(std::string_view bytes, const DecodeLimits& limits, int enough_side);
Image decode_png(std::string_view bytes, const DecodeLimits& limits);
Image decode_webp(std::string_view bytes, const DecodeLimits& limits);
Image decode_gif(std::string_view bytes, const DecodeLimits& limits);

[[noreturn]] void refuse_image(const std::string& reason, const std::string& hint = "");
[[noreturn]] void refuse_for_memory();

// Refuses a size of nothing or above the limit; every decoder calls it before allocating pixels.
void check_image_size(std::uint64_t width, std::uint64_t height, const DecodeLimits& limits);

// Bytes of `channels` per pixel; the size has passed check_image_size.
inline std::size_t image_bytes(int width, int height, int channels) {
  return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
         static_cast<std::size_t>(channels);
}

// The picture that [H,W,4] pixels with straight alpha show on white paper.
Image on_white(int width, int height, const std::uint8_t* rgba);

}  // namespace diptych
