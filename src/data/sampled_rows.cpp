#include "data/sampled_rows.h"

#include <arrow/compute/api.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "data/table_arrow.h"

namespace diptych {
namespace {

constexpr const char* kWhat = "sample";
constexpr std::size_t kSlack = 1 << 14;

// What tells rows of one id from each other, whatever their order was.
std::string content_of(const arrow::Table& rows, std::int64_t row) {
  std::string text;
  for (const auto& column : rows.columns()) {
    text += value_of(column->GetScalar(row), kWhat)->ToString() + '\0';
  }
  return text;
}

}  // namespace

void SampledRows::add(std::shared_ptr<arrow::RecordBatch> rows, const std::vector<Key>& keys) {
  if (rows->num_rows() == 0) return;
  batches_.push_back(std::move(rows));
  keys_.insert(keys_.end(), keys.begin(), keys.end());
  if (keys_.size() > 2 * static_cast<std::size_t>(most_) + kSlack) trim();
}

std::shared_ptr<arrow::Table> SampledRows::table() {
  if (batches_.empty()) return nullptr;
  trim();
  return value_of(arrow::Table::FromRecordBatches(batches_), kWhat);
}

std::vector<std::int64_t> SampledRows::chosen(const arrow::Table& rows) const {
  const auto key = [this](std::int64_t row) -> const Key& {
    return keys_[static_cast<std::size_t>(row)];
  };
  std::vector<std::int64_t> order(keys_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const auto x = std::tuple(key(a).priority, key(a).id),
               y = std::tuple(key(b).priority, key(b).id);
    return x != y ? x < y
                  : key(a).id == key(b).id && a != b && content_of(rows, a) < content_of(rows, b);
  });
  const auto rest = std::unique(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return key(a).id == key(b).id;
  });
  order.erase(rest, order.end());
  if (is_balanced_) {
    std::map<std::int32_t, std::int64_t> seen;
    std::vector<std::pair<std::int64_t, std::int64_t>> ranked;  // in its class, row
    for (const std::int64_t row : order) ranked.emplace_back(seen[key(row).label]++, row);
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::transform(ranked.begin(), ranked.end(), order.begin(),
                   [](auto& one) { return one.second; });
  }
  if (order.size() > static_cast<std::size_t>(most_)) order.resize(static_cast<std::size_t>(most_));
  return order;
}

void SampledRows::trim() {
  const auto rows = value_of(arrow::Table::FromRecordBatches(batches_), kWhat);
  const std::vector<std::int64_t> order = chosen(*rows);
  std::vector<Key> keys;
  for (const std::int64_t row : order) keys.push_back(keys_[static_cast<std::size_t>(row)]);
  arrow::Int64Builder indices;
  if (const auto status = indices.AppendValues(order); !status.ok()) refuse(kWhat, status);
  const auto places = value_of(indices.Finish(), kWhat);
  const auto taken = value_of(arrow::compute::Take(rows, places), kWhat).table();
  batches_ = {value_of(taken->CombineChunksToBatch(), kWhat)};
  keys_ = std::move(keys);
  if (keys_.size() == static_cast<std::size_t>(most_)) last_ = keys_.back().priority;
}

}  // namespace diptych
