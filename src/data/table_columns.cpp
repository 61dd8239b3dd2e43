// Tables whose file holds columns, Parquet and Arrow: the words of all rows, and pictures, as bytes
// or Hugging Face's {bytes, path}, batch after batch when they are asked for.
#include <arrow/api.h>

#include "base/error.h"
#include "data/pictures.h"
#include "data/table_arrow.h"
#include "data/table_formats.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

using ArrayPointer = std::shared_ptr<arrow::Array>;

bool is_struct(const arrow::DataType& type) { return type.id() == arrow::Type::STRUCT; }

bool holds_pictures(const arrow::DataType& type) {
  if (!is_struct(type)) return arrow::is_binary_or_binary_view(type.id());
  const auto bytes = static_cast<const arrow::StructType&>(type).GetFieldByName("bytes");
  return bytes && arrow::is_binary_or_binary_view(bytes->type()->id());
}

ArrayPointer child(const arrow::Array& array, const char* name) {
  return static_cast<const arrow::StructArray&>(array).GetFieldByName(name);
}

// The bytes of one cell; nothing for a null, and for what is neither bytes nor text.
std::optional<std::string_view> bytes_at(const ArrayPointer& array, std::int64_t i) {
  if (!array || array->IsNull(i)) return std::nullopt;
  const arrow::Type::type type = array->type_id();
  if (arrow::is_binary_like(type)) return static_cast<const arrow::BinaryArray&>(*array).GetView(i);
  if (arrow::is_large_binary_like(type)) {
    return static_cast<const arrow::LargeBinaryArray&>(*array).GetView(i);
  }
  if (!arrow::is_binary_view_like(type)) return std::nullopt;
  return static_cast<const arrow::BinaryViewArray&>(*array).GetView(i);
}

void add_batch(const arrow::RecordBatch& batch, const std::string& image, const fs::path& path,
               Table& table) {
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto found = table.columns.find(trimmed(batch.column_name(i)));
    if (found == table.columns.end()) continue;  // read for its number of rows
    const ArrayPointer array = batch.column(i);
    if (found->first != image || !is_struct(*array->type())) {
      add_cells(array, found->first, path, found->second);
      continue;
    }
    const ArrayPointer paths = child(*array, "path");
    if (paths) validate(*paths, path);
    for (std::int64_t row = 0; row < array->length(); ++row) {
      found->second.push_back(bytes_at(paths, row).value_or(""));
    }
  }
}

PictureColumn pictures_of(const fs::path& path, const std::string& column, std::int64_t rows) {
  // A count is a claim: it may not make us allocate what no file of this size can hold.
  if (static_cast<std::uintmax_t>(rows) > fs::file_size(path)) {
    refuse(path, arrow::Status::Invalid("claims ", rows, " rows, more than it has bytes"));
  }
  const auto container = std::make_shared<const ImageContainer>(
      ImageContainer{ImageContainer::Kind::table, path, column});
  PictureColumn pictures;
  for (std::int64_t i = 0; i < rows; ++i) pictures.push_back({{}, container, i});
  return pictures;
}

// Null at the end. Lengths are checked before anything is cut from a batch.
std::shared_ptr<arrow::RecordBatch> next_batch(arrow::RecordBatchReader& batches,
                                               const fs::path& path) {
  auto batch = value_of(batches.Next(), path);
  if (!batch) return batch;
  if (const auto status = batch->Validate(); !status.ok()) refuse(path, status);
  return batch;
}

ColumnFile open_columns(const fs::path& path) {
  return ending_of(path) == ".parquet" ? open_parquet(path) : open_arrow(path);
}

class TablePictures : public ContainedPictures {
 public:
  TablePictures(fs::path path, std::shared_ptr<arrow::RecordBatchReader> batches)
      : path_(std::move(path)), batches_(std::move(batches)) {}

  std::string read(std::int64_t index) override {
    if (failed_) throw *failed_;
    try {
      while (index >= end_) load_next();
    } catch (const Error& error) {  // what follows a damaged batch is not tried
      failed_ = error;
      throw;
    }
    const bool in_struct = is_struct(*cells_->type());
    const std::int64_t i = index - begin_;
    const auto bytes = bytes_at(in_struct ? child(*cells_, "bytes") : cells_, i);
    const auto name = in_struct ? bytes_at(child(*cells_, "path"), i) : std::nullopt;
    if (!bytes && name && !name->empty()) return read_picture_file(path_.parent_path() / *name);
    if (!bytes) throw Error(ErrorKind::not_found, "the cell is empty");
    if (bytes->size() <= kMaxPictureBytes) return std::string(*bytes);
    throw Error(ErrorKind::data, "holds more bytes than " + std::to_string(kMaxPictureBytes));
  }

 private:
  void load_next() {
    guarded(path_, [&] {
      const auto batch = next_batch(*batches_, path_);
      if (!batch || batch->num_columns() != 1) {
        refuse(path_, arrow::Status::Invalid("the file ends before this row"));
      }
      cells_ = batch->column(0);
      validate(*cells_, path_);
    });
    begin_ = end_;
    end_ += cells_->length();
  }

  fs::path path_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  ArrayPointer cells_;  // of the rows from begin_ to end_
  std::int64_t begin_ = 0, end_ = 0;
  std::optional<Error> failed_;
};

// Bytes are left for later; where nothing else would be read, the last column gives the rows.
Table read_wanted(const fs::path& path, const std::vector<std::string>& wanted,
                  const std::string& image) {
  const ColumnFile file = open_columns(path);
  Table table;
  for (const auto& field : file.schema->fields()) table.names.push_back(trimmed(field->name()));
  refuse_repeated_names(table.names, wanted, path);
  std::vector<int> fields;
  bool has_pictures = false;
  for (int i = 0; i < file.schema->num_fields(); ++i) {
    const std::string& name = table.names[static_cast<std::size_t>(i)];
    const arrow::DataType& type = *file.schema->field(i)->type();
    if (!contains(wanted, name)) continue;
    const bool is_image = name == image && holds_pictures(type);
    has_pictures |= is_image;
    if (is_image && !is_struct(type)) continue;
    fields.push_back(i);
    table.columns[name] = {};
  }
  if (fields.empty() && !file.rows) fields.push_back(file.schema->num_fields() - 1);
  if (!fields.empty()) {
    const auto batches = file.read(fields, Parts::without_bytes);
    while (const auto batch = next_batch(*batches, path)) {
      table.rows += batch->num_rows();
      add_batch(*batch, image, path, table);
    }
  }
  if (file.rows && !fields.empty() && table.rows != *file.rows) {
    refuse(path, arrow::Status::Invalid("has ", table.rows, " rows instead of ", *file.rows));
  }
  if (fields.empty()) table.rows = *file.rows;
  if (has_pictures) table.pictures = pictures_of(path, image, table.rows);
  return table;
}

}  // namespace

Table read_columns(const fs::path& path, const std::vector<std::string>& wanted,
                   const std::string& image) {
  return guarded(path, [&] { return read_wanted(path, wanted, image); });
}

std::unique_ptr<ContainedPictures> open_table_pictures(const fs::path& path,
                                                       const std::string& column) {
  return guarded(path, [&] {
    const ColumnFile file = open_columns(path);
    std::vector<int> fields;
    for (int i = 0; i < file.schema->num_fields(); ++i) {
      if (trimmed(file.schema->field(i)->name()) == column) fields.push_back(i);
    }
    return std::make_unique<TablePictures>(path, file.read(fields, Parts::all));
  });
}

}  // namespace diptych
