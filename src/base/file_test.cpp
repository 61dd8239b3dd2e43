#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  fs::path folder_ = fs::path(testing::TempDir()) / ("file_test_" + std::to_string(::getpid()));
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
};

TEST_F(FileTest, AWrittenFileReadsBackAndLeavesNothingBesideIt) {
  write_file(folder_ / "a", "one");
  write_file(folder_ / "a", "two");
  EXPECT_EQ(read_file(folder_ / "a"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(FileTest, AMissingFileIsNamed) {
  try {
    read_file(folder_ / "absent");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_THAT(error.full(), testing::HasSubstr("absent"));
  }
}

TEST_F(FileTest, AFailedWriteKeepsTheOldFile) {
  fs::create_directories(folder_ / "taken" / "inside");
  EXPECT_THROW(write_file(folder_ / "taken", "x"), Error);
  EXPECT_TRUE(fs::is_directory(folder_ / "taken"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(FileTest, AFullDeviceIsReportedAsSuch) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  try {
    append_line("/dev/full", "x");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_THAT(error.hint(), testing::HasSubstr("disk is full"));
  }
}

TEST_F(FileTest, WhatAKilledWriterLeftIsRemoved) {
  write_file(folder_ / "model", "whole");
  write_file(folder_ / "model.partial-17", "hal");
  remove_partial_files(folder_);
  EXPECT_EQ(read_file(folder_ / "model"), "whole");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
  EXPECT_NO_THROW(remove_partial_files(folder_ / "nowhere"));
}

TEST_F(FileTest, AnOutputFolderThatHoldsSomethingIsRefused) {
  make_output_folder(folder_ / "new" / "deep", false);
  write_file(folder_ / "new" / "deep" / "x", "x");
  EXPECT_THROW(make_output_folder(folder_ / "new" / "deep", false), Error);
  EXPECT_NO_THROW(make_output_folder(folder_ / "new" / "deep", true));
}

TEST_F(FileTest, ReadingIsBounded) {
  write_file(folder_ / "big", std::string(100, 'x'));
  EXPECT_THROW(read_file(folder_ / "big", 99), Error);
  EXPECT_EQ(read_file(folder_ / "big", 100).size(), 100u);
}

}  // namespace
}  // namespace diptych
