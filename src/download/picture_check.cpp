#include "download/picture_check.h"

#include <openssl/evp.h>
#include <turbojpeg.h>
#include <webp/decode.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "image/exif.h"
#include "image/perceptual_hash.h"

namespace diptych {
namespace {

int byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
}

// Of a picture that its decoder has accepted, so that its header is whole.
void read_size(std::string_view bytes, CheckedPicture& picture) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int& width = picture.width;
  int& height = picture.height;
  switch (picture.format) {
    case ImageFormat::jpeg: {
      const std::unique_ptr<void, int (*)(tjhandle)> handle(tjInitDecompress(), tjDestroy);
      int subsampling = 0, colours = 0;
      tjDecompressHeader3(handle.get(), data, bytes.size(), &width, &height, &subsampling,
                          &colours);
      return;
    }
    case ImageFormat::png:
      for (std::size_t i = 16; i < 20; ++i) width = width << 8 | byte_at(bytes, i);
      for (std::size_t i = 20; i < 24; ++i) height = height << 8 | byte_at(bytes, i);
      return;
    case ImageFormat::webp:
      WebPGetInfo(data, bytes.size(), &width, &height);
      return;
    case ImageFormat::gif:
      width = byte_at(bytes, 7) << 8 | byte_at(bytes, 6);
      height = byte_at(bytes, 9) << 8 | byte_at(bytes, 8);
      return;
    case ImageFormat::unknown:
      return;
  }
}

// Pictures at the limit take hundreds of megabytes each: they wait for one another.
Image decode_one_large_at_a_time(std::string_view bytes, const DecodeLimits& limits,
                                 int enough_side) {
  constexpr double kLargeMegapixels = 8;
  static std::mutex large;
  DecodeLimits small = limits;
  small.max_megapixels = std::min(limits.max_megapixels, kLargeMegapixels);
  try {
    return decode_image(bytes, small, enough_side);
  } catch (const Error&) {  // too large, or damaged
    const std::lock_guard lock(large);
    return decode_image(bytes, limits, enough_side);
  }
}

// The listed hash may be of the picture upright, as it was decoded, or as it is stored.
int distance_to(const ListedHash& listed, Image picture, int orientation) {
  const int upright = hamming_distance(perceptual_hash(picture), listed.hash);
  if (orientation == kUpright) return upright;
  const int inverse = orientation == 6 ? 8 : orientation == 8 ? 6 : orientation;
  const Image stored = apply_orientation(std::move(picture), inverse);
  return std::min(upright, hamming_distance(perceptual_hash(stored), listed.hash));
}

}  // namespace

CheckedPicture check_picture(std::string_view bytes, const DecodeLimits& limits,
                             std::optional<ListedHash> listed) {
  CheckedPicture picture;
  picture.format = image_format(bytes);
  picture.reason = Reason::not_a_picture;
  if (picture.format == ImageFormat::unknown) return picture;
  constexpr int kHashSide = 128;  // four times a perceptual hash's
  try {
    // Without a hash only whether it can be read counts, which the smallest size tells as well.
    Image decoded = decode_one_large_at_a_time(bytes, limits, listed ? kHashSide : 1);
    if (listed) {
      picture.phash_distance =
          distance_to(*listed, std::move(decoded), read_orientation(bytes, picture.format));
    }
  } catch (const Error&) {
    picture.reason = Reason::damaged_picture;
    return picture;
  }
  const bool is_another = picture.phash_distance.value_or(0) > (listed ? listed->radius : 0);
  picture.reason = is_another ? Reason::another_picture : Reason::success;
  read_size(bytes, picture);
  picture.sha256 = sha256_hex(bytes);
  return picture;
}

const char* format_ending(ImageFormat format) {
  switch (format) {
    case ImageFormat::jpeg:
      return "jpg";
    case ImageFormat::png:
      return "png";
    case ImageFormat::webp:
      return "webp";
    case ImageFormat::gif:
      return "gif";
    case ImageFormat::unknown:
      break;
  }
  return "bin";
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw Error(ErrorKind::internal, "SHA-256 cannot be computed");
  }
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

}  // namespace diptych
