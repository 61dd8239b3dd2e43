// For tests: a folder of its own for each test, the same rows written in every format, errors
// caught.
#pragma once
#include <arrow/api.h>
#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/unprivileged.h"

namespace diptych {

class FolderTest : public testing::Test {
 protected:
  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("data_test_" + std::to_string(::getpid()));
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    write_file(folder_ / name, bytes);
    return folder_ / name;
  }
};

template <typename Run>
Error error_of(const Run& run) {
  try {
    run();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorKind::internal, "none");
}

using Cells = std::vector<std::string>;  // a row of them, or a column

inline std::string as_delimited(const Cells& names, const std::vector<Cells>& rows,
                                char delimiter) {
  std::string text;
  const auto add = [&](const Cells& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += i ? std::string(1, delimiter) + "\"" : "\"";
      for (char c : row[i]) text += c == '"' ? "\"\"" : std::string(1, c);
      text += '"';
    }
    text += '\n';
  };
  add(names);
  for (const Cells& row : rows) add(row);
  return text;
}

inline std::string as_jsonl(const Cells& names, const std::vector<Cells>& rows) {
  std::string text;
  for (const Cells& row : rows) {
    nlohmann::json object;
    for (std::size_t i = 0; i < row.size(); ++i) object[names[i]] = row[i];
    text += object.dump() + "\n";
  }
  return text;
}

inline std::string parquet_bytes(const arrow::Table& table, std::int64_t rows_a_group = 1 << 20) {
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  const auto status =
      parquet::arrow::WriteTable(table, arrow::default_memory_pool(), sink, rows_a_group,
                                 parquet::default_writer_properties(), properties);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return sink->Finish().ValueOrDie()->ToString();
}

// Parquet of three rows and one group, whose footer is made to claim another number, twice.
inline std::string claiming_rows(std::string parquet, std::uint64_t rows) {
  constexpr std::size_t kTail = 8;  // the footer's length and the magic
  const auto footer = [&] {
    std::uint32_t length = 0;
    std::memcpy(&length, parquet.data() + parquet.size() - kTail, sizeof length);
    return parquet.size() - kTail - length;
  }();
  std::string number;  // Thrift's: zigzag, seven bits a byte
  for (rows *= 2; rows >= 0x80; rows >>= 7) number += static_cast<char>(rows | 0x80);
  number += static_cast<char>(rows);
  for (const char* field : {"\x16\x06\x19\x1c", "\x16\x06"}) {  // of the file, of its group
    const auto at = parquet.rfind(field);
    EXPECT_TRUE(at != std::string::npos && at > footer);
    parquet.replace(at + 1, 1, number);
  }
  const auto length = static_cast<std::uint32_t>(parquet.size() - kTail - footer);
  std::memcpy(parquet.data() + parquet.size() - kTail, &length, sizeof length);
  return parquet;
}

enum class Ipc { file, stream };

inline std::string arrow_bytes(const arrow::Table& table, Ipc kind, std::int64_t rows_a_batch = 3) {
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto writer = (kind == Ipc::file ? arrow::ipc::MakeFileWriter(sink, table.schema())
                                         : arrow::ipc::MakeStreamWriter(sink, table.schema()))
                          .ValueOrDie();
  EXPECT_TRUE(writer->WriteTable(table, rows_a_batch).ok() && writer->Close().ok());
  return sink->Finish().ValueOrDie()->ToString();
}

// A column of Builder's type; Append is called with each value.
template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> column_of(const std::vector<Value>& values) {
  Builder builder;
  for (const Value& value : values) EXPECT_TRUE(builder.Append(value).ok());
  return builder.Finish().ValueOrDie();
}

using Columns = std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>;

inline std::shared_ptr<arrow::Table> table_of(const Columns& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

inline std::string parquet_of(const Columns& columns) { return parquet_bytes(*table_of(columns)); }

inline Columns text_columns(const Cells& names, const std::vector<Cells>& rows) {
  Columns columns;
  for (std::size_t i = 0; i < names.size(); ++i) {
    Cells column;
    for (const Cells& row : rows) column.push_back(row[i]);
    columns.emplace_back(names[i], column_of<arrow::StringBuilder>(column));
  }
  return columns;
}

// By the file's ending.
inline std::string as_table(const std::string& ending, const Cells& names,
                            const std::vector<Cells>& rows) {
  if (ending == ".csv") return as_delimited(names, rows, ',');
  if (ending == ".tsv") return as_delimited(names, rows, '\t');
  if (ending == ".parquet") return parquet_of(text_columns(names, rows));
  if (ending == ".arrow") return arrow_bytes(*table_of(text_columns(names, rows)), Ipc::stream);
  if (ending == ".feather") return arrow_bytes(*table_of(text_columns(names, rows)), Ipc::file);
  return as_jsonl(names, rows);
}

}  // namespace diptych
