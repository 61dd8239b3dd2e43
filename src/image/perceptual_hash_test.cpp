// The expected hashes are what imagehash.phash gives for the same pixels (imagehash 4.3, Pillow
// 13).
#include "image/perceptual_hash.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace diptych {
namespace {

Image drawn_by(int width, int height, const std::function<std::vector<int>(int, int)>& colour) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    for (int value : colour(i % width, i / width)) {
      image.pixels.push_back(static_cast<std::uint8_t>(value % 256));
    }
  }
  return image;
}

Image tiles(int width, int height) {
  return drawn_by(width, height, [](int x, int y) {
    return std::vector<int>{37 * (x / 16) * (x / 16) + 11 * (y / 12),
                            91 * (x / 16) + 53 * (y / 12) * (x / 32),
                            7 * (y / 12) * (y / 12) + 29 * (x / 8)};
  });
}

std::string hash_of(const Image& image) { return hash_text(perceptual_hash(image)); }

TEST(PerceptualHash, IsThatOfImagehashWhateverTheSize) {
  EXPECT_EQ(hash_of(tiles(640, 480)), "80cad34bad7aaa87");
  EXPECT_EQ(hash_of(tiles(200, 150)), "802a2b66de7457ad");
  EXPECT_EQ(hash_of(tiles(32, 32)), "9100800080800080");
  EXPECT_EQ(hash_of(tiles(20, 9)), "ad00000000000000");
  EXPECT_EQ(hash_of(tiles(33, 1)), "bb00000000000000");
}

TEST(PerceptualHash, OfOneColourIsTheMeanAlone) {
  const auto filled = [](std::vector<int> colour) {
    return drawn_by(50, 50, [colour](int, int) { return colour; });
  };
  EXPECT_EQ(hash_of(filled({200, 10, 10})), "8000000000000000");
  EXPECT_EQ(hash_of(filled({0, 0, 0})), "0000000000000000");
}

// Half of the frequencies are zero but for rounding, which must not decide.
TEST(PerceptualHash, OfAMirroredPictureIsNotLeftToRounding) {
  const Image mirrored = drawn_by(64, 64, [](int x, int) {
    const int value = 8 * std::min(x, 63 - x);
    return std::vector<int>{value, value, value};
  });
  EXPECT_EQ(hash_of(mirrored), "8800000000000000");
}

TEST(PerceptualHash, NeedsAPicture) { EXPECT_THROW(perceptual_hash(Image{}), Error); }

TEST(PerceptualHash, DiffersByTheBitsThatDiffer) {
  EXPECT_EQ(hamming_distance(0xff, 0xff), 0);
  EXPECT_EQ(hamming_distance(0x8000000000000001, 0), 2);
}

TEST(GreySquare, IsPillowsLanczosOfItsModeL) {
  const std::vector<std::uint8_t> expected{0, 29, 77, 140, 0, 31, 79, 153,
                                           0, 33, 81, 174, 5, 38, 86, 104};
  EXPECT_EQ(grey_square(tiles(40, 30), 4), expected);
}

TEST(PerceptualHash, OfPhotosIsThatOfImagehash) {
  const char* folder = std::getenv("DIPTYCH_DATA");
  if (!folder) GTEST_SKIP() << "set DIPTYCH_DATA to the folder of photos/";
  const std::vector<std::pair<const char*, const char*>> expected{
      {"n01498041_stingray.JPEG", "c43b163d417a26af"},
      {"n02094433_Yorkshire_terrier.JPEG", "ba4465ba9147ecb4"},
      {"n02397096_warthog.JPEG", "ba178d1b103997ec"},
      {"n03291819_envelope.JPEG", "f8c0d9c347c68e69"},
      {"n04041544_radio.JPEG", "90629a87745f0bbd"}};
  for (const auto& [name, hash] : expected) {
    const auto path = std::filesystem::path(folder) / "photos" / name;
    EXPECT_EQ(hash_of(decode_image(read_file(path), {})), hash) << name;
  }
}

}  // namespace
}  // namespace diptych
