#include <gtest/gtest.h>

#include "image/drawn_pictures.h"
#include "image/exif.h"

namespace diptych {
namespace {

using std::string_literals::operator""s;

// One letter per pixel, rows separated by a bar.
Image of_letters(const std::string& letters, int width, int height) {
  Image image{width, height, {}};
  for (char letter : letters) {
    if (letter != '|') image.pixels.insert(image.pixels.end(), 3, static_cast<uint8_t>(letter));
  }
  return image;
}

std::string letters_of(const Image& image) {
  std::string letters;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    if (i > 0 && i % static_cast<std::size_t>(3 * image.width) == 0) letters += '|';
    letters += static_cast<char>(image.pixels[i]);
  }
  return letters;
}

TEST(Orientation, TurnsAndMirrorsAsTheStandardSays) {
  const Image stored = of_letters("abc|def", 3, 2);
  const std::vector<std::string> shown = {"abc|def",  "cba|fed",  "fed|cba",  "def|abc",
                                          "ad|be|cf", "da|eb|fc", "fc|eb|da", "cf|be|ad"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(letters_of(apply_orientation(stored, orientation)),
              shown[static_cast<std::size_t>(orientation - 1)])
        << orientation;
  }
  EXPECT_EQ(letters_of(apply_orientation(stored, 0)), "abc|def");
  EXPECT_EQ(letters_of(apply_orientation(stored, 9)), "abc|def");
}

TEST(Orientation, IsAppliedToEveryFormatThatNotesIt) {
  const Image stored = drawn::coloured(12, 7);
  const std::string jpeg = drawn::jpeg(stored), webp = drawn::webp(stored);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image shown = apply_orientation(stored, orientation);
    for (bool big_endian : {false, true}) {
      SCOPED_TRACE(testing::Message() << orientation << " big-endian " << big_endian);
      const std::string exif = drawn::exif(orientation, big_endian);
      drawn::PngKind png;
      png.exif = exif;
      EXPECT_EQ(decode_image(drawn::png(12, 7, png), {}).pixels, shown.pixels);
      const std::string with_exif =
          drawn::extended_webp(stored, 8, webp.substr(12) + drawn::riff_chunk("EXIF", exif));
      EXPECT_EQ(decode_image(with_exif, {}).pixels, shown.pixels);
      EXPECT_EQ(decode_image(drawn::jpeg_with_exif(jpeg, exif), {}).pixels,
                apply_orientation(decode_image(jpeg, {}), orientation).pixels);
    }
  }
}

TEST(Orientation, IsFoundBehindAChunkOfOddLength) {
  const Image stored = drawn::coloured(12, 7);
  const std::string chunks = drawn::webp(stored).substr(12) + drawn::riff_chunk("note", "odd") +
                             drawn::riff_chunk("EXIF", drawn::exif(6));
  EXPECT_EQ(decode_image(drawn::extended_webp(stored, 8, chunks), {}).pixels,
            apply_orientation(stored, 6).pixels);
}

TEST(Orientation, IsUprightWhereTheNoteIsDamaged) {
  const std::string good = drawn::exif(6);
  EXPECT_EQ(tiff_orientation(good), 6);
  const std::size_t past_value = 20;
  for (std::size_t kept = 0; kept < past_value; ++kept) {
    EXPECT_EQ(tiff_orientation(good.substr(0, kept)), kUpright) << kept;
  }
  EXPECT_EQ(tiff_orientation(drawn::exif(0)), kUpright);
  EXPECT_EQ(tiff_orientation(drawn::exif(9)), kUpright);
  std::string text = good;
  text[13] = 2;  // the type of the value: letters, not a number
  EXPECT_EQ(tiff_orientation(text), kUpright);
  std::string far = good;
  far.replace(4, 4, "\xff\xff\xff\xff");  // the directory lies beyond the end
  EXPECT_EQ(tiff_orientation(far), kUpright);
  std::string many = good;
  many.replace(8, 2, "\xff\xff");  // more entries than there are
  many[11] = 0;
  EXPECT_EQ(tiff_orientation(many), kUpright);
}

}  // namespace
}  // namespace diptych
