// What the readers by Arrow share: errors, opening, columns as text.
#pragma once
#include <arrow/api.h>
#include <arrow/io/api.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/example.h"

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

// One column as text, each chunk validated in full first. Lists are joined by kListSeparator.
// Throws Error{data} for a column that holds neither text nor numbers nor lists of them.
std::vector<std::string> text_column(const arrow::ChunkedArray& column, const std::string& name,
                                     const std::filesystem::path& path);

// A column of bytes, or of Hugging Face's {bytes, path}.
bool holds_pictures(const arrow::DataType& type);

// The pictures of a file with so many rows: what Table::pictures holds.
std::vector<ImageSource> pictures_of(const std::filesystem::path& path, const std::string& column,
                                     std::int64_t rows);

// Of {bytes, path}: the paths, empty where there is none.
void add_picture_names(const arrow::Array& array, const std::filesystem::path& path,
                       std::vector<std::string>& names);

// What reads a file's batches, and the file that must outlive the reading.
struct Batches {
  std::shared_ptr<void> file;
  std::shared_ptr<arrow::RecordBatchReader> reader;
};

enum class PictureParts { all, names };  // of {bytes, path}: both, or the path alone

// One column of pictures, a few rows at a time.
Batches parquet_batches(const std::filesystem::path& path, const std::string& column,
                        PictureParts parts);
Batches arrow_batches(const std::filesystem::path& path, const std::string& column);

// The next batch's column; null at the end. Throws Error{data}.
std::shared_ptr<arrow::Array> next_array(const Batches& batches, const std::filesystem::path& path);

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
