#include "download/shard.h"

#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>

#include <array>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "data/table_arrow.h"
#include "download/shard_files.h"
#include "text/unicode.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

constexpr std::array kOurs = {"url",    "caption",        "key",
                              "status", "error_message",  "width",
                              "height", "original_width", "original_height",
                              "sha256", "phash_distance"};

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void require(const arrow::Status& status, const fs::path& path) {
  if (!status.ok()) refuse(path, status);
}

// The list's columns under the names that the output has for them.
std::shared_ptr<arrow::Table> renamed(const arrow::Table& rows, const ShardLayout& layout) {
  std::vector<std::string> names = rows.ColumnNames();
  std::set<std::string> taken(kOurs.begin(), kOurs.end());
  for (std::string& name : names) {
    if (name == layout.url_column) {
      name = "url";
    } else if (name == layout.text_column) {
      name = "caption";
    } else {
      while (!taken.insert(name).second) name = "listed_" + name;
    }
  }
  const auto named = value_of(rows.RenameColumns(names), layout.folder);
  return value_of(named->CombineChunks(), layout.folder);
}

// Empty when there is no such column.
std::vector<std::string> texts_of(const arrow::Table& rows, const std::string& name,
                                  const fs::path& path) {
  TextColumn cells;
  const auto column = rows.GetColumnByName(name);
  if (!column) return {};
  for (const auto& chunk : column->chunks()) add_cells(chunk, name, path, cells);
  std::vector<std::string> texts;
  for (const std::string_view cell : cells) texts.push_back(repair_utf8(cell));
  return texts;
}

// A cell as JSON: numbers, truth, texts and lists in their own types, else as Arrow prints it.
ordered_json json_cell(const arrow::Scalar& cell) {
  if (!cell.is_valid) return nullptr;
  const auto type = cell.type->id();
  if (arrow::is_list_like(type)) {
    const auto& items = *static_cast<const arrow::BaseListScalar&>(cell).value;
    auto list = ordered_json::array();
    for (std::int64_t i = 0; i < items.length(); ++i) {
      list.push_back(json_cell(*value_of(items.GetScalar(i), "a list")));
    }
    return list;
  }
  if (type == arrow::Type::DICTIONARY) {
    const auto& coded = static_cast<const arrow::DictionaryScalar&>(cell);
    return json_cell(*value_of(coded.GetEncodedValue(), "a dictionary"));
  }
  const auto text = cell.ToString();
  if (type == arrow::Type::BOOL) return text == "true";
  if (arrow::is_integer(type) || arrow::is_floating(type)) {
    const auto number = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
    return number.is_number() ? number : ordered_json();  // nan and inf are no numbers of JSON
  }
  return repair_utf8(text);
}

}  // namespace

void add_to(Counts& sum, const Counts& counts) {
  for (const auto& [reason, rows] : counts) sum[reason] += rows;
}

std::int64_t rows_in(const Counts& counts) {
  std::int64_t rows = 0;
  for (const auto& [reason, some] : counts) rows += some;
  return rows;
}

std::int64_t fetched_in(const Counts& counts) {
  const auto found = counts.find(reason_row(Reason::success).text);
  return found == counts.end() ? 0 : found->second;
}

std::string ShardLayout::shard_name(std::int64_t number) const {
  return fmt::format("{:05}", number);
}

std::string ShardLayout::key(std::int64_t number, std::int64_t row) const {
  int digits = 0;  // of a row's number within its shard
  std::int64_t power = 1;
  for (; power < rows; power *= 10) ++digits;
  return fmt::format("{:0{}}", number * power + row, digits + 5);
}

fs::path ShardLayout::stats_path(std::int64_t number) const {
  return folder / (shard_name(number) + "_stats.json");
}

Shard::Shard(const ShardLayout& layout, std::int64_t number, const arrow::Table& rows)
    : layout_(layout),
      number_(number),
      started_(now()),
      rows_(renamed(rows, layout)),
      urls_(texts_of(*rows_, "url", layout.folder)),
      captions_(texts_of(*rows_, "caption", layout.folder)),
      hashes_(texts_of(*rows_, layout.phash_column, layout.folder)),
      results_(urls_.size()),
      left_(rows_->num_rows()) {
  const fs::path path = layout.folder / layout.shard_name(number);
  files_ =
      layout.format == ShardFormat::files ? make_folder(path) : make_tar(path.string() + ".tar");
}

Shard::~Shard() = default;

std::optional<ListedHash> Shard::listed_hash(std::int64_t row) const {
  constexpr std::size_t kDigits = 16;
  if (hashes_.empty()) return {};
  const std::string& text = hashes_[static_cast<std::size_t>(row)];
  ListedHash listed{.radius = layout_.phash_radius};
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, listed.hash, 16);
  if (text.size() != kDigits || error != std::errc() || end != last) return {};
  return listed;
}

