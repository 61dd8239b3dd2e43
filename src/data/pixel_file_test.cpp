// Files of decoded pictures that are damaged, cut off, killed, shared or too large for the disk.
#include "data/pixel_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "data/cached_pictures.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

using PixelFileTest = PixelCacheTest;

TEST_F(PixelFileTest, IsMadeAnewWhenAnyPartOfItIsDamaged) {
  cached();
  const fs::path path = only_file();
  const std::string whole = read_file(path);
  const std::size_t entries = 64, pixels = 4096;
  ASSERT_EQ(whole.size(), pixels + kRows * kSide * kSide * 3);
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{8}, std::size_t{16}, std::size_t{22}, std::size_t{24},
        std::size_t{55}, std::size_t{56}, entries, entries + 8, entries + 16, entries + 24,
        entries + kRows * 32 - 8, pixels, pixels + kSide * kSide * 3 * 2 + 5, whole.size() - 1}) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write_file(path, bytes);
    expect_anew("byte " + std::to_string(at));
    EXPECT_EQ(read_file(path), whole);
  }
}

TEST_F(PixelFileTest, IsMadeAnewWhereverItIsCutOff) {
  cached();
  const fs::path path = only_file();
  const std::string whole = read_file(path);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65},
        std::size_t{64 + kRows * 32 - 1}, std::size_t{4095}, std::size_t{4096}, std::size_t{5000},
        whole.size() - 243, whole.size() - 1}) {
    write_file(path, whole.substr(0, size));
    expect_anew("cut to " + std::to_string(size));
  }
  write_file(path, whole + '\0');
  expect_anew("longer");
  write_file(path, std::string(whole.size(), '\0'));
  expect_anew("nothing but zeros");
}

TEST_F(PixelFileTest, BelievesNoCountOfRowsBeyondItsSize) {
  cached();
  const fs::path path = only_file();
  for (const std::uint64_t rows : {std::uint64_t{0}, std::uint64_t{kRows * 8 + 1},
                                   std::uint64_t{1} << 40, std::uint64_t{1} << 61, UINT64_MAX}) {
    std::string bytes = read_file(path);
    bytes.replace(16, 8, reinterpret_cast<const char*>(&rows), 8);
    write_file(path, bytes);
    if (rows == std::uint64_t{1} << 40) fs::resize_file(path, std::uint64_t{1} << 43);  // of holes
    expect_anew(std::to_string(rows) + " rows");
  }
}

TEST_F(PixelFileTest, OfMoreRowsThanAreAskedForIsAnothersAndTakesNoMemory) {
  PixelKind kind{8, std::string(32, 's'), 0};
  const fs::path path = folder_ / "cache" / "ten.pixels";
  PixelFileWriter(path, kind, RowVector<PixelEntry>(10)).finish();
  kind.most_rows = 9;
  EXPECT_FALSE(PixelFile::open(path, kind));
  kind.most_rows = 10;
  EXPECT_TRUE(PixelFile::open(path, kind));
}

TEST_F(PixelFileTest, MakesRoomForTheOneThatReplacesIt) {
  cached();
  write("2.png", picture(30));
  decode_images(dataset(), options_, [&](std::size_t, std::size_t) {
    EXPECT_THAT(only_file().string(), HasSubstr(".unfinished-"));
  });
}

TEST_F(PixelFileTest, ThatIsNoFileIsNeitherReadNorRemoved) {
  cached();
  const fs::path path = only_file();
  fs::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  expect_anew("a pipe");
  fs::remove(path);
  fs::create_directories(path / "inside");
  EXPECT_EQ(error_of([&] { cached(); }).kind(), ErrorKind::io);
  EXPECT_TRUE(fs::exists(path / "inside"));
  EXPECT_EQ(cache_names().size(), 1u);
}

TEST_F(PixelFileTest, ThatShrinksWhileItIsReadIsAnError) {
  const DecodedImages images = cached();
  std::vector<std::uint8_t> buffer;
  images.row(kRows - 1, buffer);
  fs::resize_file(only_file(), fs::file_size(only_file()) - 1);
  const Error error = error_of([&] { images.row(kRows - 1, buffer); });
  EXPECT_EQ(error.kind(), ErrorKind::io);
  EXPECT_THAT(error.full(), AllOf(HasSubstr("cannot be read"), HasSubstr("delete the file")));
}

