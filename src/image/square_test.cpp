#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "image/drawn_pictures.h"
#include "image/image.h"

namespace diptych {
namespace {

constexpr ImageFit kFits[] = {ImageFit::stretch, ImageFit::pad, ImageFit::crop};

Image in_two_steps(const std::string& bytes, int side, ImageFit fit) {
  return fit_square(decode_image(bytes, {}, side), side, fit);
}

int largest_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  int largest = 0;
  for (std::size_t i = 0; i < std::min(a.pixels.size(), b.pixels.size()); ++i) {
    largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  }
  return largest;
}

TEST(DecodeSquare, ShowsWhatDecodingAndFittingDo) {
  for (int sampling : {TJSAMP_444, TJSAMP_422, TJSAMP_420, TJSAMP_440, TJSAMP_411, TJSAMP_GRAY}) {
    for (int flags : {0, TJFLAG_PROGRESSIVE}) {
      for (const auto& [width, height] : {std::pair{640, 480}, {211, 333}, {97, 40}, {70, 65}}) {
        const std::string bytes =
            drawn::jpeg(drawn::smooth(width, height), {sampling, TJPF_RGB, flags});
        for (ImageFit fit : kFits) {
          SCOPED_TRACE(testing::Message() << sampling << ' ' << flags << ' ' << width << 'x'
                                          << height << ' ' << static_cast<int>(fit));
          constexpr int kFewLevels = 10;
          EXPECT_LE(
              largest_difference(decode_square(bytes, {}, 64, fit), in_two_steps(bytes, 64, fit)),
              kFewLevels);
        }
      }
    }
  }
}

// Without smaller colour planes nothing differs but roundings.
TEST(DecodeSquare, OfEqualPlanesDiffersByRoundingAlone) {
  const std::string bytes = drawn::jpeg(drawn::smooth(160, 96), {TJSAMP_444});
  for (ImageFit fit : kFits) {
    EXPECT_LE(largest_difference(decode_square(bytes, {}, 96, fit), in_two_steps(bytes, 96, fit)),
              3);
  }
}

TEST(DecodeSquare, CutsAtTheCentresEdges) {
  Image image{96, 32, std::vector<std::uint8_t>(96 * 32 * 3, 255)};  // white, its centre black
  for (int y = 0; y < 32; ++y) {
    std::fill_n(image.pixels.begin() + (y * 96 + 32) * 3, 32 * 3, std::uint8_t{0});
  }
  const Image square = decode_square(drawn::jpeg(image, {TJSAMP_420}), {}, 20, ImageFit::crop);
  EXPECT_LE(*std::max_element(square.pixels.begin(), square.pixels.end()), 3);
}

TEST(DecodeSquare, TurnsAsTheCameraSays) {
  const Image image = drawn::smooth(120, 80);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string bytes =
        drawn::jpeg_with_exif(drawn::jpeg(image, {TJSAMP_444}), drawn::exif(orientation));
    for (ImageFit fit : kFits) {
      EXPECT_LE(largest_difference(decode_square(bytes, {}, 32, fit), in_two_steps(bytes, 32, fit)),
                4)
          << orientation;
    }
  }
}

// With Adobe's marker that says: no colour transform, the components are red, green and blue.
std::string untransformed(const std::string& jpeg) {
  return jpeg.substr(0, 2) +
         std::string(
             "\xff\xee\0\x0e"
             "Adobe\0\x64\0\0\0\0\0",
             16) +
         jpeg.substr(20);  // JFIF's marker, which says otherwise, is left out
}

TEST(DecodeSquare, IsExactForWhatHasNoPlanes) {
  const std::vector<std::uint8_t> inks(40 * 30 * 4, 77);
  for (const std::string& bytes :
       {encode_png(drawn::smooth(50, 40)), drawn::webp(drawn::smooth(50, 40)),
        drawn::jpeg(40, 30, inks.data(), {TJSAMP_444, TJPF_CMYK}),
        untransformed(drawn::jpeg(drawn::smooth(50, 40), {TJSAMP_444}))}) {
    for (ImageFit fit : kFits) {
      EXPECT_EQ(decode_square(bytes, {}, 16, fit).pixels, in_two_steps(bytes, 16, fit).pixels);
    }
  }
}

TEST(DecodeSquare, RefusesWhatDecodingRefuses) {
  const std::string whole = drawn::jpeg(drawn::smooth(64, 64), {TJSAMP_420});
  const auto refusal = [&](auto decode) -> std::string {
    try {
      decode();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::image);
      return error.what();
    }
    return "";
  };
  for (const std::string& bytes :
       {std::string("no picture"), whole.substr(0, whole.size() / 2), whole.substr(0, 20)}) {
    const std::string reason = refusal([&] { decode_image(bytes, {}); });
    EXPECT_NE(reason, "");
    EXPECT_EQ(refusal([&] { decode_square(bytes, {}, 8, ImageFit::pad); }), reason);
  }
  EXPECT_NE(refusal([&] { decode_square(whole, {0.001}, 8, ImageFit::pad); }), "");
  EXPECT_NE(refusal([&] { decode_square(whole, {}, 0, ImageFit::pad); }), "");
}

}  // namespace
}  // namespace diptych
