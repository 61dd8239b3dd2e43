#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "base/error.h"
#include "image/drawn_pictures.h"
#include "image/image.h"

namespace diptych {
namespace {

using drawn::GifKind;
using drawn::JpegKind;
using drawn::PngKind;
using testing::HasSubstr;

constexpr int kWidth = 13, kHeight = 11;

using ColourAt = std::function<drawn::Colour(int x, int y)>;

void expect_pixels(const Image& image, int width, int height, const ColourAt& expected) {
  ASSERT_EQ(image.width, width);
  ASSERT_EQ(image.height, height);
  ASSERT_EQ(image.pixels.size(), static_cast<std::size_t>(3 * width * height));
  for (int i = 0; i < width * height; ++i) {
    const auto* p = image.pixels.data() + 3 * i;
    ASSERT_EQ((drawn::Colour{p[0], p[1], p[2]}), expected(i % width, i / width))
        << "at " << i % width << ", " << i / width;
  }
}

double mean_difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

Error refusal(const std::string& bytes, const DecodeLimits& limits = {}) {
  try {
    decode_image(bytes, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::image);
    return error;
  }
  ADD_FAILURE() << "was decoded";
  return Error(ErrorKind::image, "");
}

drawn::Colour drawn_colour(int x, int y) { return drawn::colour_of_level(drawn::level_at(x, y)); }

TEST(Png, IsReadInEveryColourTypeAndDepth) {
  const std::vector<std::pair<int, std::vector<int>>> kinds = {
      {PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}}, {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}},
      {PNG_COLOR_TYPE_RGB, {8, 16}},           {PNG_COLOR_TYPE_RGB_ALPHA, {8, 16}},
      {PNG_COLOR_TYPE_PALETTE, {2, 4, 8}},
  };
  for (const auto& [colours, depths] : kinds) {
    for (int depth : depths) {
      for (bool interlaced : {false, true}) {
        SCOPED_TRACE(testing::Message() << "type " << colours << " depth " << depth);
        const PngKind kind{colours, depth, interlaced};
        expect_pixels(decode_image(drawn::png(kWidth, kHeight, kind), {}), kWidth, kHeight,
                      [&, colours = colours](int x, int y) {
                        if (colours & PNG_COLOR_MASK_COLOR) return drawn_colour(x, y);
                        const int level = drawn::level_at(x, y);
                        const int grey = depth == 1 ? 255 * (level / 2) : 85 * level;
                        return drawn::Colour{grey, grey, grey};
                      });
      }
    }
  }
}

TEST(Png, ShowsWhiteWhereItIsTransparent) {
  for (int colours : {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_PALETTE}) {
    for (int depth : {8, 16}) {
      if (colours == PNG_COLOR_TYPE_PALETTE && depth == 16) continue;
      SCOPED_TRACE(testing::Message() << "type " << colours << " depth " << depth);
      PngKind kind{colours, depth};
      kind.transparent_level = true;
      expect_pixels(decode_image(drawn::png(kWidth, kHeight, kind), {}), kWidth, kHeight,
                    [&](int x, int y) {
                      const int grey = drawn::grey_at(x, y);
                      if (drawn::level_at(x, y) == 2) return drawn::Colour{255, 255, 255};
                      return colours == PNG_COLOR_TYPE_GRAY ? drawn::Colour{grey, grey, grey}
                                                            : drawn_colour(x, y);
                    });
    }
  }
}

TEST(Png, BlendsHalfTransparentPixelsWithWhite) {
  PngKind kind{PNG_COLOR_TYPE_RGB_ALPHA};
  kind.alpha = 51;  // a fifth
  expect_pixels(decode_image(drawn::png(kWidth, kHeight, kind), {}), kWidth, kHeight,
                [](int x, int y) {
                  drawn::Colour colour = drawn_colour(x, y);
                  for (int& value : colour) value = value / 5 + 204;
                  return colour;
                });
}

TEST(Png, IsRefusedWhenItsDataAreCut) {
  const std::string whole = drawn::png(64, 64, PngKind{});
  for (std::size_t kept : {whole.size() / 2, whole.size() - 20, std::size_t{30}, std::size_t{9}}) {
    EXPECT_THAT(refusal(whole.substr(0, kept)).what(), HasSubstr("truncated"));
  }
}

TEST(Png, OfFiftyThousandSquaredIsRefusedBeforeItsPixelsAreAllocated) {
  std::string bytes = drawn::png(64, 64, PngKind{});
  const std::string side("\0\0\xc3\x50", 4);
  bytes.replace(16, 8, side + side);
  bytes.replace(29, 4, "\xc4\xcd\xaa\x9d");  // the header's checksum
  const Error error = refusal(bytes);
  EXPECT_THAT(error.what(), HasSubstr("50000 x 50000"));
  EXPECT_THAT(error.what(), HasSubstr("limit of 100 megapixels"));
  EXPECT_THAT(error.full(), HasSubstr("--max-megapixels"));
}

