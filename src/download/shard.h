// A part of a list of URLs and what was fetched for it, in the layout of img2dataset: 00000.tar (or
// the folder 00000/) with KEY.jpg, KEY.txt and KEY.json of each picture, 00000.parquet with every
// row, and 00000_stats.json, which is written last: a shard that has it is finished.
#pragma once
#include <arrow/api.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "download/picture_check.h"

namespace diptych {

struct ShardLayout {
  std::filesystem::path folder;
  ShardFormat format = ShardFormat::webdataset;
  int rows = 1000;  // of a shard; the last may have fewer
  std::string url_column = "url";
  std::string text_column = "text";          // may be absent
  std::string phash_column = "image_phash";  // likewise
  int phash_radius = 16;

  std::string shard_name(std::int64_t number) const;             // "00012"
  std::string key(std::int64_t number, std::int64_t row) const;  // "00012345"
  std::filesystem::path stats_path(std::int64_t number) const;
};

// Rows by what became of them: "success" or a reason; they sum to the rows asked for.
using Counts = std::map<std::string, std::int64_t>;
void add_to(Counts& sum, const Counts& counts);
std::int64_t rows_in(const Counts& counts);
std::int64_t fetched_in(const Counts& counts);

class ShardFiles;

class Shard {
 public:
  // rows: of the list, with all its columns: the URL's and the text's are named url and caption in
  // the output; others whose name is then taken, listed_NAME.
  Shard(const ShardLayout& layout, std::int64_t number, const arrow::Table& rows);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  std::int64_t number() const { return number_; }
  std::int64_t size() const { return rows_->num_rows(); }
  const std::string& url(std::int64_t row) const { return urls_[static_cast<std::size_t>(row)]; }

  // Of its column, if there is one: 16 hex digits.
  std::optional<ListedHash> listed_hash(std::int64_t row) const;

  // Once for each row, from any thread. The last one writes what is left. Throws Error{io}.
  void add(std::int64_t row, CheckedPicture picture, std::string_view bytes);
  std::optional<Counts> counts() const;  // of a finished shard

 private:
  std::string describe(std::int64_t row, const CheckedPicture& picture) const;
  std::shared_ptr<arrow::Table> with_results() const;
  void finish();

  const ShardLayout& layout_;
  const std::int64_t number_;
  const double started_;
  std::shared_ptr<arrow::Table> rows_;        // one chunk a column
  std::vector<std::string> urls_, captions_;  // none: the list has no captions
  std::vector<std::string> hashes_;
  std::mutex mutex_;
  std::vector<CheckedPicture> results_;
  std::int64_t left_;
  std::unique_ptr<ShardFiles> files_;
  Counts counts_;
  std::atomic<bool> is_finished_ = false;  // from then on counts_ stays as it is
};

// What an earlier run has finished.
std::optional<Counts> finished_shard(const ShardLayout& layout, std::int64_t number);

// A whole table, atomically. Throws Error{io, data}.
void write_parquet(const arrow::Table& table, const std::filesystem::path& path);

}  // namespace diptych
