// A walk along the segments of a JPEG file (ITU T.81, annex B), bounds-checked.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace diptych {

struct JpegSegment {
  int marker = 0;            // 0xd8 start of image ... 0xe1 APP1 ... 0xd9 end of image
  std::string_view payload;  // without its length; cut short where the file ends
};

class JpegMarkers {
 public:
  explicit JpegMarkers(std::string_view bytes) : bytes_(bytes) {}

  // Coded data and stray bytes between segments are stepped over, as decoders do. Nothing at the
  // end of the file.
  std::optional<JpegSegment> next() {
    for (place_ = bytes_.find('\xff', place_); place_ != bytes_.npos && place_ + 1 < bytes_.size();
         place_ = bytes_.find('\xff', place_)) {
      const int marker = byte(place_ + 1);
      place_ += marker == kFill ? 1 : 2;
      if (marker == kFill || marker == kStuffed || is_restart(marker)) continue;
      return JpegSegment{marker, is_bare(marker) ? std::string_view() : payload()};
    }
    place_ = bytes_.size();
    return std::nullopt;
  }

 private:
  static constexpr int kStuffed = 0x00, kTemporary = 0x01, kFill = 0xff;
  static constexpr int kStartOfImage = 0xd8, kEndOfImage = 0xd9;

  static bool is_restart(int marker) { return marker >= 0xd0 && marker <= 0xd7; }
  static bool is_bare(int marker) {
    return marker == kStartOfImage || marker == kEndOfImage || marker == kTemporary;
  }
  int byte(std::size_t place) const { return static_cast<unsigned char>(bytes_[place]); }

  std::string_view payload() {
    if (bytes_.size() - place_ < 2) return {};
    const std::size_t length = static_cast<std::size_t>(byte(place_) << 8 | byte(place_ + 1));
    if (length < 2) return {};
    const std::string_view found = bytes_.substr(place_ + 2, length - 2);
    place_ += 2 + found.size();
    return found;
  }

  std::string_view bytes_;
  std::size_t place_ = 0;
};

}  // namespace diptych
