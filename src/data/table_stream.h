// Large tables (Parquet, Arrow, CSV, TSV) batch by batch, by Arrow, in the order of their rows:
// memory does not grow with them. Cells of CSV are texts, never guessed to be anything else.
#pragma once
#include <arrow/api.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/table_arrow.h"

namespace diptych {

class TableStream {
 public:
  // columns: those to read; empty: all. Throws Error{not_found, io, data}: a missing column names
  // those that are there.
  explicit TableStream(const std::filesystem::path& path,
                       const std::vector<std::string>& columns = {});

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  std::int64_t rows() const { return rows_; }  // -1: not known without reading them

  // The next rows; null after the last. Validated in full; texts are repaired to be UTF-8. Throws
  // Error{data}.
  std::shared_ptr<arrow::RecordBatch> next();

 private:
  void open_columns(const ColumnFile& file, const std::vector<std::string>& columns);
  void open_csv(char delimiter, const std::vector<std::string>& columns);
  void read_from(const std::shared_ptr<arrow::RecordBatchReader>& reader);

  std::filesystem::path path_;
  std::shared_ptr<arrow::Schema> schema_;
  std::int64_t rows_ = -1, seen_ = 0;
  std::function<std::shared_ptr<arrow::RecordBatch>()> read_;
};

// Throws Error{data} that names the columns there are, and the nearest, when one is missing.
void require_columns(const arrow::Schema& schema, const std::vector<std::string>& columns,
                     const std::filesystem::path& path);

}  // namespace diptych
