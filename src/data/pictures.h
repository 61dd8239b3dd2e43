// The bytes of pictures, wherever they lie: the one way from an ImageSource to what can be decoded.
// Containers are read in order, from their start on, one open at a time, and nothing of them is
// written to disk.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/dataset.h"

namespace diptych {

constexpr std::uint64_t kMaxPictureBytes = 1ULL << 30;

// The pictures of one container, asked for by ascending index.
class ContainedPictures {
 public:
  virtual ~ContainedPictures() = default;
  // Throws Error{not_found} for a place without a picture, Error{data, io} when it cannot be read.
  virtual std::string read(std::int64_t index) = 0;
};

// The two kinds of container. Throw Error{not_found, io, data}. A member's index counts all members
// of a tar. A table is Parquet or Arrow, its column one of bytes or of Hugging Face's {bytes,
// path}, whose path names a file beside the table where there are no bytes.
std::unique_ptr<ContainedPictures> open_tar_pictures(const std::filesystem::path& path);
std::unique_ptr<ContainedPictures> open_table_pictures(const std::filesystem::path& path,
                                                       const std::string& column);

struct PictureBytes {
  std::size_t row = 0;         // into the rows that the reader was given
  std::string bytes;           // empty when there is an error, or the row has no picture
  std::optional<Error> error;  // not_found: there is no such picture
};

// What an error in reading or decoding its picture makes of a row.
RowProblem problem_of(const Example& example, const Error& error);

// Hands out every row once: those in files first, then one container after the other.
class PictureReader {
 public:
  explicit PictureReader(Dataset rows);
  std::optional<PictureBytes> next();  // nothing at the end; from any thread

 private:
  std::string read_contained(const ImageSource& source);

  Dataset rows_;
  RowVector<std::size_t> order_;
  std::size_t next_ = 0;
  std::mutex mutex_;
  std::shared_ptr<const ImageContainer> container_;  // the one that is open
  std::unique_ptr<ContainedPictures> pictures_;
  std::optional<Error> broken_;  // why it could not be opened
};

// Hands the bytes of every picture to `visit`, from several threads, and tells each row's end to
// progress. What cannot be read, or what `visit` throws, is a problem of its row.
std::vector<RowProblem> visit_pictures(
    const Dataset& rows, int threads,
    const std::function<void(std::size_t row, const std::string& bytes)>& visit,
    const std::function<void(std::size_t done, std::size_t total)>& progress = {});

// Of a file of its own. Throws Error{not_found, io, data}.
std::string read_picture_file(const std::filesystem::path& path);

}  // namespace diptych
