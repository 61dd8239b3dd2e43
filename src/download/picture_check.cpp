#include "download/picture_check.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "image/exif.h"
#include "image/perceptual_hash.h"

namespace diptych {
namespace {

constexpr int kFirstOnItsSide = 5;  // orientations from this one swap width and height

// As stored; only of a JPEG does decoding leave another size than that, but for the orientation.
void read_size(std::string_view bytes, const Image& decoded, CheckedPicture& picture) {
  picture.width = decoded.width;
  picture.height = decoded.height;
  if (picture.format == ImageFormat::jpeg) {
    const std::unique_ptr<void, int (*)(tjhandle)> handle(tjInitDecompress(), tjDestroy);
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    int subsampling = 0, colours = 0;
    tjDecompressHeader3(handle.get(), data, bytes.size(), &picture.width, &picture.height,
                        &subsampling, &colours);
  } else if (read_orientation(bytes, picture.format) >= kFirstOnItsSide) {
    std::swap(picture.width, picture.height);
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
    read_size(bytes, decoded, picture);
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
  picture.sha256 = sha256_hex(bytes);
  return picture;
}

const char* format_ending(ImageFormat format) {
  constexpr std::array kEndings = {"jpg", "png", "webp", "gif", "bin"};
  return kEndings[static_cast<std::size_t>(format)];
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw Error(ErrorKind::internal, "SHA-256 cannot be computed");
  }
  return fmt::format("{:02x}", fmt::join(digest.data(), digest.data() + size, ""));
}

}  // namespace diptych
