// Decoded pictures in a file: the same as in memory, found again, made anew when they are not
// those.
#include "data/pixel_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/cached_pictures.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(PixelCacheTest, GivesTheSameAsMemoryAndIsFoundAgain) {
  const DecodedImages first = cached();
  EXPECT_FALSE(first.reused);
  EXPECT_TRUE(first.pixels.empty());
  EXPECT_EQ(first.problems.size(), 2u);
  expect_equal(first, decoded());
  expect_reuse();
  options_.threads = 8;
  expect_reuse();
  EXPECT_EQ(first.file->path(), only_file());
  EXPECT_EQ(first.file->bytes(), fs::file_size(only_file()));
  EXPECT_TRUE(first.file->path().filename().string().find("rows.csv-9px-") != std::string::npos);
}

TEST_F(PixelCacheTest, IsNotMadeWhereMemoryIsEnough) {
  options_.cache.memory_bytes = std::uint64_t{kRows} * kSide * kSide * 3;
  EXPECT_FALSE(cached().file);
  EXPECT_FALSE(fs::exists(options_.cache.folder));
  --options_.cache.memory_bytes;
  EXPECT_TRUE(cached().file);
}

TEST_F(PixelCacheTest, IsTheSameFromOneThreadAndFromEight) {
  options_.threads = 1;
  cached();
  const std::string one = read_file(only_file());
  fs::remove(only_file());
  options_.threads = 8;
  cached();
  EXPECT_EQ(read_file(only_file()), one);
}

TEST_F(PixelCacheTest, ServesAPartOfItsRowsInAnotherOrder) {
  cached();
  std::reverse(rows_.begin(), rows_.end());
  rows_.erase(rows_.begin() + 4, rows_.begin() + 9);
  expect_reuse();
  rows_[2] = rows_.back();  // two rows of one picture
  expect_reuse();
  const std::vector<std::int64_t> kept = {6, 0, 11};
  const DecodedImages some = select(cached(), kept), same = select(decoded(), kept);
  expect_equal(some, same);
  const std::vector<std::int64_t> last = {2, 2};
  expect_equal(select(some, last), select(same, last));
}

TEST_F(PixelCacheTest, GivesTheSameStatistics) {
  std::vector<std::int64_t> all(kRows);
  for (int i = 0; i < kRows; ++i) all[static_cast<std::size_t>(i)] = i;
  const PixelStatistics file = pixel_statistics(cached(), all);
  const PixelStatistics memory = pixel_statistics(decoded(), all);
  EXPECT_EQ(file.mean, memory.mean);
  EXPECT_EQ(file.deviation, memory.deviation);
}

TEST_F(PixelCacheTest, IsMadeAnewWhenAPictureHasChanged) {
  cached();
  const auto time = fs::last_write_time(folder_ / "2.png");
  fs::last_write_time(folder_ / "2.png", time + std::chrono::nanoseconds(1));
  expect_anew("a time");
  write("2.png", picture(2) + "x");
  fs::last_write_time(folder_ / "2.png", time + std::chrono::nanoseconds(1));
  expect_anew("a size");
  fs::last_write_time(folder_ / "t.tar", time - std::chrono::hours(1));
  expect_anew("a shard's time");
  rows_.back().image.index -= 1;
  rows_.pop_back();
  expect_reuse("a part of them");
  rows_.push_back(example_of(kRows));
  rows_.back().image = rows_[0].image;
  expect_reuse("one that is known");
  rows_.back().image.path = write("new.png", picture(40));
  expect_anew("one that is not");
}

TEST_F(PixelCacheTest, IsMadeAnewWhenAFileNamedByATableHasChanged) {
  arrow::StringBuilder paths;
  arrow::BinaryBuilder bytes;
  for (const char* name : {"0.png", "1.png"}) {
    ASSERT_TRUE(paths.Append(name).ok() && bytes.AppendNull().ok());
  }
  const auto structs =
      arrow::StructArray::Make({bytes.Finish().ValueOrDie(), paths.Finish().ValueOrDie()},
                               Cells{"bytes", "path"})
          .ValueOrDie();
  const auto table = std::make_shared<const ImageContainer>(ImageContainer{
      ImageContainer::Kind::table, write("t.parquet", parquet_of({{"image", structs}})), "image"});
  rows_.resize(2);
  for (int i = 0; i < 2; ++i) {
    const auto index = static_cast<std::size_t>(i);
    rows_[index].id = std::to_string(i) + ".png";
    rows_[index].image = {{}, table, i};
  }
  ASSERT_THAT(cached().present, ElementsAre(1, 1));
  expect_reuse();
  write("1.png", picture(9));
  expect_anew("beside the table");
}

TEST_F(PixelCacheTest, IsMadeAnewForOtherLimits) {
  cached();
  options_.limits.max_megapixels = 0.0003;  // of 300 pixels
  expect_anew("limit");
  EXPECT_GT(cached().problems.size(), 2u);
  EXPECT_EQ(cache_names().size(), 1u);
}

TEST_F(PixelCacheTest, HasAFileForEachSizeFitAndSource) {
  cached();
  options_.side = 10;
  expect_anew("size");
  options_.fit = ImageFit::crop;
  expect_anew("fit");
  decode_images(Dataset(rows_, {}, folder_ / "other.csv"), options_);
  EXPECT_EQ(cache_names().size(), 4u);
  options_.side = kSide;
  options_.fit = ImageFit::stretch;
  expect_reuse();
}

TEST_F(PixelCacheTest, KnowsADatasetByAnyNameOfItsPlace) {
  cached();
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  for (Example& row : rows_) {
    if (!row.image.path.empty()) row.image.path = "./" + row.image.path.filename().string();
  }
  EXPECT_TRUE(decode_images(Dataset(rows_, {}, "./rows.csv"), options_).reused);
  fs::current_path(before);
}

TEST_F(PixelCacheTest, TriesAgainWhatCouldNotBeRead) {
  cached();
  fs::create_directories(folder_ / "away");
  fs::rename(folder_ / "1.png", folder_ / "away" / "1.png");
  expect_anew("a picture is gone");
  fs::rename(folder_ / "away" / "1.png", folder_ / "1.png");
  expect_anew("it is back");
  const fs::path locked = folder_ / "2.png";
  fs::permissions(locked, fs::perms::none);
  {
    fs::permissions(folder_, fs::perms::all);
    fs::permissions(options_.cache.folder, fs::perms::all);
    fs::remove(only_file());
    const Unprivileged unprivileged;
    if (!unprivileged.binds()) GTEST_SKIP() << "permissions do not bind here";
    EXPECT_EQ(cached().problems.size(), 3u);
    EXPECT_TRUE(cached().reused);
  }
  fs::permissions(locked, fs::perms::all);
  expect_anew("it may be read now");
}

TEST_F(PixelCacheTest, IsLeftAwayWhenTheRunIsStopped) {
  const auto stop = [](std::size_t done, std::size_t) {
    if (done == 5) throw Error(ErrorKind::interrupted, "stopped");
  };
  EXPECT_EQ(error_of([&] { decode_images(dataset(), options_, stop); }).kind(),
            ErrorKind::interrupted);
  EXPECT_TRUE(cache_names().empty());
  cached();
  EXPECT_EQ(error_of([&] { decode_images(dataset(), options_, stop); }).kind(),
            ErrorKind::interrupted);
  expect_reuse();
}

}  // namespace
}  // namespace diptych
