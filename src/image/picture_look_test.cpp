#include "image/picture_look.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "image/made_up_scenes.h"

namespace diptych {
namespace {

// As if seen through ground glass: smaller by `factor` and back, twice.
Image blurred(const Image& image, int factor) {
  const auto once = [&](const Image& from) {
    return resize(resize(from, image.width / factor, image.height / factor), image.width,
                  image.height);
  };
  return once(once(image));
}

TEST(PictureLook, TellsBlurredFromSharp) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Image scene = made_up::scene(seed, 300, 240);
    EXPECT_FALSE(picture_look(scene).blurred()) << seed;
    EXPECT_FALSE(picture_look(made_up::brighter(scene, 0.3)).blurred()) << seed;
    EXPECT_TRUE(picture_look(blurred(scene, 12)).blurred()) << seed;
  }
}

TEST(PictureLook, TakesSmallPicturesForNoBlurredOnes) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_FALSE(picture_look(made_up::scene(seed, 28, 28)).blurred()) << seed;
  }
}

TEST(PictureLook, TellsDarkFromLight) {
  const Image scene = made_up::scene(1, 100, 80);
  EXPECT_FALSE(picture_look(scene).dark());
  EXPECT_FALSE(picture_look(made_up::brighter(scene, 0.3)).dark());
  EXPECT_TRUE(picture_look(made_up::brighter(scene, 0.12)).dark());
}

// A lamp at night is a picture.
TEST(PictureLook, IsNotDarkForItsBackgroundAlone) {
  Image night{100, 100, std::vector<std::uint8_t>(30000, 5)};
  for (std::size_t i = 0; i < 30000 / 8; ++i) night.pixels[i] = 220;
  EXPECT_FALSE(picture_look(night).dark());
}

TEST(PictureLook, TakesPicturesOfAnyShape) {
  for (const auto& [width, height] : {std::pair{1, 1}, {2, 500}, {500, 1}}) {
    const Image image{width, height,
                      std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height), 200)};
    EXPECT_EQ(picture_look(image).lightness, 200);
    EXPECT_TRUE(picture_look(image).blurred());
  }
  EXPECT_THROW(picture_look(Image{}), Error);
}

TEST(PictureLook, OfPhotosIsMostlySharpAndLight) {
  const char* folder = std::getenv("DIPTYCH_DATA");
  if (!folder) GTEST_SKIP() << "set DIPTYCH_DATA to the folder of photos/";
  int photos = 0, wrong = 0, missed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder + std::string("/photos"))) {
    if (entry.path().extension() != ".JPEG" || ++photos % 5 != 0) continue;
    const Image photo = decode_image(read_file(entry.path()), {});
    const PictureLook look = picture_look(photo);
    wrong += look.blurred() || look.dark();
    missed += !picture_look(blurred(photo, 25)).blurred();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace diptych
