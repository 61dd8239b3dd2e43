// CSV and TSV (RFC 4180; line breaks inside quotes) by Arrow, after one pass of our own for what
// Arrow does not tell: the header's bytes, and whether a quote is left open.
#include <arrow/api.h>
#include <arrow/csv/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "base/error.h"
#include "data/table_arrow.h"
#include "data/table_formats.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

// Follows the quotes as Arrow does: one opens at the start of a cell, a double one is a character.
class QuoteScanner {
 public:
  explicit QuoteScanner(char delimiter) : delimiter_(delimiter) {}

  void read(char c) {
    const bool breaks = c == '\n' || c == '\r';
    if (quoted_) {
      quoted_ = c != '"';
      closed_ = !quoted_;
      return;
    }
    if (c == '"' && (cell_starts_ || closed_)) {
      if (cell_starts_) opened_in_ = rows_;
      quoted_ = true;
    }
    if (breaks && !row_starts_) ++rows_;
    row_starts_ = breaks;
    cell_starts_ = breaks || c == delimiter_;
    closed_ = false;
  }
  bool quoted() const { return quoted_; }
  bool row_starts() const { return row_starts_; }
  std::int64_t rows() const { return rows_; }            // that have ended, the header among them
  std::int64_t opened_in() const { return opened_in_; }  // the row of the last quote; 0: the header

 private:
  char delimiter_;
  bool quoted_ = false, closed_ = false, cell_starts_ = true, row_starts_ = true;
  std::int64_t rows_ = 0, opened_in_ = 0;
};

struct Scan {
  std::string header;  // the bytes of the first row
  bool has_rows = false;
  std::int64_t longest = 0;  // bytes of a row
};

// Throws Error{data} for a quote that is never closed: without this the rest of the file would
// silently be one cell.
Scan scan(const fs::path& path, char delimiter) {
  std::ifstream file(path, std::ios::binary);
  QuoteScanner scanner(delimiter);
  Scan result;
  std::array<char, 1 << 16> buffer;
  bool first = true;
  std::int64_t rows = 0, length = 0;
  while (file.read(buffer.data(), buffer.size()), file.gcount() > 0) {
    std::string_view part(buffer.data(), static_cast<std::size_t>(file.gcount()));
    if (std::exchange(first, false) && part.starts_with("\xef\xbb\xbf")) part.remove_prefix(3);
    for (char c : part) {
      if (scanner.rows() == 0) result.header += c;
      scanner.read(c);
      ++length;
      if (scanner.rows() == rows) continue;
      result.longest = std::max(result.longest, std::exchange(length, 0));
      rows = scanner.rows();
    }
  }
  result.longest = std::max(result.longest, length);
  if (scanner.quoted()) {
    throw Error(
        ErrorKind::data,
        scanner.opened_in() == 0
            ? "a quote in the header is never closed"
            : fmt::format("the quote that opens in row {} is never closed", scanner.opened_in()),
        path.string(), "a cell that holds a quote must be quoted, and its quotes doubled");
  }
  result.has_rows = scanner.rows() > 1 || (scanner.rows() == 1 && !scanner.row_starts());
  return result;
}

// A file whose reads never end between CR and LF: Arrow drops an LF that starts a block, which
// belongs to the cell when the break is quoted.
class WholeBreaks : public arrow::io::InputStream {
 public:
  explicit WholeBreaks(std::shared_ptr<arrow::io::RandomAccessFile> file)
      : file_(std::move(file)) {}

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, file_->ReadAt(at_, bytes));
    const std::int64_t size = buffer->size();
    if (size > 1 && buffer->data()[size - 1] == '\r') {
      buffer = arrow::SliceBuffer(buffer, 0, size - 1);
    }
    at_ += buffer->size();
    return buffer;
  }
  arrow::Result<std::int64_t> Read(std::int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const auto buffer, Read(bytes));
    std::memcpy(out, buffer->data(), static_cast<std::size_t>(buffer->size()));
    return buffer->size();
  }
  arrow::Result<std::int64_t> Tell() const override { return at_; }
  arrow::Status Close() override { return file_->Close(); }
  bool closed() const override { return file_->closed(); }

 private:
  std::shared_ptr<arrow::io::RandomAccessFile> file_;
  std::int64_t at_ = 0;
};

