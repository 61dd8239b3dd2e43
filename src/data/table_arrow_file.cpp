// Arrow's own files (Feather version 2, IPC files, IPC streams as Hugging Face's cache has them):
// one record batch in memory at a time.
#include <arrow/api.h>
#include <arrow/ipc/api.h>

#include "base/error.h"
#include "data/table_arrow.h"
#include "data/table_formats.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFileMagic = "ARROW1", kFeatherMagic = "FEA1";

// A file's batches one after the other, as a stream has them.
class FileBatches : public arrow::RecordBatchReader {
 public:
  explicit FileBatches(std::shared_ptr<arrow::ipc::RecordBatchFileReader> file)
      : file_(std::move(file)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return file_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    if (next_ == file_->num_record_batches()) return arrow::Status::OK();
    return file_->ReadRecordBatch(next_++).Value(batch);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  int next_ = 0;
};

// fields: of the schema; empty: all.
std::shared_ptr<arrow::RecordBatchReader> open_batches(const fs::path& path,
                                                       const std::vector<int>& fields) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.included_fields = fields;
  options.use_threads = false;
  const auto file = open_table(path);
  const std::string magic = value_of(file->Read(kFileMagic.size()), path)->ToString();
  if (const auto status = file->Seek(0); !status.ok()) refuse(path, status);
  if (magic.starts_with(kFeatherMagic)) {
    throw Error(ErrorKind::data, "is Feather of version 1, which is not read", path.string(),
                "write it anew with a later library: version 2 is Arrow's own format");
  }
  if (magic == kFileMagic) {
    return std::make_shared<FileBatches>(
        value_of(arrow::ipc::RecordBatchFileReader::Open(file, options), path));
  }
  return value_of(arrow::ipc::RecordBatchStreamReader::Open(file, options), path);
}

std::shared_ptr<arrow::RecordBatch> next_batch(arrow::RecordBatchReader& reader,
                                               const fs::path& path) {
  return value_of(reader.Next(), path);
}

// Which fields have the wanted names; where a column of bytes alone would be read only to count its
// rows, another one is taken.
std::vector<int> fields_of(const arrow::Schema& schema, const std::vector<std::string>& wanted,
                           const std::string& image) {
  std::vector<int> fields;
  int narrow = 0;
  for (int i = 0; i < schema.num_fields(); ++i) {
    const auto& field = *schema.field(i);
    const bool bytes = holds_pictures(*field.type()) && field.type()->id() != arrow::Type::STRUCT;
    if (!bytes) narrow = i;
    if (bytes && trimmed(field.name()) == image) continue;
    if (contains(wanted, trimmed(field.name()))) fields.push_back(i);
  }
  if (fields.empty() && schema.num_fields() > 0) fields.push_back(narrow);
  return fields;
}

void add_batch(const arrow::RecordBatch& batch, const std::string& image, const fs::path& path,
               Table& table) {
  table.rows += batch.num_rows();
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto array = batch.column(i);
    const auto found = table.columns.find(trimmed(batch.column_name(i)));
    if (found == table.columns.end()) continue;
    auto& [name, cells] = *found;
    if (name == image && holds_pictures(*array->type())) {
      add_picture_names(*array, path, cells);
      continue;
    }
    for (std::string& cell : text_column(arrow::ChunkedArray(array), name, path)) {
      cells.push_back(std::move(cell));
    }
  }
}

Table read_columns(const fs::path& path, const std::vector<std::string>& wanted,
                   const std::string& image) {
  const auto schema = open_batches(path, {})->schema();
  Table table;
  for (const auto& field : schema->fields()) table.names.push_back(trimmed(field->name()));
  refuse_repeated_names(table.names, wanted, path);
  const std::vector<int> fields = fields_of(*schema, wanted, image);
  for (int i : fields) {
    const std::string& name = table.names[static_cast<std::size_t>(i)];
    if (contains(wanted, name)) table.columns[name] = {};
  }
  const auto reader = open_batches(path, fields);
  while (const auto batch = next_batch(*reader, path)) add_batch(*batch, image, path, table);
  for (const auto& field : schema->fields()) {
    if (trimmed(field->name()) != image || !holds_pictures(*field->type())) continue;
    table.pictures = pictures_of(path, image, table.rows);
  }
  return table;
}

}  // namespace

Batches arrow_batches(const fs::path& path, const std::string& column) {
  return guarded(path, [&] {
    const auto schema = open_batches(path, {})->schema();
    std::vector<int> fields;
    for (int i = 0; i < schema->num_fields(); ++i) {
      if (trimmed(schema->field(i)->name()) == column) fields.push_back(i);
    }
    return Batches{nullptr, open_batches(path, fields)};
  });
}

Table read_arrow(const fs::path& path, const std::vector<std::string>& wanted,
                 const std::string& image) {
  return guarded(path, [&] { return read_columns(path, wanted, image); });
}

}  // namespace diptych
