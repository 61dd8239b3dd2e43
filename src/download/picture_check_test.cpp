#include "download/picture_check.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "image/drawn_pictures.h"
#include "image/exif.h"
#include "image/perceptual_hash.h"

namespace diptych {
namespace {

// Tiles: unlike its mirror images, and with much to hash.
Image picture() {
  Image image{160, 90, {}};
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const int column = x / 20, row = y / 15;
      const int grey = 37 * column * column + 53 * row * row * row + 91 * column * row;
      image.pixels.insert(image.pixels.end(), 3, static_cast<std::uint8_t>(grey));
    }
  }
  return image;
}

Image inverted() {
  Image image = picture();
  for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(255 - value);
  return image;
}

TEST(PictureCheck, TellsFormatAndSizeAsStored) {
  const Image image = drawn::coloured(37, 21);
  const std::string turned = drawn::jpeg_with_exif(drawn::jpeg(image), drawn::exif(6));
  const drawn::PngKind on_its_side{.exif = drawn::exif(5)}, upside_down{.exif = drawn::exif(4)};
  for (const auto& [bytes, ending] :
       {std::pair{drawn::jpeg(image), "jpg"}, std::pair{turned, "jpg"},
        std::pair{drawn::png(37, 21, {}), "png"}, std::pair{drawn::png(37, 21, on_its_side), "png"},
        std::pair{drawn::png(37, 21, upside_down), "png"}, std::pair{drawn::webp(image), "webp"},
        std::pair{drawn::gif(37, 21), "gif"}}) {
    const CheckedPicture checked = check_picture(bytes, {});
    EXPECT_EQ(checked.reason, Reason::success) << ending;
    EXPECT_STREQ(format_ending(checked.format), ending);
    EXPECT_EQ(checked.width, 37) << ending;
    EXPECT_EQ(checked.height, 21) << ending;
    EXPECT_EQ(checked.sha256, sha256_hex(bytes));
    EXPECT_FALSE(checked.phash_distance.has_value());
  }
}

TEST(PictureCheck, HashesAsEveryoneDoes) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(PictureCheck, TellsWhatIsNoPictureFromWhatIsDamaged) {
  EXPECT_EQ(check_picture("<html>", {}).reason, Reason::not_a_picture);
  EXPECT_EQ(check_picture("", {}).reason, Reason::not_a_picture);
  const std::string whole = drawn::png(300, 200, {});
  const CheckedPicture half = check_picture(whole.substr(0, whole.size() / 2), {});
  EXPECT_EQ(half.reason, Reason::damaged_picture);
  EXPECT_EQ(half.sha256, "");
}

TEST(PictureCheck, RefusesMorePixelsThanAllowedAndTakesAsMany) {
  const std::string large = drawn::jpeg(drawn::smooth(4000, 3000));  // decoded alone
  EXPECT_EQ(check_picture(large, {12.0}).reason, Reason::success);
  EXPECT_EQ(check_picture(large, {11.9}).reason, Reason::damaged_picture);
}

TEST(PictureCheck, FlagsAPictureThatIsFurtherFromItsHashThanAllowed) {
  const std::string bytes = drawn::jpeg(picture());
  const std::uint64_t hash = perceptual_hash(picture());
  ASSERT_EQ(check_picture(bytes, {}, ListedHash{hash, 0}).phash_distance, 0);
  EXPECT_EQ(check_picture(bytes, {}, ListedHash{hash ^ 7, 3}).reason, Reason::success);
  const CheckedPicture flagged = check_picture(bytes, {}, ListedHash{hash ^ 7, 2});
  EXPECT_EQ(flagged.reason, Reason::another_picture);
  EXPECT_EQ(flagged.phash_distance, 3);
  const CheckedPicture swapped =
      check_picture(drawn::jpeg(inverted()), {}, ListedHash{hash, ListedHash{}.radius});
  EXPECT_EQ(swapped.reason, Reason::success) << "a radius of all bits flags nothing";
  EXPECT_GT(swapped.phash_distance.value(), 30);
}

TEST(PictureCheck, AHashMayBeOfThePictureUprightOrAsItIsStored) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string bytes =
        drawn::jpeg_with_exif(drawn::jpeg(picture()), drawn::exif(orientation));
    const Image upright = apply_orientation(picture(), orientation);
    for (const Image& hashed : {picture(), upright}) {
      const ListedHash listed{perceptual_hash(hashed), 4};
      EXPECT_EQ(check_picture(bytes, {}, listed).reason, Reason::success) << orientation;
    }
  }
}

TEST(PictureCheck, HashesAFullSizePhotographAsItsReducedDecodingDoes) {
  const char* folder = std::getenv("DIPTYCH_DATA");
  const auto photos = std::filesystem::path(folder ? folder : "") / "photos";
  if (!std::filesystem::is_directory(photos)) GTEST_SKIP() << "DIPTYCH_DATA names no photos";
  int checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(photos)) {
    if (entry.path().extension() != ".JPEG" || ++checked > 40) continue;
    const std::string bytes = read_file(entry.path());
    const ListedHash listed{perceptual_hash(decode_image(bytes, {}))};
    EXPECT_LE(check_picture(bytes, {}, listed).phash_distance.value(), 4) << entry.path();
  }
}

}  // namespace
}  // namespace diptych
