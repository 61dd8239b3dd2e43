// What a downloaded picture is: whether it can be decoded, its size as stored, its SHA-256.
#pragma once
#include <string>
#include <string_view>

#include "download/outcome.h"
#include "image/image.h"

namespace diptych {

struct CheckedPicture {
  Reason reason{};  // success, not_a_picture or damaged_picture
  int http_status = 0;
  ImageFormat format = ImageFormat::unknown;
  int width = 0, height = 0;  // as stored, before the orientation is applied
  std::string sha256{};       // 64 hex digits; empty: no success
};

// Decodes at a reduced scale. Thread-safe; of very large pictures only one is decoded at a time.
CheckedPicture check_picture(std::string_view bytes, const DecodeLimits& limits);

// "jpg", "png", "webp" or "gif".
const char* format_ending(ImageFormat format);

std::string sha256_hex(std::string_view bytes);

}  // namespace diptych
