// Any bytes as what `diptych fetch` and `diptych import coyo` read: a list of URLs, both sides of
// COYO, the names of labels. Shards that hold every row, accounts that add up, or an error that
// names the file. The first byte chooses the format. Nothing is asked of the network.
#include <fmt/format.h>

#include <array>
#include <climits>
#include <fstream>

#include "base/error.h"
#include "data/coyo.h"
#include "data/label_names.h"
#include "data/table_stream.h"
#include "download/fetch.h"
#include "scratch.h"

namespace {
using namespace diptych;
namespace fs = std::filesystem;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

// What is wrong has the name of its file, or of the option that does not fit it.
template <typename Read>
void attempt(const fs::path& path, const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    const std::string& where = error.where();
    if (where.find(path.filename().string()) != std::string::npos || where.starts_with("--")) {
      return;
    }
    fmt::print(stderr, "does not name its file: {}\n", error.full());
    __builtin_trap();
  }
}

// As a rank whose first shard lies behind the end of every list.
void read_as_last_rank(const fs::path& path, const fs::path& folder) {
  FetchOptions options;
  options.lists = {path, path};
  options.layout = {.folder = folder, .rows = 1};
  options.rank = INT_MAX - 1;
  options.world_size = INT_MAX;
  options.overwrite = true;
  require(fetch(options).empty());
}

// All rows as one shard, as if each picture had come; its table holds them again.
void fill_shard(const fs::path& path, const fs::path& folder) {
  TableStream stream(path);
  require_columns(*stream.schema(), {"url"}, path);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  while (const auto batch = stream.next()) batches.push_back(batch);
  const auto rows = *arrow::Table::FromRecordBatches(stream.schema(), batches);
  if (rows->num_rows() == 0) return;
  const ShardLayout layout{.folder = folder};
  Shard shard(layout, 0, *rows);
  for (std::int64_t row = 0; row < shard.size(); ++row) {
    const auto listed = shard.listed_hash(row);
    CheckedPicture picture{.format = ImageFormat::jpeg, .width = 1, .height = 1};
    if (listed) picture.phash_distance = 1;
    shard.add(row, picture, shard.url(row));
  }
  require(shard.counts().has_value() && fetched_in(*shard.counts()) == rows->num_rows());
  std::int64_t written = 0;
  TableStream table(folder / "00000.parquet");
  while (const auto batch = table.next()) written += batch->num_rows();
  require(written == rows->num_rows());
}

void check_sum(const Account& account) {
  std::int64_t rows = 0;
  for (const auto& [name, some] : account) {
    require(some >= 0);
    rows += some;
  }
  require(rows == 2 * account.front().second);
}

void draw(const fs::path& path, bool balanced) {
  CoyoOptions options;
  options.pairs = options.labels = {path};
  options.where = "score<0.9";
  options.rows = 3;
  options.balanced = balanced;
  options.most_held = 2;  // so that there are several rounds
  const CoyoSample sample = sample_coyo(options);
  check_sum(sample.labels);
  check_sum(sample.pairs);
  const std::int64_t drawn = sample.table ? sample.table->num_rows() : 0;
  require(drawn <= options.rows && (!sample.table || sample.table->ValidateFull().ok()));
  require(!accounts_text(sample).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::array kEndings{"parquet", "arrow", "feather", "csv", "tsv", "jsonl", "txt"};
  const auto& folder = scratch_folder();
  fs::create_directories(folder / "out");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto path = folder / (std::string("list.") + kEndings[data[0] % kEndings.size()]);
  std::ofstream(path, std::ios::binary) << bytes.substr(1);
  attempt(path, [&] { read_as_last_rank(path, folder / "out"); });
  attempt(path, [&] { fill_shard(path, folder / "out"); });
  attempt(path, [&] { draw(path, data[size - 1] % 2 != 0); });
  attempt(path, [&] {
    for (const auto& [label, name] : read_label_names(path)) require(!name.empty());
  });
  return 0;
}
