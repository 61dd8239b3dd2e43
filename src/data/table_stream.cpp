#include "data/table_stream.h"

#include <arrow/csv/api.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "data/table_arrow.h"
#include "text/unicode.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

constexpr std::int32_t kCsvBlock = 8 << 20;    // a row has to fit into one
constexpr std::int64_t kMostRows = 1LL << 40;  // a footer may claim more than numbers can add up

void require(const arrow::Status& status, const fs::path& path) {
  if (!status.ok()) refuse(path, status);
}

// Texts whose bytes are UTF-8 as they are; others are rebuilt.
std::shared_ptr<arrow::Array> repaired(const std::shared_ptr<arrow::Array>& texts,
                                       const fs::path& path) {
  const auto bytes = value_of(texts->View(arrow::binary()), path);
  require(bytes->ValidateFull(), path);  // as text it would be refused for a single bad byte
  const auto& cells = static_cast<const arrow::BinaryArray&>(*bytes);
  const auto is_bad = [&](std::int64_t i) {
    return !cells.IsNull(i) && !is_valid_utf8(cells.GetView(i));
  };
  std::int64_t first = 0;
  while (first < cells.length() && !is_bad(first)) ++first;
  if (first == cells.length()) return texts;
  arrow::StringBuilder builder;
  for (std::int64_t i = 0; i < cells.length(); ++i) {
    require(cells.IsNull(i) ? builder.AppendNull() : builder.Append(repair_utf8(cells.GetView(i))),
            path);
  }
  return value_of(builder.Finish(), path);
}

}  // namespace

void require_columns(const arrow::Schema& schema, const std::vector<std::string>& columns,
                     const fs::path& path) {
  const auto names = schema.field_names();
  for (const std::string& column : columns) {
    const auto count = std::count(names.begin(), names.end(), column);
    if (count == 1) continue;
    if (count > 1) {
      throw Error(ErrorKind::data, "two columns are named '" + column + "'", path.string());
    }
    const std::string nearest = did_you_mean(column, names);
    throw Error(ErrorKind::data, fmt::format("there is no column '{}'", column), path.string(),
                fmt::format("{}{}columns: {}", nearest, nearest.empty() ? "" : " ",
                            fmt::join(names, ", ")));
  }
}

TableStream::TableStream(const fs::path& path, const std::vector<std::string>& columns)
    : path_(path) {
  std::error_code code;
  if (!fs::exists(path, code)) {
    throw Error(ErrorKind::not_found, "there is no such file", path.string());
  }
  const std::string ending = path.extension().string();
  if (ending == ".parquet") {
    guarded(path, [&] { open_columns(open_parquet(path), columns); });
  } else if (ending == ".arrow" || ending == ".feather") {
    guarded(path, [&] { open_columns(open_arrow(path), columns); });
  } else if (ending == ".csv" || ending == ".tsv") {
    open_csv(ending == ".csv" ? ',' : '\t', columns);
  } else {
    throw Error(ErrorKind::data, "the ending '" + ending + "' is not of a list", path.string(),
                "lists are .parquet, .arrow, .feather, .csv and .tsv");
  }
}

void TableStream::open_columns(const ColumnFile& file, const std::vector<std::string>& columns) {
  require_columns(*file.schema, columns, path_);
  std::vector<int> fields;
  for (int i = 0; i < file.schema->num_fields(); ++i) {
    const std::string& name = file.schema->field(i)->name();
    const bool is_wanted = std::find(columns.begin(), columns.end(), name) != columns.end();
    if (columns.empty() || is_wanted) fields.push_back(i);
  }
  rows_ = file.rows.value_or(-1);
  if (rows_ > kMostRows) refuse(path_, arrow::Status::Invalid("claims ", rows_, " rows"));
  read_from(file.read(fields, Parts::without_bytes));
}

void TableStream::read_from(const std::shared_ptr<arrow::RecordBatchReader>& reader) {
  schema_ = reader->schema();
  read_ = [path = path_, reader] {
    std::shared_ptr<arrow::RecordBatch> batch;
    require(reader->ReadNext(&batch), path);
    return batch;
  };
}

void TableStream::open_csv(char delimiter, const std::vector<std::string>& columns) {
  auto read = arrow::csv::ReadOptions::Defaults();
  read.use_threads = false;
  read.block_size = kCsvBlock;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.delimiter = delimiter;
  parse.newlines_in_values = true;
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.check_utf8 = false;
  convert.strings_can_be_null = false;
  const auto open = [&] {
    return value_of(arrow::csv::StreamingReader::Make(arrow::io::default_io_context(),
                                                      open_table(path_), read, parse, convert),
                    path_);
  };
  const auto guessed = open()->schema();  // its names are right; the types are declared
  require_columns(*guessed, columns, path_);
  convert.include_columns = columns;
  for (const auto& field : guessed->fields()) convert.column_types[field->name()] = arrow::utf8();
  read_from(open());
}

std::shared_ptr<arrow::RecordBatch> TableStream::next() {
  return guarded(path_, [&]() -> std::shared_ptr<arrow::RecordBatch> {
    const auto batch = read_();
    seen_ += batch ? batch->num_rows() : 0;
    if (!batch && rows_ >= 0 && seen_ != rows_) {
      refuse(path_, arrow::Status::Invalid("has ", seen_, " rows instead of ", rows_));
    }
    if (!batch) return nullptr;
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (int i = 0; i < batch->num_columns(); ++i) {
      const auto& column = batch->column(i);
      if (!schema_->field(i)->nullable() && column->null_count() > 0) {
        refuse(path_, arrow::Status::Invalid("column '", schema_->field(i)->name(),
                                             "' is declared without nulls and has some"));
      }
      const bool is_text = column->type_id() == arrow::Type::STRING;
      if (!is_text) require(column->ValidateFull(), path_);
      columns.push_back(is_text ? repaired(column, path_) : column);
    }
    return arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns));
  });
}

}  // namespace diptych
