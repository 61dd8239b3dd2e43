// Rows in random order of which only the first are kept, however many are added.
#pragma once
#include <arrow/api.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace diptych {

class SampledRows {
 public:
  struct Key {
    std::uint64_t priority = 0;  // smaller ones come first
    std::int64_t id = 0;         // of two rows of one id one is kept, whichever was added first
    std::int32_t label = 0;
  };

  // balanced: the first of each class come before the second of each.
  SampledRows(std::int64_t most, bool balanced) : most_(most), is_balanced_(balanced) {}

  // Whether the row might be kept.
  bool wants(std::uint64_t priority) const { return is_balanced_ || priority <= last_; }
  // Batches have one schema. Throws Error{data}.
  void add(std::shared_ptr<arrow::RecordBatch> rows, const std::vector<Key>& keys);

  // Those that are kept, in their order; null if nothing was ever added.
  std::shared_ptr<arrow::Table> table();
  const std::vector<Key>& keys() const { return keys_; }  // of table()

 private:
  void trim();
  std::vector<std::int64_t> chosen(const arrow::Table& rows) const;

  std::int64_t most_;
  bool is_balanced_;
  std::uint64_t last_ = UINT64_MAX;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  std::vector<Key> keys_;
};

}  // namespace diptych
