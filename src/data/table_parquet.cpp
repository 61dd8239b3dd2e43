// Parquet by Arrow: the wanted columns alone, whatever stands beside them. A damaged file is
// refused.
#include <arrow/api.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>

#include "base/error.h"
#include "data/table_arrow.h"
#include "data/table_formats.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

Table read_columns(const fs::path& path, const std::vector<std::string>& wanted) {
  const auto reader =
      value_of(parquet::arrow::OpenFile(open_table(path), arrow::default_memory_pool()), path);
  std::shared_ptr<arrow::Schema> schema;
  if (const auto status = reader->GetSchema(&schema); !status.ok()) refuse(path, status);
  Table table;
  table.rows = reader->parquet_reader()->metadata()->num_rows();
  for (const auto& field : schema->fields()) table.names.push_back(trimmed(field->name()));
  refuse_repeated_names(table.names, wanted, path);
  for (int i = 0; i < schema->num_fields(); ++i) {
    const std::string& name = table.names[static_cast<std::size_t>(i)];
    if (!contains(wanted, name)) continue;
    std::shared_ptr<arrow::ChunkedArray> column;
    if (const auto status = reader->ReadColumn(i, &column); !status.ok()) refuse(path, status);
    if (column->length() != table.rows) {
      refuse(path, arrow::Status::Invalid("column '", name, "' has ", column->length(),
                                          " rows instead of ", table.rows));
    }
    table.columns[name] = text_column(*column, name, path);
  }
  return table;
}

}  // namespace

Table read_parquet(const fs::path& path, const std::vector<std::string>& wanted) {
  try {
    return read_columns(path, wanted);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // Parquet's own, and sizes that no memory holds
    throw Error(ErrorKind::data, fmt::format("cannot be read as Parquet: {}", error.what()),
                path.string());
  }
}

}  // namespace diptych
