#include "data/sampled_rows.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/rng.h"
#include "data/written_tables.h"

namespace diptych {
namespace {

using Key = SampledRows::Key;

// Many more than are kept; a tenth of each hundred is of class 1, all others of class 0.
std::vector<Key> many_keys() {
  std::vector<Key> keys;
  for (std::int64_t id = 0; id < 60000; ++id) {
    keys.push_back({Rng(3, {static_cast<std::uint64_t>(id)}).next(), id, id % 10 == 0 ? 1 : 0});
  }
  return keys;
}

std::shared_ptr<arrow::RecordBatch> batch_of(const std::vector<Key>& keys) {
  std::vector<std::int64_t> ids;
  for (const Key& key : keys) ids.push_back(key.id);
  return *table_of({{"id", column_of<arrow::Int64Builder>(ids)}})->CombineChunksToBatch();
}

// As a caller does: rows that are not wanted are not given.
std::vector<std::int64_t> kept(SampledRows& rows, const std::vector<Key>& keys,
                               std::int64_t* given = nullptr) {
  for (std::size_t begin = 0; begin < keys.size(); begin += 1000) {
    std::vector<Key> wanted;
    for (std::size_t i = begin; i < std::min(begin + 1000, keys.size()); ++i) {
      if (rows.wants(keys[i].priority)) wanted.push_back(keys[i]);
    }
    if (given) *given += static_cast<std::int64_t>(wanted.size());
    rows.add(batch_of(wanted), wanted);
  }
  const auto table = rows.table();
  std::vector<std::int64_t> ids;
  for (const auto& chunk : table->column(0)->chunks()) {
    const auto& array = static_cast<const arrow::Int64Array&>(*chunk);
    for (std::int64_t i = 0; i < array.length(); ++i) ids.push_back(array.Value(i));
  }
  EXPECT_EQ(ids.size(), rows.keys().size());
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], rows.keys()[i].id);
  return ids;
}

std::vector<std::int64_t> first_ids(std::vector<Key> keys, std::size_t most) {
  std::sort(keys.begin(), keys.end(),
            [](const Key& a, const Key& b) { return a.priority < b.priority; });
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < most; ++i) ids.push_back(keys[i].id);
  return ids;
}

TEST(SampledRows, KeepsTheFirstOfManyAndTurnsOthersAwayBeforeTheyAreCopied) {
  const auto keys = many_keys();
  SampledRows rows(100, false);
  std::int64_t given = 0;
  EXPECT_EQ(kept(rows, keys, &given), first_ids(keys, 100));
  EXPECT_LT(given, 25000) << "of 60,000, after the first 16,584";
}

TEST(SampledRows, KeepsAsManyOfEachClassOfMany) {
  const auto keys = many_keys();
  SampledRows rows(100, true);
  std::vector<std::int64_t> expected;
  for (const int label : {0, 1}) {
    std::vector<Key> of_label;
    std::copy_if(keys.begin(), keys.end(), std::back_inserter(of_label),
                 [&](const Key& key) { return key.label == label; });
    const auto ids = first_ids(of_label, 50);
    expected.insert(expected.end(), ids.begin(), ids.end());
  }
  EXPECT_THAT(kept(rows, keys), testing::UnorderedElementsAreArray(expected));
}

TEST(SampledRows, KeepsAllWhenThereAreFew) {
  const auto all = many_keys();
  const std::vector<Key> keys(all.begin(), all.begin() + 30);
  SampledRows rows(100, false);
  EXPECT_EQ(kept(rows, keys), first_ids(keys, 30));
}

TEST(SampledRows, HasNoTableWhenNothingWasAdded) {
  EXPECT_EQ(SampledRows(100, false).table(), nullptr);
}

}  // namespace
}  // namespace diptych