TEST(Decoding, HoldsEveryFormatToTheLimit) {
  const Image image = drawn::smooth(40, 30);
  const DecodeLimits below{0.0011}, enough{0.0012};
  for (const std::string& bytes : {drawn::jpeg(image), encode_png(image), drawn::webp(image),
                                   drawn::gif(40, 30), drawn::animated_webp({image})}) {
    EXPECT_THAT(refusal(bytes, below).what(), HasSubstr("40 x 30"));
    EXPECT_EQ(decode_image(bytes, enough).width, 40);
  }
}

TEST(Png, IsReadBackAsItWasEncoded) {
  const Image image = drawn::smooth(37, 21);
  EXPECT_EQ(decode_image(encode_png(image), {}).pixels, image.pixels);
  EXPECT_THROW(encode_png({}), Error);
}

TEST(Jpeg, IsReadInEverySubsamplingBaselineAndProgressive) {
  const Image image = drawn::smooth(67, 45);
  for (int subsampling : {TJSAMP_444, TJSAMP_422, TJSAMP_420, TJSAMP_440, TJSAMP_411}) {
    for (int flags : {0, TJFLAG_PROGRESSIVE}) {
      const Image read = decode_image(drawn::jpeg(image, {subsampling, TJPF_RGB, flags}), {});
      ASSERT_EQ(read.width, 67);
      ASSERT_EQ(read.height, 45);
      EXPECT_LT(mean_difference(read, image), 3);
    }
  }
}

TEST(Jpeg, OfGreysHasEqualChannels) {
  const Image read = decode_image(drawn::jpeg(drawn::smooth(32, 32), {TJSAMP_GRAY}), {});
  for (std::size_t i = 0; i < read.pixels.size(); i += 3) {
    ASSERT_EQ(read.pixels[i], read.pixels[i + 1]);
    ASSERT_EQ(read.pixels[i], read.pixels[i + 2]);
  }
}

TEST(Jpeg, OfInksIsReadAsAdobeWritesThem) {
  // Stored inverted: no cyan, full magenta and yellow, a fifth of black is a slightly dark red.
  std::vector<std::uint8_t> inks;
  for (int i = 0; i < 16 * 16; ++i) inks.insert(inks.end(), {255, 0, 0, 204});
  const Image read = decode_image(drawn::jpeg(16, 16, inks.data(), {TJSAMP_444, TJPF_CMYK}), {});
  ASSERT_EQ(read.width, 16);
  EXPECT_NEAR(read.pixels[0], 204, 4);
  EXPECT_NEAR(read.pixels[1], 0, 4);
  EXPECT_NEAR(read.pixels[2], 0, 4);
}

TEST(Jpeg, IsDecodedSmallerOnlyAsFarAsTheShorterSideStaysLargeEnough) {
  const Image image = drawn::smooth(640, 320);
  const std::string bytes = drawn::jpeg(image);
  const auto width = [&](int enough) { return decode_image(bytes, {}, enough).width; };
  EXPECT_EQ(width(0), 640);
  EXPECT_EQ(width(161), 640);
  EXPECT_EQ(width(160), 320);
  EXPECT_EQ(width(64), 160);
  EXPECT_EQ(width(40), 80);
  EXPECT_EQ(width(1), 80);
  EXPECT_LT(mean_difference(decode_image(bytes, {}, 64), resize(image, 160, 80)), 3);
}

TEST(Jpeg, IsRefusedWhenItIsCutButNotForBytesTooMany) {
  const std::string whole = drawn::jpeg(drawn::smooth(64, 64));
  EXPECT_EQ(decode_image(whole + "stray", {}).width, 64);
  for (std::size_t kept : {whole.size() - 2, whole.size() - 50, whole.size() / 2}) {
    EXPECT_THAT(refusal(whole.substr(0, kept)).what(), HasSubstr("truncated"));
  }
  refusal(whole.substr(0, 20));
}

TEST(Jpeg, IsReadInSpiteOfStrayBytesBeforeItsEnd) {
  const Image image = drawn::smooth(64, 64);
  std::string bytes = drawn::jpeg(image);
  bytes.insert(bytes.size() - 2, "a few stray bytes");
  EXPECT_LT(mean_difference(decode_image(bytes, {}), image), 3);
}

TEST(Jpeg, OfHundredsOfScansIsRefused) {
  const std::string scan_marker = "\xff\xda";
  std::string bytes =
      drawn::jpeg(drawn::smooth(16, 16), {TJSAMP_444, TJPF_RGB, TJFLAG_PROGRESSIVE});
  const std::size_t last = bytes.rfind(scan_marker);
  const std::string scan = bytes.substr(last, bytes.size() - 2 - last);
  for (int i = 0; i < 600; ++i) bytes.insert(bytes.size() - 2, scan);
  EXPECT_THAT(refusal(bytes).what(), HasSubstr("scans"));
}

TEST(Jpeg, MayHoldAThumbnailThatEndsBeforeItDoes) {
  const std::string whole = drawn::jpeg(drawn::smooth(64, 64));
  const std::string small = drawn::jpeg(drawn::smooth(8, 8));
  const std::string both = drawn::jpeg_with_exif(whole, drawn::exif(1) + small);
  EXPECT_EQ(decode_image(both, {}).width, 64);
  EXPECT_THAT(refusal(both.substr(0, both.size() - 50)).what(), HasSubstr("truncated"));
}

