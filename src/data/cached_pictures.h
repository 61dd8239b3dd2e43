// For tests: pictures of which one is damaged, one is missing, one is none and some lie in a tar;
// decoded in memory, and into a file.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>

#include "data/pixel_cache.h"
#include "data/written_tables.h"
#include "data/written_tars.h"
#include "image/drawn_pictures.h"

namespace diptych {

constexpr int kRows = 24, kSide = 9;

inline Example example_of(int i) {
  Example example;
  example.row = i + 1;
  example.id = std::to_string(i);
  return example;
}

inline void expect_equal(const DecodedImages& a, const DecodedImages& b) {
  EXPECT_EQ(a.present, b.present);
  EXPECT_EQ(a.digests, b.digests);
  EXPECT_EQ(problems_csv(a.problems), problems_csv(b.problems));
  ASSERT_EQ(a.present.size(), b.present.size());
  std::vector<std::uint8_t> of_a, of_b;
  for (std::size_t i = 0; i < a.present.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(a.row(i, of_a), b.row(i, of_b))) << i;
  }
}

// Row 3 is no picture, row 5 is not there, row 7 has none; the last third lies in a tar.
class PixelCacheTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    std::vector<TarFile> members;
    const auto tar = std::make_shared<const ImageContainer>(
        ImageContainer{ImageContainer::Kind::tar, folder_ / "t.tar", ""});
    for (int i = 0; i < kRows; ++i) {
      const std::string name = std::to_string(i) + ".png";
      const std::string bytes = i == 3 ? "no picture" : picture(i);
      rows_.push_back(example_of(i));
      if (i >= kRows * 2 / 3) {
        rows_.back().image = {{}, tar, std::ssize(members)};
        members.push_back({name, bytes});
      } else if (i != 7) {
        rows_.back().image.path = folder_ / name;
        if (i != 5) write(name, bytes);
      }
    }
    write("t.tar", tar_of(members));
    options_.side = kSide;
    options_.threads = 2;
    options_.cache = {0, folder_ / "cache"};
  }

  static std::string picture(int i) { return encode_png(drawn::smooth(12 + i, 20)); }
  Dataset dataset() const { return {rows_, {}, folder_ / "rows.csv"}; }
  DecodedImages cached() const { return decode_images(dataset(), options_); }
  DecodedImages decoded() const {
    DecodeOptions options = options_;
    options.cache = {};
    return decode_images(dataset(), options);
  }
  // A decoding that found nothing of use; what it gives is right all the same.
  void expect_anew(const std::string& why) const {
    const DecodedImages images = cached();
    EXPECT_FALSE(images.reused) << why;
    expect_equal(images, decoded());
    expect_reuse(why);
  }
  void expect_reuse(const std::string& why = "") const {
    const DecodedImages images = cached();
    EXPECT_TRUE(images.reused) << why;
    expect_equal(images, decoded());
  }
  Cells cache_names() const {
    Cells names;
    for (const auto& entry : std::filesystem::directory_iterator(options_.cache.folder)) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::filesystem::path only_file() const {
    const Cells names = cache_names();
    EXPECT_EQ(names.size(), 1u);
    return options_.cache.folder / names.at(0);
  }

  std::vector<Example> rows_;
  DecodeOptions options_;
};

}  // namespace diptych
