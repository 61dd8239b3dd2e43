// A file of decoded pictures, beside the memory that they do not fit into; another run finds it
// again. A header, an entry for each row, the pixels; docs/design/pixel_cache.md says why so.
// It gets its name when it is whole, so what a killed run leaves is never taken for one.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/row_memory.h"

namespace diptych {

struct PixelEntry {            // of one row
  std::uint64_t source = 0;    // what is known of its picture without reading it
  std::uint64_t digest = 0;    // of the picture's bytes
  std::uint64_t checksum = 0;  // of its pixels, if it is present
  std::uint64_t present = 0;
};

// What a file must be about to be of use.
struct PixelKind {
  int side = 0;                 // S
  std::string settings;         // 32 characters: how pictures become pixels
  std::uint64_t most_rows = 0;  // N; a file that claims more is not believed
};

// [N,S,S,3]. May be read from any thread, also after its name went to another file.
class PixelFile {
 public:
  // Null unless there is a file of this kind, of the right length, with intact entries.
  static std::shared_ptr<const PixelFile> open(const std::filesystem::path& path,
                                               const PixelKind& kind);

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t bytes() const;
  std::span<const PixelEntry> entries() const { return entries_; }
  // Of a row that is present: [S,S,3]. Throws Error{io} when they are not there.
  void read(std::size_t index, std::span<std::uint8_t> pixels) const;
  // Reads all pixels once, and says whether they are those that were written.
  bool is_intact(int threads,
                 const std::function<void(std::size_t done, std::size_t total)>& progress) const;

 private:
  friend class PixelFileWriter;
  PixelFile(std::filesystem::path path, int side, int fd);
  bool are_read(std::size_t index, std::span<std::uint8_t> pixels) const;

  std::filesystem::path path_;
  int side_;
  Descriptor file_;
  RowVector<PixelEntry> entries_;
};

// Writes one; what is not finished is removed, also by the next writer if this one is killed.
class PixelFileWriter {
 public:
  // Takes the whole place on the disk. Throws Error{io}: the folder or the place is not to be had.
  PixelFileWriter(const std::filesystem::path& path, PixelKind kind, RowVector<PixelEntry> entries);
  ~PixelFileWriter();
  PixelFileWriter(const PixelFileWriter&) = delete;
  PixelFileWriter& operator=(const PixelFileWriter&) = delete;

  // Once for each row that is present, from any thread. Throws Error{io}.
  void write(std::size_t index, std::uint64_t digest, std::span<const std::uint8_t> pixels);
  // Makes it durable and gives it its name, in place of any older file. Throws Error{io}.
  std::shared_ptr<const PixelFile> finish();

 private:
  [[noreturn]] void fail(int reason) const;

  PixelKind kind_;
  std::filesystem::path partial_;
  std::shared_ptr<PixelFile> file_;
};

}  // namespace diptych
