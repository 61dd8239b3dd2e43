#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "image/drawn_pictures.h"
#include "image/image.h"

namespace diptych {
namespace {

std::vector<std::string> small_files() {
  const Image image = drawn::smooth(19, 14);
  drawn::PngKind palette{PNG_COLOR_TYPE_PALETTE, 4, true};
  palette.transparent_level = true;
  palette.exif = drawn::exif(6);
  drawn::GifKind two_frames;
  two_frames.frames = 2;
  two_frames.transparent = 1;
  two_frames.interlaced = true;
  std::vector<std::uint8_t> inks(16 * 16 * 4, 77);
  return {
      drawn::jpeg_with_exif(drawn::jpeg(image, {TJSAMP_420}), drawn::exif(8, false)),
      drawn::jpeg(image, {TJSAMP_444, TJPF_RGB, TJFLAG_PROGRESSIVE}),
      drawn::jpeg(16, 16, inks.data(), {TJSAMP_444, TJPF_CMYK}),
      encode_png(image),
      drawn::png(19, 14, palette),
      drawn::webp(image),
      drawn::animated_webp({image, image}),
      drawn::extended_webp(
          image, 8, drawn::webp(image).substr(12) + drawn::riff_chunk("EXIF", drawn::exif(5))),
      drawn::gif(19, 14, two_frames),
  };
}

std::string mutated(std::string bytes, Rng& rng) {
  for (std::uint64_t flips = rng.below(6); flips > 0; --flips) {
    bytes[rng.below(bytes.size())] ^= static_cast<char>(1 << rng.below(8));
  }
  if (rng.chance(0.1)) bytes[rng.below(bytes.size())] = '\xff';
  if (rng.chance(0.3)) bytes.resize(rng.below(bytes.size()));
  return bytes;
}

TEST(Decoding, OfDamagedFilesEndsInAPictureOrARefusal) {
  constexpr int kMutations = 20000;
  const DecodeLimits limits{0.02};  // flipped headers ask for a lot; time goes to decoding instead
  const auto files = small_files();
  Rng rng(1, Stream::sample);
  int decoded = 0, refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    const std::string bytes = mutated(files[static_cast<std::size_t>(i) % files.size()], rng);
    try {
      const Image image = i % 3 == 0   ? decode_image(bytes, limits)
                          : i % 3 == 1 ? decode_image(bytes, limits, 4)
                                       : decode_square(bytes, limits, 8, ImageFit::pad);
      ++decoded;
      ASSERT_GT(image.width, 0);
      ASSERT_GT(image.height, 0);
      const auto count = static_cast<std::size_t>(image.width) * image.height * 3;
      ASSERT_EQ(image.pixels.size(), count);
    } catch (const Error& error) {
      ++refused;
      ASSERT_EQ(error.kind(), ErrorKind::image) << error.what();
      ASSERT_STRNE(error.what(), "");
    }
  }
  // Both outcomes must be common, or the mutations test nothing.
  EXPECT_GT(decoded, kMutations / 20);
  EXPECT_GT(refused, kMutations / 20);
}

}  // namespace
}  // namespace diptych
