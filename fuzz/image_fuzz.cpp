// Any bytes as a picture: a decoded one, or a refusal.
#include "base/error.h"
#include "image/image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace diptych;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    // The last byte chooses whether a cheaper, smaller decode will do.
    const Image image = decode_image(bytes, DecodeLimits{1.0}, data[size - 1] % 3 ? 0 : 8);
    if (image.pixels.size() != 3ull * image.width * image.height) __builtin_trap();
    if (fit_square(image, 9, ImageFit::pad).pixels.size() != 3 * 9 * 9) __builtin_trap();
    const Image square = decode_square(bytes, DecodeLimits{1.0}, 9, ImageFit::pad);
    if (square.pixels.size() != 3 * 9 * 9) __builtin_trap();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::image) __builtin_trap();
  }
  return 0;
}
