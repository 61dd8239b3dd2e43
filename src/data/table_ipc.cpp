// Arrow's own files: IPC files (Feather version 2) and IPC streams, as Hugging Face saves them. One
// record batch is in memory at a time.
#include <arrow/api.h>
#include <arrow/ipc/api.h>

#include "data/table_arrow.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

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
  constexpr std::string_view kFileMagic = "ARROW1", kFeatherMagic = "FEA1";
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
  if (magic != kFileMagic) {
    return value_of(arrow::ipc::RecordBatchStreamReader::Open(file, options), path);
  }
  return std::make_shared<FileBatches>(
      value_of(arrow::ipc::RecordBatchFileReader::Open(file, options), path));
}

}  // namespace

ColumnFile open_arrow(const fs::path& path) {
  const auto read = [path](const std::vector<int>& fields, Parts) {
    return open_batches(path, fields);
  };
  return {open_batches(path, {})->schema(), std::nullopt, read};
}

}  // namespace diptych
