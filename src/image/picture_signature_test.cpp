#include "image/picture_signature.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "image/made_up_scenes.h"
#include "image/perceptual_hash.h"

namespace diptych {
namespace {

Image filled(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Image image{50, 40, {}};
  for (int i = 0; i < 50 * 40; ++i) image.pixels.insert(image.pixels.end(), {red, green, blue});
  return image;
}

// A disc on white paper, as emoji are.
Image disc(std::array<std::uint8_t, 3> colour, double radius = 0.4) {
  Image image = filled(255, 255, 255);
  for (int i = 0; i < 50 * 40; ++i) {
    if (std::hypot(i % 50 / 50.0 - 0.5, i / 50 / 40.0 - 0.5) > radius) continue;
    std::copy(colour.begin(), colour.end(), image.pixels.begin() + std::ptrdiff_t{3} * i);
  }
  return image;
}

bool shows_same(const Image& a, const Image& b) {
  return shows_window(picture_signature(a), picture_signature(b), 0);
}

TEST(PictureSignature, KnowsAPictureAgainWhateverItsSize) {
  const Image scene = made_up::scene(1, 300, 200);
  EXPECT_TRUE(shows_same(scene, resize(scene, 90, 90)));
  EXPECT_TRUE(shows_same(made_up::brighter(scene, 1.25), scene));
  EXPECT_FALSE(shows_same(scene, made_up::scene(2, 300, 200)));
}

TEST(PictureSignature, KnowsAPictureAgainThoughItsLightPartsTurnedWhite) {
  int known = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Image scene = made_up::brighter(made_up::scene(seed, 120, 120), 1.2);
    known += shows_same(made_up::brighter(scene, 1.4), scene);
  }
  EXPECT_GE(known, 48);
}

TEST(PictureSignature, TakesNoNegativeForACopy) {
  const Image scene = made_up::scene(3, 120, 120);
  Image negative = scene;
  for (std::uint8_t& value : negative.pixels) value = static_cast<std::uint8_t>(255 - value);
  EXPECT_FALSE(shows_same(negative, scene));
  EXPECT_FALSE(shows_same(made_up::brighter(scene, 0.4), scene));
}

TEST(PictureSignature, TellsFaintPicturesApart) {
  const auto faint = [](std::uint64_t seed) {
    Image image = made_up::scene(seed, 120, 120);
    for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(120 + value / 8);
    return image;
  };
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_TRUE(shows_same(faint(seed), faint(seed)));
    EXPECT_FALSE(shows_same(faint(seed), faint(seed + 1))) << seed;
  }
}

// Whatever a ramp is moved by, it could as well be brighter.
TEST(PictureSignature, KnowsARampAgain) {
  for (const bool upright : {false, true}) {
    Image ramp{100, 100, {}};
    for (int i = 0; i < 10000; ++i) {
      const int value = upright ? i / 100 : i % 100;
      for (int c = 0; c < 3; ++c) ramp.pixels.push_back(static_cast<std::uint8_t>(2 * value));
    }
    EXPECT_TRUE(shows_same(ramp, ramp));
  }
}

TEST(PictureSignature, TellsTheSameShapeInAnotherColour) {
  EXPECT_TRUE(shows_same(disc({220, 40, 40}), disc({220, 44, 40})));
  EXPECT_FALSE(shows_same(disc({220, 40, 40}), disc({40, 60, 220})));
}

TEST(PictureSignature, TellsAnotherShapeFromACutOne) {
  EXPECT_TRUE(shows_same(disc({220, 40, 40}), disc({220, 40, 40}, 0.42)));
  EXPECT_FALSE(shows_same(disc({220, 40, 40}), disc({220, 40, 40}, 0.2)));
  Image marked = disc({220, 40, 40});  // the same disc with something small on it
  for (int y = 15; y < 20; ++y) {
    for (int x = 20; x < 26; ++x) {
      for (int c = 0; c < 3; ++c) marked.pixels[static_cast<std::size_t>(3 * (50 * y + x) + c)] = 0;
    }
  }
  EXPECT_FALSE(shows_same(disc({220, 40, 40}), marked));
}

// The hash of a cut picture is far from that of the whole, but near to that of a part of it.
TEST(PictureSignature, KnowsEachOfItsPartsByAHashOfItsOwn) {
  int near_to_whole = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Image scene = made_up::scene(seed, 200, 200);
    const PictureSignature whole = picture_signature(scene);
    const std::array<Image, PictureSignature::kWindows> parts{
        scene,
        made_up::cut(scene, 5, 5, 190, 190),
        made_up::cut(scene, 10, 10, 180, 180),
        made_up::cut(scene, 0, 0, 190, 190),
        made_up::cut(scene, 10, 0, 190, 190),
        made_up::cut(scene, 0, 10, 190, 190),
        made_up::cut(scene, 10, 10, 190, 190)};
    for (int window = 0; window < PictureSignature::kWindows; ++window) {
      const auto place = static_cast<std::size_t>(window);
      const PictureSignature part = picture_signature(parts[place]);
      EXPECT_LE(hamming_distance(part.hash(), whole.hashes[place]), 6) << seed << " " << window;
      EXPECT_TRUE(shows_window(part, whole, window)) << seed << " " << window;
      near_to_whole += hamming_distance(part.hash(), whole.hash()) <= window_radius(0);
    }
  }
  EXPECT_LT(near_to_whole, 20 * 6);  // of seven
}

TEST(PictureSignature, FollowsACutThatIsNoneOfItsWindows) {
  int known = 0, too_far = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Image scene = made_up::scene(seed, 200, 200);
    const PictureSignature whole = picture_signature(scene);
    const auto part = [&](int left, int top, int right, int bottom) {
      return picture_signature(
          made_up::cut(scene, left, top, 200 - left - right, 200 - top - bottom));
    };
    known += shows_window(part(0, 14, 0, 0), whole, 0) && shows_window(part(0, 0, 0, 14), whole, 0);
    known += shows_window(part(14, 0, 0, 0), whole, 0) && shows_window(part(0, 0, 14, 0), whole, 0);
    too_far += shows_window(part(28, 28, 28, 28), whole, 2);
  }
  EXPECT_GE(known, 38);
  EXPECT_EQ(too_far, 0);
}

TEST(PictureSignature, OfNearlyOneColourIsFlat) {
  EXPECT_TRUE(picture_signature(filled(90, 20, 200)).flat);
  EXPECT_FALSE(picture_signature(disc({220, 40, 40})).flat);
}

TEST(PictureSignature, NeedsAPicture) { EXPECT_THROW(picture_signature(Image{}), Error); }

}  // namespace
}  // namespace diptych
