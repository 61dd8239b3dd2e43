// Columns that hold pictures: bytes, or Hugging Face's {bytes, path}, read batch after batch.
#include <arrow/api.h>

#include "base/error.h"
#include "data/containers.h"
#include "data/table.h"
#include "data/table_arrow.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

using ArrayPointer = std::shared_ptr<arrow::Array>;

// The bytes of one cell; nothing for a null.
std::optional<std::string_view> bytes_at(const arrow::Array& array, std::int64_t i) {
  if (array.IsNull(i)) return std::nullopt;
  switch (array.type_id()) {
    case arrow::Type::BINARY:
    case arrow::Type::STRING:
      return static_cast<const arrow::BinaryArray&>(array).GetView(i);
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::LARGE_STRING:
      return static_cast<const arrow::LargeBinaryArray&>(array).GetView(i);
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::STRING_VIEW:
      return static_cast<const arrow::BinaryViewArray&>(array).GetView(i);
    default:
      return std::nullopt;
  }
}

ArrayPointer child(const arrow::Array& array, const char* name) {
  return static_cast<const arrow::StructArray&>(array).GetFieldByName(name);
}

class TablePictures : public ContainedPictures {
 public:
  TablePictures(fs::path path, Batches batches)
      : path_(std::move(path)), batches_(std::move(batches)) {}

  std::string read(std::int64_t index) override {
    return guarded(path_, [&] {
      while (index >= end_) load_next();
      return bytes_of(index - begin_);
    });
  }

 private:
  // A batch that is damaged is the last one that is tried.
  void load_next() {
    if (failed_) throw *failed_;
    try {
      cells_ = next_array(batches_, path_);
      if (!cells_) throw Error(ErrorKind::data, "the file ends before this row", path_.string());
    } catch (const Error& error) {
      failed_ = error;
      throw;
    }
    begin_ = end_;
    end_ += cells_->length();
  }

  std::string bytes_of(std::int64_t i) const {
    if (cells_->type_id() != arrow::Type::STRUCT) return within_limit(bytes_at(*cells_, i));
    if (cells_->IsNull(i)) return within_limit(std::nullopt);
    const auto bytes = bytes_at(*child(*cells_, "bytes"), i);
    const ArrayPointer paths = child(*cells_, "path");
    const auto name = paths ? bytes_at(*paths, i) : std::nullopt;
    if (bytes || !name || name->empty()) return within_limit(bytes);
    return read_picture_file(path_.parent_path() / *name);
  }

  static std::string within_limit(const std::optional<std::string_view>& bytes) {
    if (!bytes) throw Error(ErrorKind::not_found, "the cell is empty");
    if (bytes->size() > kMaxPictureBytes) {
      throw Error(ErrorKind::data, "holds " + std::to_string(bytes->size()) +
                                       " bytes; the limit is " + std::to_string(kMaxPictureBytes));
    }
    return std::string(*bytes);
  }

  fs::path path_;
  Batches batches_;
  ArrayPointer cells_;  // of the rows from begin_ to end_
  std::int64_t begin_ = 0, end_ = 0;
  std::optional<Error> failed_;
};

}  // namespace

bool holds_pictures(const arrow::DataType& type) {
  if (type.id() != arrow::Type::STRUCT) return arrow::is_binary_or_binary_view(type.id());
  const auto bytes = static_cast<const arrow::StructType&>(type).GetFieldByName("bytes");
  return bytes && arrow::is_binary_or_binary_view(bytes->type()->id());
}

std::vector<ImageSource> pictures_of(const fs::path& path, const std::string& column,
                                     std::int64_t rows) {
  // A count is a claim: it may not make us allocate what no file of this size can hold.
  if (rows < 0 || static_cast<std::uintmax_t>(rows) > fs::file_size(path)) {
    refuse(path, arrow::Status::Invalid("claims ", rows, " rows, more than it has bytes"));
  }
  const auto container = std::make_shared<const ImageContainer>(
      ImageContainer{ImageContainer::Kind::table, path, column});
  std::vector<ImageSource> pictures;
  for (std::int64_t i = 0; i < rows; ++i) pictures.push_back({{}, container, i});
  return pictures;
}

void add_picture_names(const arrow::Array& array, const fs::path& path,
                       std::vector<std::string>& names) {
  const ArrayPointer paths = child(array, "path");
  if (paths) validate(*paths, path);
  for (std::int64_t i = 0; i < array.length(); ++i) {
    const auto name = paths && array.IsValid(i) ? bytes_at(*paths, i) : std::nullopt;
    names.emplace_back(name.value_or(""));
  }
}

std::shared_ptr<arrow::Array> next_array(const Batches& batches, const fs::path& path) {
  const auto batch = value_of(batches.reader->Next(), path);
  if (!batch) return nullptr;
  if (batch->num_columns() != 1) {
    refuse(path, arrow::Status::Invalid("the column of pictures is gone"));
  }
  validate(*batch->column(0), path);
  return batch->column(0);
}

std::unique_ptr<ContainedPictures> open_table_pictures(const fs::path& path,
                                                       const std::string& column) {
  Batches batches = ending_of(path) == ".parquet" ? parquet_batches(path, column, PictureParts::all)
                                                  : arrow_batches(path, column);
  return std::make_unique<TablePictures>(path, std::move(batches));
}

}  // namespace diptych
