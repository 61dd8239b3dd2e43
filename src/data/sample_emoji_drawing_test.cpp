#include "data/sample_emoji_drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/sample_emoji.h"

namespace diptych {
namespace {
using testing::ElementsAre;
using testing::Ge;
using testing::Le;

std::vector<int> pixel(const Image& image, int x, int y) {
  const auto* first = &image.pixels[(static_cast<std::size_t>(y) * image.width + x) * 3];
  return {first, first + 3};
}

class EmojiFontTest : public testing::Test {
 protected:
  const EmojiFont font_{EmojiSources{}.font};
};

TEST_F(EmojiFontTest, ColoursAreInTheOrderRedGreenBlueOnWhite) {
  const auto red = font_.draw(U"🟥");
  const auto blue = font_.draw(U"🟦");
  ASSERT_TRUE(red && blue);
  EXPECT_THAT(pixel(*red, red->width / 2, red->height / 2), ElementsAre(Ge(180), Le(120), Le(120)));
  EXPECT_THAT(pixel(*blue, blue->width / 2, blue->height / 2),
              ElementsAre(Le(120), testing::_, Ge(180)));
  EXPECT_THAT(pixel(*red, 0, 0), ElementsAre(255, 255, 255));
}

TEST_F(EmojiFontTest, EverySequenceIsJoinedToOnePictureOfTheNativeSize) {
  for (const char32_t* sequence :
       {U"🇰🇷", U"1️⃣", U"👨‍👩‍👧‍👦", U"👩‍❤️‍💋‍👨",
        U"🧑‍✈️", U"🏳️‍🌈", U"🏴󠁧󠁢󠁥󠁮󠁧󠁿"}) {
    const auto image = font_.draw(sequence);
    ASSERT_TRUE(image);
    EXPECT_NEAR(image->width, 136, 8);
    EXPECT_NEAR(image->height, 128, 8);
    EXPECT_EQ(image->pixels.size(), std::size_t{3} * image->width * image->height);
  }
}

TEST_F(EmojiFontTest, WhatIsNotOneGlyphIsNotDrawn) {
  EXPECT_FALSE(font_.draw(U"👨🍳"));          // no joiner: two pictures
  EXPECT_FALSE(font_.draw(U"\U0001FFFD"));  // not in the font
  EXPECT_FALSE(font_.draw(U""));
}

}  // namespace
}  // namespace diptych
