#include "data/table.h"

#include <arrow/api.h>
#include <arrow/csv/api.h>
#include <arrow/io/api.h>
#include <arrow/json/api.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;

std::string trimmed(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

[[noreturn]] void fail(const fs::path& path, const arrow::Status& status) {
  const bool missing = !fs::exists(path);
  throw Error(missing ? ErrorKind::not_found : ErrorKind::data, status.message(), path.string());
}

template <typename T>
T value_of(arrow::Result<T> result, const fs::path& path) {
  if (!result.ok()) fail(path, result.status());
  return std::move(result).ValueUnsafe();
}

std::shared_ptr<arrow::io::RandomAccessFile> open(const fs::path& path) {
  return value_of(arrow::io::ReadableFile::Open(path.string()), path);
}

// The largest block Arrow takes: a cell, quoted newlines and all, has to fit into one.
std::int32_t block_size(std::int64_t file_size) {
  constexpr std::int64_t kUsual = 8 << 20;
  constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max() / 2;
  return static_cast<std::int32_t>(std::clamp(file_size + 1, std::int64_t{1} << 16,
                                              file_size < 64 * kUsual ? kLargest : 64 * kUsual));
}

// The header's cells, by Arrow itself, so that every column can be declared to be binary.
std::vector<std::string> csv_header(const fs::path& path, char delimiter) {
  auto read = arrow::csv::ReadOptions::Defaults();
  read.block_size = 1 << 20;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.delimiter = delimiter;
  parse.newlines_in_values = true;
  parse.invalid_row_handler = [](const arrow::csv::InvalidRow&) {
    return arrow::csv::InvalidRowResult::Skip;
  };
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.check_utf8 = false;
  const auto file = open(path);
  if (value_of(file->GetSize(), path) == 0) {
    throw Error(ErrorKind::data, "the file is empty", path.string());
  }
  const std::int64_t size = value_of(file->GetSize(), path);
  read.block_size = block_size(size);
  const auto reader = value_of(
      arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), file, read, parse, convert),
      path);
  std::vector<std::string> names;
  for (const auto& field : reader->schema()->fields()) names.push_back(field->name());
  return names;
}

ArrowTable read_csv(const fs::path& path, char delimiter, const std::vector<std::string>& wanted) {
  const std::vector<std::string> header = csv_header(path, delimiter);
  auto read = arrow::csv::ReadOptions::Defaults();
  const auto file = open(path);
  read.block_size = block_size(value_of(file->GetSize(), path));
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.delimiter = delimiter;
  parse.newlines_in_values = true;
  // Arrow counts physical rows with the header as row 1; ours count data rows.
  std::string ragged;
  parse.invalid_row_handler = [&ragged](const arrow::csv::InvalidRow& row) {
    if (ragged.empty()) {
      ragged = fmt::format("row {} has {} cells instead of {}: {}", row.number - 1,
                           row.actual_columns, row.expected_columns, row.text.substr(0, 120));
    }
    return arrow::csv::InvalidRowResult::Skip;
  };
  read.use_threads = false;  // row numbers are known to the serial reader alone
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.check_utf8 = false;
  convert.strings_can_be_null = false;
  convert.quoted_strings_can_be_null = false;
  for (const std::string& name : header) {
    convert.column_types[name] = arrow::large_binary();
    if (std::find(wanted.begin(), wanted.end(), trimmed(name)) != wanted.end()) {
      convert.include_columns.push_back(name);
    }
  }
  if (convert.include_columns.empty()) convert.include_columns.push_back(header.front());
  const auto reader = value_of(
      arrow::csv::TableReader::Make(arrow::io::default_io_context(), file, read, parse, convert),
      path);
  const auto result = reader->Read();
  if (!ragged.empty()) {
    throw Error(ErrorKind::data, ragged, path.string(),
                "a cell that holds the delimiter or a line break must be quoted");
  }
  return value_of(result, path);
}

ArrowTable read_jsonl(const fs::path& path) {
  auto read = arrow::json::ReadOptions::Defaults();
  const auto file = open(path);
  read.block_size = block_size(value_of(file->GetSize(), path));
  const auto parse = arrow::json::ParseOptions::Defaults();
  const auto reader = value_of(
      arrow::json::TableReader::Make(arrow::default_memory_pool(), file, read, parse), path);
  return value_of(reader->Read(), path);
}