TEST_F(PixelFileTest, ServesWhoHasItOpenWhenItIsReplaced) {
  const DecodedImages memory = decoded(), images = cached();
  write("2.png", picture(30));
  expect_anew("a picture");
  expect_equal(images, memory);
}

TEST_F(PixelFileTest, IsMadeByTwoAtOnceWithoutHarm) {
  for (int round = 0; round < 10; ++round) {
    fs::remove_all(options_.cache.folder);
    std::vector<DecodedImages> made(4);
    std::vector<std::thread> runs;
    for (DecodedImages& images : made) runs.emplace_back([&] { images = cached(); });
    for (std::thread& run : runs) run.join();
    for (const DecodedImages& images : made) expect_equal(images, decoded());
    expect_reuse();
    only_file();
  }
}

// As a kill leaves them: in a process of its own that ends while it decodes.
TEST_F(PixelFileTest, ThatWasNotFinishedIsNoFileAndIsCleanedAway) {
  for (const std::size_t last : {1, 10, kRows}) {
    const ::pid_t child = ::fork();
    if (child == 0) {
      DecodeOptions options = options_;
      options.threads = 1;
      decode_images(dataset(), options, [&](std::size_t done, std::size_t) {
        if (done == last) ::raise(SIGKILL);
      });
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_THAT(only_file().string(), HasSubstr(".unfinished-"));
    expect_anew("killed at " + std::to_string(last));
    EXPECT_TRUE(only_file().string().ends_with(".pixels"));
    fs::remove(only_file());
  }
}

TEST_F(PixelFileTest, RemovesNothingThatIsNotItsOwnOrStillWritten) {
  fs::create_directories(options_.cache.folder);
  write("cache/mine.txt.partial-1", "x");
  write("cache/mine.pixels", "x");
  write("cache/gone.pixels.unfinished-1-1", "x");
  PixelFileWriter other(options_.cache.folder / "other.pixels", {8, std::string(32, 's'), 1}, {{}});
  cached();
  Cells names = cache_names();
  EXPECT_EQ(names.size(), 4u);
  EXPECT_EQ(std::count(names.begin(), names.end(), "gone.pixels.unfinished-1-1"), 0);
  other.finish();
  EXPECT_TRUE(fs::exists(options_.cache.folder / "other.pixels"));
}

// As a full disk does to writing: no file may grow beyond a size.
class SizeLimit {
 public:
  SizeLimit() : handler_(std::signal(SIGXFSZ, SIG_IGN)) { ::getrlimit(RLIMIT_FSIZE, &before_); }
  ~SizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  SizeLimit(const SizeLimit&) = delete;
  SizeLimit& operator=(const SizeLimit&) = delete;
  void bind() const {
    const ::rlimit limit{5000, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }

 private:
  void (*handler_)(int);
  ::rlimit before_{};
};

TEST_F(PixelFileTest, TellsOfAFullDiskBeforeItDecodes) {
  const SizeLimit limit;
  limit.bind();
  std::size_t decoded_rows = 0;
  const Error error = error_of([&] {
    decode_images(dataset(), options_, [&](std::size_t, std::size_t) { ++decoded_rows; });
  });
  EXPECT_EQ(error.kind(), ErrorKind::io);
  EXPECT_EQ(decoded_rows, 0u);
  EXPECT_THAT(error.full(), AllOf(HasSubstr("MiB of decoded pictures: File too large"),
                                  HasSubstr("--cache-dir"), HasSubstr("--image-size")));
  EXPECT_TRUE(cache_names().empty());
}

TEST_F(PixelFileTest, ThatCannotBeWrittenToEndsTheRunAndIsNoProblemOfARow) {
  for (const std::size_t last : {std::size_t{1}, std::size_t{9}}) {
    const SizeLimit limit;
    const Error error = error_of([&] {
      decode_images(dataset(), options_, [&](std::size_t done, std::size_t) {
        if (done == last) limit.bind();
      });
    });
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_THAT(error.what(), HasSubstr("File too large"));
    EXPECT_TRUE(cache_names().empty());
  }
}

TEST_F(PixelFileTest, NamesTheWayOutWhereItCannotLie) {
  options_.cache.folder = write("taken", "x");
  EXPECT_THAT(error_of([&] { cached(); }).full(),
              AllOf(HasSubstr("Not a directory"), HasSubstr("--cache-dir")));
  options_.cache.folder.clear();
  const Error error = error_of([&] { cached(); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.hint(), HasSubstr("--cache-dir"));
}

}  // namespace
}  // namespace diptych
