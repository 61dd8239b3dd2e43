// What real and odd files make of the decoders: run with DIPTYCH_DATA naming the folder of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "image/image.h"

namespace diptych {
namespace {

namespace fs = std::filesystem;

struct Row {
  std::string file, decodes, format, mode, size;
  bool is_read() const {
    const bool ours = format == "JPEG" || format == "PNG" || format == "WEBP" || format == "GIF";
    return decodes == "yes" && ours;
  }
};

// Pillow refuses these for parts that a picture does not need, which are skipped unread here.
const std::map<std::string, std::string> kReadAllTheSame = {
    {"chunk_no_fctl.png", "its animation is broken; the still picture is whole"},
    {"png_decompression_dos.png", "its text is a bomb; the pixels are harmless"},
    {"unknown_compression_method.png", "its colour profile is broken; the pixels are whole"},
};

// The other way round.
const std::map<std::string, std::string> kRefusedAllTheSame = {
    {"issue_2811.gif", "its codes start at 11 bits, the format and giflib allow 8"},
};

class Files : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("DIPTYCH_DATA");
    if (!folder) GTEST_SKIP() << "set DIPTYCH_DATA to the folder of oddimages/ and photos/";
    folder_ = folder;
  }

  Image decode(const fs::path& path, int enough_side = 0) const {
    constexpr std::uint64_t kMaxBytes = 1 << 30;
    return decode_image(read_file(folder_ / path, kMaxBytes), {}, enough_side);
  }

  std::vector<Row> manifest() const {
    std::istringstream lines(read_file(folder_ / "oddimages/manifest.csv", 1 << 20));
    std::vector<Row> rows;
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::istringstream cells(line);
      Row row;
      for (std::string* cell : {&row.file, &row.decodes, &row.format, &row.mode, &row.size}) {
        std::getline(cells, *cell, ',');
      }
      rows.push_back(row);
    }
    return rows;
  }

  fs::path folder_;
};

TEST_F(Files, OddOnesAreReadOrRefusedAsPillowDoes) {
  const std::vector<Row> rows = manifest();
  ASSERT_GT(rows.size(), 100u);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.file);
    const bool expected = kReadAllTheSame.contains(row.file) ||
                          (row.is_read() && !kRefusedAllTheSame.contains(row.file));
    try {
      const Image image = decode("oddimages/" + row.file);
      EXPECT_TRUE(expected) << "was read";
      if (!row.is_read()) continue;
      EXPECT_EQ(std::to_string(image.width) + "x" + std::to_string(image.height), row.size);
    } catch (const Error& error) {
      EXPECT_FALSE(expected) << error.what();
      EXPECT_STRNE(error.what(), "");
    }
  }
}

double mean_difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

TEST_F(Files, OfOneSceneInEveryOrientationLookAlike) {
  const Image upright = decode("oddimages/hopper.png");
  for (int orientation = 2; orientation <= 8; ++orientation) {
    const std::string name = "oddimages/hopper_orientation_" + std::to_string(orientation);
    const Image image = decode(name + ".jpg");
    ASSERT_EQ(image.pixels.size(), upright.pixels.size());
    EXPECT_LT(mean_difference(image, upright), 8) << name;
  }
}

TEST_F(Files, PhotosAreAllReadWholeAndReduced) {
  int photos = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "photos")) {
    if (image_format(read_file(entry.path(), 1 << 30)) != ImageFormat::jpeg) continue;
    SCOPED_TRACE(entry.path().filename().string());
    ++photos;
    constexpr int kSide = 64;
    constexpr double kTexture = 10;  // the two ways to shrink differ in detail finer than a pixel
    const Image whole = decode(entry.path()), reduced = decode(entry.path(), kSide);
    EXPECT_GE(std::min(reduced.width, reduced.height),
              std::min(kSide, std::min(whole.width, whole.height)));
    const Image twice = resize(reduced, kSide, kSide);
    EXPECT_LT(mean_difference(resize(whole, kSide, kSide), twice), kTexture);
    const Image once =
        decode_square(read_file(entry.path(), 1 << 30), {}, kSide, ImageFit::stretch);
    EXPECT_LT(mean_difference(once, twice), 3);
  }
  EXPECT_EQ(photos, 200);
}

}  // namespace
}  // namespace diptych
