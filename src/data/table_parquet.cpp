// Parquet by Arrow: the wanted columns alone, whatever stands beside them. A damaged file is
// refused. Pictures are read page by page, not row group by row group.
#include <arrow/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>

#include <numeric>

#include "base/error.h"
#include "data/table_arrow.h"
#include "data/table_formats.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

std::shared_ptr<parquet::arrow::FileReader> open_reader(const fs::path& path) {
  constexpr std::int64_t kPageBuffer = 1 << 20, kRows = 16;
  parquet::ReaderProperties pages;
  pages.enable_buffered_stream();
  pages.set_buffer_size(kPageBuffer);
  parquet::ArrowReaderProperties batches;
  batches.set_pre_buffer(false);
  batches.set_batch_size(kRows);
  parquet::arrow::FileReaderBuilder builder;
  if (const auto status = builder.Open(open_table(path), pages); !status.ok()) {
    refuse(path, status);
  }
  return value_of(builder.properties(batches)->Build(), path);
}

std::shared_ptr<arrow::Schema> schema_of(parquet::arrow::FileReader& reader, const fs::path& path) {
  std::shared_ptr<arrow::Schema> schema;
  if (const auto status = reader.GetSchema(&schema); !status.ok()) refuse(path, status);
  return schema;
}

void add_leaves(const parquet::arrow::SchemaField& field, PictureParts parts,
                std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) {
    if (parts == PictureParts::all || child.field->name() != "bytes") {
      add_leaves(child, parts, leaves);
    }
  }
}

std::vector<std::string> picture_names(const fs::path& path, const std::string& column) {
  const Batches batches = parquet_batches(path, column, PictureParts::names);
  std::vector<std::string> names;
  while (const auto array = next_array(batches, path)) {
    add_picture_names(*array, path, names);
  }
  return names;
}

Table read_columns(const fs::path& path, const std::vector<std::string>& wanted,
                   const std::string& image) {
  const auto reader = open_reader(path);
  const auto schema = schema_of(*reader, path);
  Table table;
  table.rows = reader->parquet_reader()->metadata()->num_rows();
  for (const auto& field : schema->fields()) table.names.push_back(trimmed(field->name()));
  refuse_repeated_names(table.names, wanted, path);
  const auto require_rows = [&](const std::string& name, std::int64_t rows) {
    if (rows == table.rows) return;
    refuse(path, arrow::Status::Invalid("column '", name, "' has ", rows, " rows instead of ",
                                        table.rows));
  };
  for (int i = 0; i < schema->num_fields(); ++i) {
    const std::string& name = table.names[static_cast<std::size_t>(i)];
    if (!contains(wanted, name)) continue;
    const auto& type = *schema->field(i)->type();
    if (name == image && holds_pictures(type)) {
      table.pictures = pictures_of(path, name, table.rows);
      if (type.id() != arrow::Type::STRUCT) continue;
      auto& names = table.columns[name] = picture_names(path, name);
      require_rows(name, std::ssize(names));
      continue;
    }
    std::shared_ptr<arrow::ChunkedArray> column;
    if (const auto status = reader->ReadColumn(i, &column); !status.ok()) refuse(path, status);
    require_rows(name, column->length());
    table.columns[name] = text_column(*column, name, path);
  }
  return table;
}

}  // namespace

Batches parquet_batches(const fs::path& path, const std::string& column, PictureParts parts) {
  return guarded(path, [&] {
    const auto reader = open_reader(path);
    std::vector<int> leaves, groups(static_cast<std::size_t>(reader->num_row_groups()));
    std::iota(groups.begin(), groups.end(), 0);
    for (const auto& field : reader->manifest().schema_fields) {
      if (trimmed(field.field->name()) == column) add_leaves(field, parts, leaves);
    }
    return Batches{reader, value_of(reader->GetRecordBatchReader(groups, leaves), path)};
  });
}

Table read_parquet(const fs::path& path, const std::vector<std::string>& wanted,
                   const std::string& image) {
  return guarded(path, [&] { return read_columns(path, wanted, image); });
}

}  // namespace diptych
