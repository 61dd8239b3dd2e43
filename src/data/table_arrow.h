// What the readers by Arrow share: errors, opening, columns as text.
#pragma once
#include <arrow/api.h>
#include <arrow/io/api.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace diptych {

[[noreturn]] void refuse(const std::filesystem::path& path, const arrow::Status& status);

template <typename T>
T value_of(arrow::Result<T> result, const std::filesystem::path& path) {
  if (!result.ok()) refuse(path, result.status());
  return std::move(result).ValueUnsafe();
}

// Throws Error{io} when the file cannot be opened, Error{data} when it is empty.
std::shared_ptr<arrow::io::RandomAccessFile> open_table(const std::filesystem::path& path);

// One column as text, each chunk validated in full first. Throws Error{data} for a column that
// holds neither text nor numbers.
std::vector<std::string> text_column(const arrow::ChunkedArray& column, const std::string& name,
                                     const std::filesystem::path& path);

}  // namespace diptych
