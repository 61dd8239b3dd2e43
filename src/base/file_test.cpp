#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "base/error.h"
#include "base/unprivileged.h"

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

TEST_F(FileTest, AFileThatGrowsTakesItsNameWhenItIsWhole) {
  write_file(folder_ / "a", "old");
  {
    PartialFile file(folder_ / "a");
    ASSERT_EQ(::write(file.descriptor(), "half", 4), 4);
    EXPECT_EQ(read_file(folder_ / "a"), "old");
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);  // nothing is left of it
  PartialFile file(folder_ / "a");
  ASSERT_EQ(::write(file.descriptor(), "whole", 5), 5);
  file.commit();
  EXPECT_EQ(read_file(folder_ / "a"), "whole");
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

TEST_F(FileTest, ANameIsNotCutAtANulByte) {
  using namespace std::string_literals;
  write_file(folder_ / "a", "x");
  EXPECT_THROW(read_file(folder_ / "a\0b"s), Error);
}

TEST_F(FileTest, AFailedWriteKeepsTheOldFile) {
  fs::create_directories(folder_ / "taken" / "inside");
  EXPECT_THROW(write_file(folder_ / "taken", "x"), Error);
  EXPECT_TRUE(fs::is_directory(folder_ / "taken"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

// No file may grow beyond a size: what a full disk does to a write, without one.
class SizeLimit {
 public:
  explicit SizeLimit(::rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const ::rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  SizeLimit(const SizeLimit&) = delete;
  SizeLimit& operator=(const SizeLimit&) = delete;

 private:
  void (*handler_)(int);
  ::rlimit before_{};
};

TEST_F(FileTest, AWriteThatEndsHalfWayKeepsTheOldFile) {
  write_file(folder_ / "a", "old");
  {
    const SizeLimit limit(1000);
    EXPECT_THROW(write_file(folder_ / "a", std::string(5000, 'x')), Error);
  }
  EXPECT_EQ(read_file(folder_ / "a"), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(FileTest, AFolderThatMayNotBeWrittenToKeepsTheOldFile) {
  const fs::path inner = folder_ / "inner";
  fs::create_directories(inner);
  write_file(inner / "a", "old");
  fs::permissions(inner / "a", fs::perms::all);
  constexpr auto kReadOnly = static_cast<fs::perms>(0555);
  fs::permissions(inner, kReadOnly);
  const Unprivileged unprivileged;
  if (!unprivileged.binds()) GTEST_SKIP() << "permissions do not bind here";
  try {
    write_file(inner / "a", "new");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_THAT(error.hint(), testing::HasSubstr("choose another one with -o"));
  }
  EXPECT_THROW(make_output_folder(inner, true), Error);
  EXPECT_EQ(read_file(inner / "a"), "old");
}

TEST_F(FileTest, AFileThatMayNotBeReadIsNotAMissingOne) {
  write_file(folder_ / "a", "x");
  fs::permissions(folder_ / "a", fs::perms::none);
  const Unprivileged unprivileged;
  if (!unprivileged.binds()) GTEST_SKIP() << "permissions do not bind here";
  try {
    read_file(folder_ / "a");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
  }
}

TEST_F(FileTest, LinesAreAppendedWhole) {
  append_line(folder_ / "log", "one");
  append_line(folder_ / "log", "two");
  EXPECT_EQ(read_file(folder_ / "log"), "one\ntwo\n");
}

TEST_F(FileTest, AFolderIsNoFileAndAFileIsNoFolder) {
  EXPECT_THROW(read_file(folder_), Error);
  write_file(folder_ / "a", "x");
  EXPECT_THROW(make_output_folder(folder_ / "a", true), Error);
  EXPECT_EQ(read_file(folder_ / "a"), "x");
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
