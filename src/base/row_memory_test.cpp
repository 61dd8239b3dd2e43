#include "base/row_memory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>

namespace diptych {
namespace {

constexpr std::size_t kMany = kLeastRowBlock / sizeof(std::int64_t);

class RowMemory : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "rows-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    keep_rows_in(folder_ / "made");
  }
  void TearDown() override {
    keep_rows_in({});
    std::filesystem::remove_all(folder_);
  }

  // Pages of the block that this process has in its memory.
  static std::size_t resident(const RowVector<std::int64_t>& rows) {
    std::ifstream lines("/proc/self/smaps");
    const auto address = reinterpret_cast<std::uintptr_t>(rows.data());
    bool found = false;
    for (std::string line; std::getline(lines, line);) {
      std::uintptr_t begin = 0, end = 0;
      if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
        found = begin <= address && address < end;
      }
      if (found && line.starts_with("Rss:")) return std::stoul(line.substr(4)) / 4;
    }
    return 0;
  }

  std::filesystem::path folder_;
};

TEST_F(RowMemory, LargeBlocksLieInFilesWithoutAName) {
  {
    const RowVector<std::int64_t> small(kMany - 1), large(kMany);
    EXPECT_EQ(row_file_bytes(), kLeastRowBlock);
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "made"));
  }
  EXPECT_EQ(row_file_bytes(), 0u);
}

TEST_F(RowMemory, RestingRowsAreThereWhenTheyAreAskedFor) {
  RowVector<std::int64_t> rows(kMany);
  std::iota(rows.begin(), rows.end(), 7);
  EXPECT_EQ(resident(rows), kLeastRowBlock / 4096);
  rest_rows();
  EXPECT_EQ(resident(rows), 0u);
  EXPECT_EQ(rows[513], 520);
  EXPECT_GT(resident(rows), 0u);
  std::int64_t next = 7;
  for (std::int64_t row : rows) ASSERT_EQ(row, next++);
}

TEST_F(RowMemory, GrowsCopiesAndMovesLikeAnyVector) {
  RowVector<std::int64_t> rows;
  for (std::int64_t i = 0; i < 100'000; ++i) rows.push_back(i);
  RowVector<std::int64_t> copy = rows, moved = std::move(rows);
  rest_rows();
  EXPECT_EQ(copy, moved);
  EXPECT_EQ(copy.back(), 99'999);
}

TEST_F(RowMemory, OtherThreadsGoOnWhileRowsRest) {
  RowVector<std::int64_t> rows(4 * kMany);
  std::jthread resting([](std::stop_token stop) {
    while (!stop.stop_requested()) rest_rows();
  });
  for (int round = 0; round < 20; ++round) {
    for (auto& row : rows) ++row;
  }
  resting.request_stop();
  resting.join();
  for (std::int64_t row : rows) ASSERT_EQ(row, 20);
}

TEST_F(RowMemory, TheHeapGivesWhatNoFileCan) {
  for (const std::filesystem::path& folder : {std::filesystem::path("/proc/none"), {}}) {
    keep_rows_in(folder);
    RowVector<std::int64_t> rows(kMany, 3);
    EXPECT_EQ(row_file_bytes(), 0u) << folder;
    EXPECT_EQ(rows.back(), 3);
  }
}

TEST_F(RowMemory, ABlockOutlivesAChangeOfFolder) {
  RowVector<std::int64_t> rows(kMany, 5);
  keep_rows_in({});
  EXPECT_EQ(row_file_bytes(), kLeastRowBlock);
  rows.resize(2 * kMany, 5);
  EXPECT_EQ(row_file_bytes(), 0u);
  EXPECT_EQ(rows.front(), 5);
}

}  // namespace
}  // namespace diptych
