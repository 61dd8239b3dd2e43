#include "download/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "data/dataset.h"
#include "data/table_arrow.h"
#include "data/table_stream.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

// So that no second run adds shards of another list or size. Not .json: img2dataset takes every
// such file for the figures of a shard.
constexpr const char* kSettings = "fetch.settings";

// Shards at once. A shard waits for its slowest row, a minute or more, while others are begun; but
// all their rows are in memory, and a kill loses them.
std::size_t most_open(const ShardLayout& layout) {
  return static_cast<std::size_t>(std::clamp(65536 / layout.rows, 8, 64));
}

bool is_ours(const FetchOptions& options, std::int64_t shard) {
  return shard % options.world_size == options.rank;
}

std::string describe(const FetchOptions& options) {
  const ShardLayout& layout = options.layout;
  std::string text =
      fmt::format("rows of a shard: {}\nformat: {}\nurl: {}\ntext: {}\nphash: {} within {}\n",
                  layout.rows, layout.format == ShardFormat::files ? "files" : "webdataset",
                  layout.url_column, layout.text_column, layout.phash_column, layout.phash_radius);
  for (const fs::path& list : options.lists) {
    std::error_code code;
    text +=
        fmt::format("list: {}, {} bytes\n", list.filename().string(), fs::file_size(list, code));
  }
  return text;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

// The number of the shard that a file is of, if it is one of ours.
std::optional<std::int64_t> shard_of_ours(const FetchOptions& options, const std::string& name) {
  std::int64_t number = -1;
  std::from_chars(name.data(), name.data() + name.size(), number);
  if (number < 0 || !is_ours(options, number)) return {};
  return number;
}

void remove_shard(const ShardLayout& layout, std::int64_t number) {
  const std::string path = (layout.folder / layout.shard_name(number)).string();
  fs::remove(layout.stats_path(number));  // first: without it the rest is nothing
  for (const char* rest : {".parquet", ".tar", ""}) fs::remove_all(path + rest);
}

// What a run that was killed has left of the settings or of our shards.
void remove_partial(const FetchOptions& options, bool of_settings) {
  const fs::path& folder = options.layout.folder;
  for (const std::string& name : names_in(folder)) {
    if (name.find(kPartial) == std::string::npos) continue;
    const bool is_meant =
        of_settings ? name.starts_with(kSettings) : shard_of_ours(options, name).has_value();
    if (is_meant) fs::remove_all(folder / name);
  }
}

void prepare_folder(const FetchOptions& options) {
  const fs::path& folder = options.layout.folder;
  const fs::path settings = folder / kSettings;
  const std::string wanted = describe(options);
  const bool is_known = fs::exists(settings);
  remove_partial(options, true);  // with them the folder would not be empty
  // Other ranks may have begun already.
  make_output_folder(folder, is_known || options.overwrite || options.world_size > 1);
  remove_partial(options, false);
  if (is_known && !options.overwrite && read_file(settings) != wanted) {
    throw Error(ErrorKind::config, "the folder was begun with another list or other settings",
                settings.string(), "use the same again, another -o, or --overwrite");
  }
  for (const std::string& name : names_in(folder)) {
    const auto number = shard_of_ours(options, name);
    if (!number) continue;
    if (options.overwrite) {
      remove_shard(options.layout, *number);
    } else if (!options.resume) {
      throw Error(ErrorKind::exists, "the output folder already holds shards", folder.string(),
                  "go on with --resume, or replace them with --overwrite");
    }
  }
  if (!is_known || options.overwrite) write_file(settings, wanted);
}

// The rows of all lists, cut into shards.
class ListReader {
 public:
  explicit ListReader(const FetchOptions& options) : options_(options) {
    for (const fs::path& list : options.lists) {
      streams_.push_back(std::make_unique<TableStream>(list));
      const TableStream& stream = *streams_.back();
      require_columns(*stream.schema(), needed_columns(options.layout), list);
      if (!stream.schema()->Equals(*streams_.front()->schema())) {
        throw Error(ErrorKind::data, "its columns are not those of the first list", list.string());
      }
      rows_ += stream.rows() < 0 ? count_rows(list) : stream.rows();
    }
  }

  std::int64_t rows() const { return rows_; }

  // The next shard's; null after the last.
  std::shared_ptr<arrow::Table> next() {
    while (pending_rows_ < options_.layout.rows && at_ < streams_.size()) {
      const auto batch = streams_[at_]->next();
      if (!batch) {
        streams_[at_++].reset();
        continue;
      }
      schema_ = schema_ ? schema_ : batch->schema();
      pending_rows_ += batch->num_rows();
      if (batch->num_rows() > 0) pending_.push_back(batch);
    }
    if (pending_rows_ == 0) return nullptr;
    const auto all = value_of(arrow::Table::FromRecordBatches(schema_, pending_), "list");
    const auto shard = all->Slice(0, options_.layout.rows);
    keep_after(shard->num_rows());
    return shard;
  }

 private:
  // Those of a default name may be absent, but for the URL's.
  static std::vector<std::string> needed_columns(const ShardLayout& layout) {
    const ShardLayout defaults;
    std::vector<std::string> needed = {layout.url_column};
    if (layout.text_column != defaults.text_column) needed.push_back(layout.text_column);
    if (layout.phash_column != defaults.phash_column) needed.push_back(layout.phash_column);
    std::erase(needed, kNone);
    return needed;
  }

  static std::int64_t count_rows(const fs::path& list) {
    TableStream stream(list);
    std::int64_t rows = 0;
    while (const auto batch = stream.next()) rows += batch->num_rows();
    return rows;
  }

  void keep_after(std::int64_t used) {
    pending_rows_ -= used;
    while (used > 0 && pending_.front()->num_rows() <= used) {
      used -= pending_.front()->num_rows();
      pending_.erase(pending_.begin());
    }
    if (used > 0) pending_.front() = pending_.front()->Slice(used);
  }

  const FetchOptions& options_;
  std::vector<std::unique_ptr<TableStream>> streams_;
  std::size_t at_ = 0;
  std::int64_t rows_ = 0, pending_rows_ = 0;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> pending_;
};

class Fetch {
 public:
  Fetch(const FetchOptions& options, const std::function<void(const FetchProgress&)>& observe)
      : options_(options), observe_(observe), list_(options), pool_(options.threads, kWaiting) {
    progress_.asked = rows_of_ours();
  }

  Counts run() {
    download(options_.download,
             {[this] { return next(); }, [this] { return has_more_; },
              [this](Answer answer) { check(std::move(answer)); }, [this] { tick(); }});
    pool_.finish();
    tick();
    return std::move(counts_);
  }

 private:
  static constexpr std::size_t kWaiting = 4;  // pictures that wait to be checked

  std::int64_t rows_of_ours() const {
    const std::int64_t size = options_.layout.rows, whole = list_.rows() / size;
    const std::int64_t ours =
        (whole + options_.world_size - 1 - options_.rank) / options_.world_size;
    return ours * size + (is_ours(options_, whole) ? list_.rows() % size : 0);
  }

  std::optional<UrlRequest> next() {
    close_finished();
    while (!current_ || row_ == current_->size()) {
      if (!has_more_ || open_.size() >= most_open(options_.layout) || !open_shard()) return {};
    }
    const std::int64_t ticket = current_->number() * options_.layout.rows + row_;
    return UrlRequest{ticket, current_->url(row_++)};
  }

  // Reads on to the next shard that is to be fetched; false: it was none of those.
  bool open_shard() {
    const auto rows = list_.next();
    has_more_ = rows != nullptr;
    if (!rows) return false;
    const std::int64_t number = number_++;
    if (!is_ours(options_, number)) return true;
    if (const auto counts = finished_shard(options_.layout, number)) {
      account(*counts);
      return true;
    }
    current_ = std::make_shared<Shard>(options_.layout, number, *rows);
    row_ = 0;
    open_.emplace(number, current_);
    return true;
  }

  void check(Answer answer) {
    const std::int64_t row = answer.ticket % options_.layout.rows;
    const auto shard = open_.at(answer.ticket / options_.layout.rows);
    // Failures too: the last row of a shard waits for the disk, which transfers must not.
    pool_.run([this, shard, row, answer = std::move(answer)] {
      CheckedPicture picture{.reason = answer.reason, .http_status = answer.http_status};
      if (answer.reason == Reason::success) {
        picture = check_picture(answer.body, {options_.max_megapixels}, shard->listed_hash(row));
        if (picture.reason == Reason::success) ++fetched_;
      }
      shard->add(row, std::move(picture), answer.body);
      ++answered_;
    });
  }

  void close_finished() {
    std::erase_if(open_, [this](const auto& entry) {
      const auto counts = entry.second->counts();
      if (counts) add_to(counts_, *counts);
      return counts.has_value();
    });
  }

  // Of an earlier run.
  void account(const Counts& counts) {
    add_to(counts_, counts);
    answered_ += rows_in(counts);
    fetched_ += fetched_in(counts);
  }

  void tick() {
    close_finished();
    progress_.answered = answered_;
    progress_.fetched = fetched_;
    if (observe_) observe_(progress_);
  }

  const FetchOptions& options_;
  const std::function<void(const FetchProgress&)>& observe_;
  ListReader list_;
  std::shared_ptr<Shard> current_;
  std::int64_t row_ = 0, number_ = 0;  // the next row of the current shard, the next shard
  bool has_more_ = true;
  std::map<std::int64_t, std::shared_ptr<Shard>> open_;
  Counts counts_;
  FetchProgress progress_;
  std::atomic<std::int64_t> answered_ = 0, fetched_ = 0;
  WorkerPool pool_;  // the last: its threads use the rest
};

}  // namespace

Counts fetch(const FetchOptions& options,
             const std::function<void(const FetchProgress&)>& observe) {
  Fetch fetch(options, observe);  // opens the lists: what is wrong with them leaves no folder
  prepare_folder(options);
  return fetch.run();
}

std::string counts_table(const Counts& counts) {
  std::vector<std::pair<std::int64_t, std::string>> failures;
  for (const auto& [reason, rows] : counts) {
    if (reason != reason_row(Reason::success).text) failures.emplace_back(-rows, reason);
  }
  std::sort(failures.begin(), failures.end());  // the most frequent first
  const auto line = [](const std::string& name, std::int64_t rows) {
    return fmt::format("{:<28}{:>12}\n", name, rows);
  };
  std::string table = line("fetched", fetched_in(counts));
  for (const auto& [rows, reason] : failures) table += line(reason, -rows);
  return table + line("asked", rows_in(counts));
}

}  // namespace diptych
