// What a downloaded picture is: whether it can be decoded, its size as stored, its SHA-256, and
// whether it still is the picture that was listed.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "download/outcome.h"
#include "image/image.h"

namespace diptych {

struct CheckedPicture {
  Reason reason{};  // success, not_a_picture, damaged_picture or another_picture
  int http_status = 0;
  ImageFormat format = ImageFormat::unknown;
  int width = 0, height = 0;            // as stored, before the orientation is applied
  std::string sha256{};                 // 64 hex digits; empty: no success
  std::optional<int> phash_distance{};  // bits of 64; of a picture whose hash was listed
};

// What a picture should be: the perceptual hash that its list has of it.
struct ListedHash {
  std::uint64_t hash = 0;
  int radius = 64;  // bits that may differ
};

// Decodes at a reduced scale. Thread-safe; of very large pictures only one is decoded at a time.
CheckedPicture check_picture(std::string_view bytes, const DecodeLimits& limits,
                             std::optional<ListedHash> listed = {});

// "jpg", "png", "webp" or "gif".
const char* format_ending(ImageFormat format);

std::string sha256_hex(std::string_view bytes);

}  // namespace diptych
