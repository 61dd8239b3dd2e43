// Any bytes as a file with EXIF data, and as the TIFF block itself: an orientation from 1 to 8.
#include "image/exif.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace diptych;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto check = [](int orientation) {
    if (orientation < 1 || orientation > 8) __builtin_trap();
  };
  check(tiff_orientation(bytes));
  for (const ImageFormat format : {ImageFormat::jpeg, ImageFormat::png, ImageFormat::webp,
                                   ImageFormat::gif, ImageFormat::unknown}) {
    check(read_orientation(bytes, format));
  }
  return 0;
}
