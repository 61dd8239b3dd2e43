// Parquet by Arrow: the wanted columns alone, whatever stands beside them, page by page where they
// are pictures. A damaged file is refused.
#include <arrow/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>

#include <numeric>

#include "data/table_arrow.h"

namespace diptych {
namespace {

std::shared_ptr<parquet::arrow::FileReader> open_reader(const std::filesystem::path& path) {
  constexpr std::int64_t kPageBuffer = 1 << 20;
  parquet::ReaderProperties pages;
  pages.enable_buffered_stream();
  pages.set_buffer_size(kPageBuffer);
  parquet::ArrowReaderProperties batches;
  batches.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  if (const auto status = builder.Open(open_table(path), pages); !status.ok()) {
    refuse(path, status);
  }
  return value_of(builder.properties(batches)->Build(), path);
}

void add_leaves(const parquet::arrow::SchemaField& field, Parts parts, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) {
    if (parts == Parts::all || child.field->name() != "bytes") add_leaves(child, parts, leaves);
  }
}

}  // namespace

ColumnFile open_parquet(const std::filesystem::path& path) {
  constexpr std::int64_t kRows = 1 << 14, kPictures = 16;  // at a time
  const auto reader = open_reader(path);
  ColumnFile file;
  if (const auto status = reader->GetSchema(&file.schema); !status.ok()) refuse(path, status);
  file.rows = reader->parquet_reader()->metadata()->num_rows();
  file.read = [reader, path](const std::vector<int>& fields, Parts parts) {
    std::vector<int> leaves, groups(static_cast<std::size_t>(reader->num_row_groups()));
    std::iota(groups.begin(), groups.end(), 0);
    for (int field : fields) {
      const auto& known = reader->manifest().schema_fields;
      add_leaves(known.at(static_cast<std::size_t>(field)), parts, leaves);
    }
    reader->set_batch_size(parts == Parts::all ? kPictures : kRows);
    auto batches = value_of(reader->GetRecordBatchReader(groups, leaves), path);
    const auto end = [reader](arrow::RecordBatchReader* ended) { delete ended; };  // outlived by it
    return std::shared_ptr<arrow::RecordBatchReader>(batches.release(), end);
  };
  return file;
}

}  // namespace diptych