ArrowTable read_parquet(const fs::path& path, const std::vector<std::string>& wanted) {
  const auto reader =
      value_of(parquet::arrow::OpenFile(open(path), arrow::default_memory_pool()), path);
  std::shared_ptr<arrow::Schema> schema;
  if (const auto status = reader->GetSchema(&schema); !status.ok()) fail(path, status);
  std::vector<int> leaves;  // of flat columns; a nested one shifts the leaf numbers, so read all then
  bool flat = true;
  for (int i = 0; i < schema->num_fields(); ++i) {
    flat = flat && schema->field(i)->type()->num_fields() == 0;
    const std::string name = trimmed(schema->field(i)->name());
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) leaves.push_back(i);
  }
  ArrowTable table;
  const auto read = flat ? reader->ReadTable(leaves) : reader->ReadTable();
  table = value_of(read, path);
  if (const auto status = table->ValidateFull(); !status.ok()) fail(path, status);
  return table;
}

// One column as text; numbers and booleans in Arrow's own notation.
std::vector<std::string> text_column(const arrow::ChunkedArray& column, const std::string& name,
                                     const fs::path& path) {
  std::vector<std::string> cells;
  cells.reserve(static_cast<std::size_t>(column.length()));
  const auto add_binary = [&cells](const auto& array) {
    for (std::int64_t i = 0; i < array.length(); ++i) {
      cells.emplace_back(array.IsNull(i) ? std::string_view() : array.GetView(i));
    }
  };
  for (const auto& chunk : column.chunks()) {
    switch (chunk->type_id()) {
      case arrow::Type::LARGE_BINARY:
      case arrow::Type::LARGE_STRING:
        add_binary(static_cast<const arrow::LargeBinaryArray&>(*chunk));
        break;
      case arrow::Type::STRING: add_binary(static_cast<const arrow::BinaryArray&>(*chunk)); break;
      default:
        if (chunk->type()->num_fields() > 0 || chunk->type_id() == arrow::Type::BINARY) {
          throw Error(ErrorKind::data,
                      fmt::format("column '{}' holds {}, not text", name, chunk->type()->ToString()),
                      path.string(), "name a column of plain text or numbers");
        }
        for (std::int64_t i = 0; i < chunk->length(); ++i) {
          cells.push_back(chunk->IsNull(i) ? ""
                                           : value_of(chunk->GetScalar(i), path)->ToString());
        }
    }
  }
  return cells;
}

std::vector<std::string> all_names(const fs::path& path, const std::string& ending) {
  std::vector<std::string> names;
  if (ending == ".csv" || ending == ".tsv") {
    names = csv_header(path, ending == ".csv" ? ',' : '\t');
  } else if (ending == ".parquet") {
    const auto reader =
        value_of(parquet::arrow::OpenFile(open(path), arrow::default_memory_pool()), path);
    std::shared_ptr<arrow::Schema> schema;
    if (const auto status = reader->GetSchema(&schema); !status.ok()) fail(path, status);
    names = schema->field_names();
  }
  return names;
}

void refuse_repeated_names(std::vector<std::string> names, const fs::path& path) {
  std::sort(names.begin(), names.end());
  const auto repeated = std::adjacent_find(names.begin(), names.end());
  if (repeated != names.end()) {
    throw Error(ErrorKind::data, "two columns are named '" + *repeated + "'", path.string(),
                "give every column a name of its own");
  }
}

}  // namespace

Table read_table(const fs::path& path, const std::vector<std::string>& wanted) {
  if (!fs::exists(path)) throw Error(ErrorKind::not_found, "there is no such file", path.string());
  const std::string ending = path.extension().string();
  std::vector<std::string> names = all_names(path, ending);
  for (std::string& name : names) name = trimmed(name);
  refuse_repeated_names(names, path);
  ArrowTable arrow_table;
  if (ending == ".csv" || ending == ".tsv") {
    arrow_table = read_csv(path, ending == ".csv" ? ',' : '\t', wanted);
  } else if (ending == ".jsonl" || ending == ".ndjson") {
    arrow_table = read_jsonl(path);
  } else if (ending == ".parquet") {
    arrow_table = read_parquet(path, wanted);
  } else {
    throw Error(ErrorKind::data, "the ending '" + ending + "' is not of a table", path.string(),
                "tables are .csv, .tsv, .jsonl and .parquet");
  }
  Table table;
  table.rows = arrow_table->num_rows();
  for (int i = 0; i < arrow_table->num_columns(); ++i) {
    const std::string name = trimmed(arrow_table->field(i)->name());
    if (ending == ".jsonl" || ending == ".ndjson") names.push_back(name);
    if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    table.columns[name] = text_column(*arrow_table->column(i), name, path);
  }
  table.names = std::move(names);
  return table;
}

}  // namespace diptych