TEST(WebP, IsReadStillTransparentAndAnimated) {
  const Image image = drawn::smooth(33, 17), other = drawn::coloured(33, 17);
  EXPECT_EQ(decode_image(drawn::webp(image), {}).pixels, image.pixels);
  EXPECT_EQ(decode_image(drawn::animated_webp({image, other}), {}).pixels, image.pixels);

  std::vector<std::uint8_t> rgba;
  for (int i = 0; i < 33 * 17; ++i) {
    const std::uint8_t alpha = i % 2 ? 0 : 255;
    rgba.insert(rgba.end(), {10, 20, 30, alpha});
  }
  expect_pixels(decode_image(drawn::webp_with_alpha(33, 17, rgba), {}), 33, 17, [](int x, int y) {
    return (x + 33 * y) % 2 ? drawn::Colour{255, 255, 255} : drawn::Colour{10, 20, 30};
  });
}

TEST(WebP, IsRefusedWhenItIsCut) {
  const std::string whole = drawn::webp(drawn::smooth(64, 64));
  for (std::size_t kept : {whole.size() - 30, whole.size() / 2, std::size_t{16}}) {
    EXPECT_THAT(refusal(whole.substr(0, kept)).what(), HasSubstr("truncated"));
  }
}

TEST(Gif, ShowsItsFirstFrame) {
  for (bool interlaced : {false, true}) {
    GifKind kind;
    kind.interlaced = interlaced;
    kind.frames = 3;
    expect_pixels(decode_image(drawn::gif(kWidth, kHeight, kind), {}), kWidth, kHeight,
                  drawn_colour);
  }
}

TEST(Gif, IsWhiteWhereItIsTransparentAndBesideItsFrame) {
  GifKind kind;
  kind.transparent = 2;
  kind.left = 3;
  kind.top = 2;
  expect_pixels(decode_image(drawn::gif(kWidth, kHeight, kind), {}), kWidth + 3, kHeight + 2,
                [](int x, int y) {
                  const bool outside = x < 3 || y < 2;
                  if (outside || drawn::level_at(x - 3, y - 2) == 2) {
                    return drawn::Colour{255, 255, 255};
                  }
                  return drawn_colour(x - 3, y - 2);
                });
}

TEST(Gif, IsBlackWhereItsColourMapEndsAndGreyWhereItHasNone) {
  constexpr std::size_t kFlags = 10, kColours = 13;
  std::string shorter = drawn::gif(kWidth, kHeight);
  shorter[kFlags] = static_cast<char>(shorter[kFlags] & ~7);  // two colours
  shorter.erase(kColours + 6, 6);
  expect_pixels(decode_image(shorter, {}), kWidth, kHeight, [](int x, int y) {
    return drawn::level_at(x, y) < 2 ? drawn_colour(x, y) : drawn::Colour{0, 0, 0};
  });

  std::string none = drawn::gif(kWidth, kHeight);
  none[kFlags] = static_cast<char>(none[kFlags] & 0x7f);
  none.erase(kColours, 12);
  expect_pixels(decode_image(none, {}), kWidth, kHeight, [](int x, int y) {
    const int level = drawn::level_at(x, y);
    return drawn::Colour{level, level, level};
  });
}

TEST(Gif, GrowsItsCanvasToItsFrame) {
  std::string bytes = drawn::gif(kWidth, kHeight);
  bytes[6] = 1;  // the declared width
  bytes[8] = 1;  // the declared height
  expect_pixels(decode_image(bytes, {}), kWidth, kHeight, drawn_colour);
}

TEST(Gif, IsRefusedWhenItIsCut) {
  const std::string whole = drawn::gif(64, 64);
  for (std::size_t kept : {whole.size() - 20, whole.size() / 2}) {
    EXPECT_THAT(refusal(whole.substr(0, kept)).what(), HasSubstr("truncated"));
  }
  EXPECT_THAT(refusal(whole.substr(0, 14)).what(), HasSubstr("truncated"));
}

TEST(Decoding, RefusesOtherFormatsByTheirNames) {
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"BM\x36\x10", "BMP"},
      {std::string("II*\0\x08", 5), "TIFF"},
      {std::string("\0\0\0\x1c"
                   "ftypavif",
                   12),
       "AVIF"},
      {std::string("\0\0\0\x18"
                   "ftypheic",
                   12),
       "HEIC"},
      {"%PDF-1.4", "PDF"},
      {"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"},
  };
  for (const auto& [bytes, name] : kinds) {
    const Error error = refusal(bytes);
    EXPECT_THAT(error.what(), HasSubstr(name));
    EXPECT_THAT(error.full(), HasSubstr("JPEG, PNG, WebP, GIF"));
  }
  EXPECT_THAT(refusal("plain words").full(), HasSubstr("JPEG, PNG, WebP, GIF"));
  EXPECT_THAT(refusal("").what(), HasSubstr("empty"));
}

}  // namespace
}  // namespace diptych
