#include "data/table_arrow.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "data/table.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

using ArrayPointer = std::shared_ptr<arrow::Array>;
using Cells = TextColumn;

// Text as plain bytes: what is not UTF-8 is for the dataset to repair and name.
template <typename Array>
void add_bytes(const ArrayPointer& text, const std::shared_ptr<arrow::DataType>& bytes,
               const fs::path& path, Cells& cells) {
  const ArrayPointer view = value_of(text->View(bytes), path);
  validate(*view, path);
  const auto& array = static_cast<const Array&>(*view);
  for (std::int64_t i = 0; i < array.length(); ++i) {
    cells.push_back(array.IsNull(i) ? std::string_view() : std::string_view(array.GetView(i)));
  }
}

template <typename Array>
void add_floats(const ArrayPointer& chunk, Cells& cells) {
  const auto& array = static_cast<const Array&>(*chunk);
  for (std::int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i) || std::isnan(array.Value(i))) {
      cells.share({});
      continue;
    }
    std::string text = fmt::format("{}", array.Value(i));
    if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
    cells.push_back(text);
  }
}

void add_scalars(const ArrayPointer& chunk, const fs::path& path, Cells& cells) {
  for (std::int64_t i = 0; i < chunk->length(); ++i) {
    cells.push_back(chunk->IsNull(i) ? "" : value_of(chunk->GetScalar(i), path)->ToString());
  }
}

void add_dictionary(const ArrayPointer& chunk, const std::string& name, const fs::path& path,
                    Cells& cells) {
  const auto& array = static_cast<const arrow::DictionaryArray&>(*chunk);
  validate(*array.indices(), path);
  Cells words;
  add_cells(array.dictionary(), name, path, words);
  for (std::int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) {
      cells.share({});
      continue;
    }
    const std::int64_t index = array.GetValueIndex(i);
    if (index < 0 || index >= static_cast<std::int64_t>(words.size())) {
      refuse(path, arrow::Status::Invalid("the dictionary of column '", name, "' is too short"));
    }
    cells.share(words[static_cast<std::size_t>(index)]);
  }
  cells.keep(words);
}

template <typename Array>
void add_lists(const ArrayPointer& chunk, const std::string& name, const fs::path& path,
               Cells& cells) {
  validate(*chunk, path);
  const auto& array = static_cast<const Array&>(*chunk);
  Cells items;
  add_cells(array.values(), name, path, items);
  for (std::int64_t i = 0; i < array.length(); ++i) {
    std::string cell;
    const auto begin = array.value_offset(i), end = array.value_offset(i + 1);
    for (auto at = begin; at < end && !array.IsNull(i); ++at) {
      if (at > begin) cell += kListSeparator;
      cell += items[static_cast<std::size_t>(at)];
    }
    cells.push_back(cell);
  }
}

}  // namespace

void add_cells(const ArrayPointer& chunk, const std::string& name, const fs::path& path,
               Cells& cells) {
  const arrow::Type::type type = chunk->type_id();
  if (type == arrow::Type::STRING) {
    add_bytes<arrow::BinaryArray>(chunk, arrow::binary(), path, cells);
  } else if (type == arrow::Type::LARGE_STRING || type == arrow::Type::LARGE_BINARY) {
    add_bytes<arrow::LargeBinaryArray>(chunk, arrow::large_binary(), path, cells);
  } else if (type == arrow::Type::STRING_VIEW) {
    add_bytes<arrow::BinaryViewArray>(chunk, arrow::binary_view(), path, cells);
  } else if (type == arrow::Type::DICTIONARY) {
    add_dictionary(chunk, name, path, cells);
  } else if (type == arrow::Type::DOUBLE) {
    validate(*chunk, path);
    add_floats<arrow::DoubleArray>(chunk, cells);
  } else if (type == arrow::Type::FLOAT) {
    validate(*chunk, path);
    add_floats<arrow::FloatArray>(chunk, cells);
  } else if (type == arrow::Type::LIST) {
    add_lists<arrow::ListArray>(chunk, name, path, cells);
  } else if (type == arrow::Type::LARGE_LIST) {
    add_lists<arrow::LargeListArray>(chunk, name, path, cells);
  } else if (arrow::is_primitive(type) || arrow::is_decimal(type) || type == arrow::Type::NA) {
    validate(*chunk, path);
    add_scalars(chunk, path, cells);
  } else {
    throw Error(ErrorKind::data,
                fmt::format("column '{}' holds {}, not text", name, chunk->type()->ToString()),
                path.string(), "name a column of plain text or numbers");
  }
}

void refuse(const fs::path& path, const arrow::Status& status) {
  throw Error(ErrorKind::data, status.message(), path.string());
}

void validate(const arrow::Array& array, const fs::path& path) {
  if (const auto status = array.ValidateFull(); !status.ok()) refuse(path, status);
}

std::shared_ptr<arrow::io::RandomAccessFile> open_table(const fs::path& path) {
  auto opened = arrow::io::ReadableFile::Open(path.string());
  if (!opened.ok()) {
    throw Error(ErrorKind::io, opened.status().message(), path.string(),
                "check that the file may be read");
  }
  auto file = std::move(opened).ValueUnsafe();
  if (value_of(file->GetSize(), path) == 0) {
    throw Error(ErrorKind::data, "the file is empty", path.string());
  }
  return file;
}

}  // namespace diptych