arrow::csv::ParseOptions parse_options(char delimiter) {
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.delimiter = delimiter;
  parse.newlines_in_values = true;
  return parse;
}

// The header's cells, by Arrow itself, so that every wanted column can be declared to be binary.
std::vector<std::string> header_cells(const std::string& bytes, const fs::path& path,
                                      char delimiter) {
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.check_utf8 = false;
  const auto row =
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes + "\n"));
  const auto reader =
      value_of(arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), row,
                                                 arrow::csv::ReadOptions::Defaults(),
                                                 parse_options(delimiter), convert),
               path);
  return reader->schema()->field_names();
}

arrow::csv::ConvertOptions convert_options(const std::vector<std::string>& header,
                                           const std::vector<std::string>& wanted) {
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.check_utf8 = false;
  convert.strings_can_be_null = false;
  convert.quoted_strings_can_be_null = false;
  for (const std::string& name : header) {
    if (contains(wanted, trimmed(name))) convert.include_columns.push_back(name);
  }
  if (convert.include_columns.empty()) convert.include_columns.push_back(header.front());
  for (const std::string& name : convert.include_columns) {
    convert.column_types[name] = arrow::large_binary();
  }
  return convert;
}

// Block by block into the table's columns.
void read_cells(const fs::path& path, char delimiter, const arrow::csv::ConvertOptions& convert,
                std::int32_t block_bytes, Table& table) {
  auto read = arrow::csv::ReadOptions::Defaults();
  read.block_size = block_bytes;
  read.use_threads = false;  // row numbers are known to the serial reader alone
  auto parse = parse_options(delimiter);
  // Arrow counts rows with the header as row 1; ours count data rows.
  std::string ragged;
  parse.invalid_row_handler = [&ragged](const arrow::csv::InvalidRow& row) {
    if (ragged.empty()) {
      ragged = fmt::format("row {} has {} cells instead of {}: {}", row.number - 1,
                           row.actual_columns, row.expected_columns, row.text.substr(0, 120));
    }
    return arrow::csv::InvalidRowResult::Skip;
  };
  const auto read_all = [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::csv::StreamingReader::Make(
                                                 arrow::io::default_io_context(),
                                                 std::make_shared<WholeBreaks>(open_table(path)),
                                                 read, parse, convert));
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const auto block, reader->Next());
      if (!block || !ragged.empty()) return arrow::Status::OK();
      table.rows += block->num_rows();
      for (int i = 0; i < block->num_columns(); ++i) {
        const auto column = table.columns.find(trimmed(block->column_name(i)));
        if (column == table.columns.end()) continue;  // read for its number of rows
        add_cells(block->column(i), column->first, path, column->second);
      }
    }
  };
  const arrow::Status status = read_all();
  if (!ragged.empty()) {
    throw Error(ErrorKind::data, ragged, path.string(),
                "a cell that holds the delimiter or a line break must be quoted");
  }
  if (!status.ok()) refuse(path, status);
}

}  // namespace

Table read_csv(const fs::path& path, char delimiter, const std::vector<std::string>& wanted,
               std::int32_t block_bytes) {
  open_table(path);  // refuses what cannot be read, or is empty
  const Scan scanned = scan(path, delimiter);
  const std::vector<std::string> header = header_cells(scanned.header, path, delimiter);
  Table table;
  for (const std::string& name : header) table.names.push_back(trimmed(name));
  refuse_repeated_names(table.names, wanted, path);
  for (const std::string& name : table.names) {
    if (contains(wanted, name)) table.columns[name] = {};
  }
  if (!scanned.has_rows) return table;  // which Arrow takes for a file without columns
  // Two blocks are in memory at a time, and each has to hold a row.
  constexpr std::int64_t kUsual = 1 << 20, kSlack = 1024;
  const auto block =
      std::min<std::int64_t>(std::max(kUsual, scanned.longest + kSlack), block_bytes);
  read_cells(path, delimiter, convert_options(header, wanted), static_cast<std::int32_t>(block),
             table);
  return table;
}

}  // namespace diptych