// The JSON beside a picture.
std::string Shard::describe(std::int64_t row, const CheckedPicture& picture) const {
  ordered_json object;
  for (int i = 0; i < rows_->num_columns(); ++i) {
    const auto cell = value_of(rows_->column(i)->GetScalar(row), layout_.folder);
    object[repair_utf8(rows_->field(i)->name())] = json_cell(*cell);
  }
  object["key"] = layout_.key(number_, row);
  object["status"] = reason_row(picture.reason).status;
  object["error_message"] = nullptr;
  object["width"] = object["original_width"] = picture.width;
  object["height"] = object["original_height"] = picture.height;
  object["sha256"] = picture.sha256;
  if (picture.phash_distance) object["phash_distance"] = *picture.phash_distance;
  return object.dump(4);
}

void Shard::add(std::int64_t row, CheckedPicture picture, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  const auto index = static_cast<std::size_t>(row);
  if (picture.reason == Reason::success) {
    const std::string key = layout_.key(number_, row);
    files_->add(key + "." + format_ending(picture.format), bytes);
    if (!captions_.empty()) files_->add(key + ".txt", captions_[index]);
    files_->add(key + ".json", describe(row, picture));
  }
  results_[index] = std::move(picture);
  if (--left_ == 0) finish();
}

std::shared_ptr<arrow::Table> Shard::with_results() const {
  arrow::StringBuilder keys, statuses, errors, hashes;
  arrow::Int32Builder widths, heights, distances;
  const auto add = [&](auto& builder, bool is_there, const auto& value) {
    require(is_there ? builder.Append(value) : builder.AppendNull(), layout_.folder);
  };
  for (std::int64_t row = 0; row < size(); ++row) {
    const CheckedPicture& picture = results_[static_cast<std::size_t>(row)];
    const bool is_fetched = picture.reason == Reason::success;
    add(keys, true, layout_.key(number_, row));
    add(statuses, true, reason_row(picture.reason).status);
    add(errors, !is_fetched, reason_text(picture.reason, picture.http_status));
    add(widths, is_fetched, picture.width);
    add(heights, is_fetched, picture.height);
    add(hashes, is_fetched, picture.sha256);
    add(distances, picture.phash_distance.has_value(), picture.phash_distance.value_or(0));
  }
  auto table = rows_;
  const auto append = [&](const char* name, const std::shared_ptr<arrow::Array>& column) {
    table = value_of(table->AddColumn(table->num_columns(), arrow::field(name, column->type()),
                                      std::make_shared<arrow::ChunkedArray>(column)),
                     layout_.folder);
  };
  const auto width = value_of(widths.Finish(), layout_.folder);
  const auto height = value_of(heights.Finish(), layout_.folder);
  append("key", value_of(keys.Finish(), layout_.folder));
  append("status", value_of(statuses.Finish(), layout_.folder));
  append("error_message", value_of(errors.Finish(), layout_.folder));
  append("width", width);
  append("height", height);
  append("original_width", width);
  append("original_height", height);
  append("sha256", value_of(hashes.Finish(), layout_.folder));
  if (!hashes_.empty()) append("phash_distance", value_of(distances.Finish(), layout_.folder));
  return table;
}

void Shard::finish() {
  files_->commit();
  const fs::path path = layout_.folder / (layout_.shard_name(number_) + ".parquet");
  write_parquet(*with_results(), path);
  std::map<std::string, std::int64_t> by_status;
  for (const CheckedPicture& picture : results_) {
    ++counts_[reason_text(picture.reason, picture.http_status)];
    ++by_status[reason_row(picture.reason).status];
  }
  const double ended = now();
  const ordered_json stats = {{"count", size()},
                              {"successes", by_status["success"]},
                              {"failed_to_download", by_status["failed_to_download"]},
                              {"failed_to_resize", by_status["failed_to_resize"]},
                              {"duration", ended - started_},
                              {"start_time", started_},
                              {"end_time", ended},
                              {"status_dict", counts_}};
  write_file(layout_.stats_path(number_), stats.dump(4) + "\n");
  is_finished_ = true;
}

std::optional<Counts> Shard::counts() const {
  if (!is_finished_) return {};
  return counts_;
}

std::optional<Counts> finished_shard(const ShardLayout& layout, std::int64_t number) {
  const fs::path path = layout.stats_path(number);
  if (!fs::exists(path)) return {};
  try {
    constexpr std::uint64_t kMost = 1 << 20;
    return ordered_json::parse(read_file(path, kMost)).at("status_dict").get<Counts>();
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::data, "not the figures of a shard", path.string(),
                "remove this file, and the shard is fetched anew");
  }
}

void write_parquet(const arrow::Table& table, const fs::path& path) {
  const auto sink = value_of(arrow::io::BufferOutputStream::Create(), path);
  constexpr std::int64_t kGroupRows = 65536;
  const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  require(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), sink, kGroupRows,
                                     parquet::default_writer_properties(), properties),
          path);
  write_file(path, value_of(sink->Finish(), path)->ToString());
}

}  // namespace diptych
