// What the readers by Arrow share: errors, opening, columns as text.
#pragma once
#include <arrow/api.h>
#include <arrow/io/api.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text_column.h"

namespace diptych {

[[noreturn]] void refuse(const std::filesystem::path& path, const arrow::Status& status);

template <typename T>
T value_of(arrow::Result<T> result, const std::filesystem::path& path) {
  if (!result.ok()) refuse(path, result.status());
  return std::move(result).ValueUnsafe();
}

// In full: what an untrusted file holds may point outside itself.
void validate(const arrow::Array& array, const std::filesystem::path& path);

// Throws Error{io} when the file cannot be opened, Error{data} when it is empty.
std::shared_ptr<arrow::io::RandomAccessFile> open_table(const std::filesystem::path& path);

// Appends a column's cells as text, validated in full first; of text the array is kept, not copied.
// Lists are joined by kListSeparator.
// Throws Error{data} for what is neither text nor numbers nor lists of them.
void add_cells(const std::shared_ptr<arrow::Array>& array, const std::string& name,
               const std::filesystem::path& path, TextColumn& cells);

enum class Parts { all, without_bytes };  // of {bytes, path}

// A file of columns. Arrow counts no rows beforehand, and reads a struct whole.
struct ColumnFile {
  std::shared_ptr<arrow::Schema> schema;
  std::optional<std::int64_t> rows;
  std::function<std::shared_ptr<arrow::RecordBatchReader>(const std::vector<int>& fields, Parts)>
      read;
};
ColumnFile open_parquet(const std::filesystem::path& path);
ColumnFile open_arrow(const std::filesystem::path& path);

// Runs a reading by Parquet, whose own exceptions become Error{data}.
template <typename Read>
auto guarded(const std::filesystem::path& path, const Read& read) {
  try {
    return read();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // Parquet's own, and sizes that no memory holds
    throw Error(ErrorKind::data, std::string("cannot be read as Parquet or Arrow: ") + error.what(),
                path.string());
  }
}

}  // namespace diptych
