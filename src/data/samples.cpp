#include "data/samples.h"

#include "base/error.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostNames = 64;  // of columns, told when one is missing
constexpr const char *kJson = "json", *kSuccess = "success";

const char* other_name(const std::string& ending) {
  return ending == "txt" ? "text" : ending == "cls" ? "label" : nullptr;
}

// Without a byte order mark and without the end of the last line.
std::string cell_of(std::string bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.erase(0, 3);
  bytes.erase(bytes.find_last_not_of("\r\n") + 1);
  return bytes;
}

void add_name(Table& table, const std::string& name) {
  if (table.names.size() < kMostNames && !contains(table.names, name)) table.names.push_back(name);
}

}  // namespace

SampleTable::SampleTable(const Request& request)
    : request_(request), json_rows_(json_, request.columns) {
  table_.has_pictures = true;
  table_.names.push_back(request.options.image_column);
}

// The row's JSON becomes cells; a broken one leaves them empty.
void SampleTable::end_row() {
  if (!open_) return;
  open_ = false;
  const bool good = json_rows_.read(pending_json_.empty() ? "{}" : pending_json_);
  pending_json_.clear();
  if (good) return;
  for (auto& [name, cells] : json_.columns) cells.set(cells.size() - 1, "");
  set_problem(Problem::invalid_json, json_rows_.refused());
}

void SampleTable::add_row(const std::string& name) {
  end_row();
  open_ = true;
  ++table_.rows;
  table_.pictures.push_back({});
  table_.picture_names.push_back(name);
}

void SampleTable::drop_row() {
  open_ = false;
  pending_json_.clear();
  --table_.rows;
  table_.pictures.resize(static_cast<std::size_t>(table_.rows));
  table_.picture_names.resize(table_.pictures.size());
  for (auto& [name, cells] : table_.columns) cells.resize(table_.pictures.size());
}

void SampleTable::set_picture(const std::string& name, const ImageSource& source) {
  table_.picture_names.set(table_.picture_names.size() - 1, name);
  table_.pictures.set(table_.pictures.size() - 1, source);
}

void SampleTable::set(const std::string& column, const std::string& cell) {
  auto& cells = table_.columns[column];
  cells.resize(table_.pictures.size());
  cells.set(cells.size() - 1, cell);
  add_name(table_, column);
}

void SampleTable::add_piece(const std::string& ending, const std::function<std::string()>& read) {
  if (ending == kJson) {
    pending_json_ = read();
    return;
  }
  const char* other = other_name(ending);
  add_name(table_, other ? other : ending);
  const bool as_ending = contains(request_.columns, ending);
  const bool as_other = other && contains(request_.columns, other);
  if (!as_ending && !as_other) return;
  const std::string cell = cell_of(read());
  if (as_ending) set(ending, cell);
  if (as_other) set(other, cell);
}

void SampleTable::set_problem(Problem problem, const std::string& detail) {
  table_.problems.push_back(
      {table_.rows, std::string(table_.picture_names.back()), problem, detail});
}

void SampleTable::add_unlisted(const fs::path& list, const std::set<std::string>& keys) {
  std::error_code code;
  if (!fs::exists(list, code)) return;
  const Table listed = read_table(list, {kKeyColumn, kStatusColumn, kErrorColumn});
  if (!notes_downloads(listed)) return;
  for (std::size_t i = 0; i < static_cast<std::size_t>(listed.rows); ++i) {
    const std::string key(listed.columns.at(kKeyColumn)[i]);
    if (keys.contains(key)) continue;
    const std::string status(listed.columns.at(kStatusColumn)[i]);
    add_row(list.stem().string() + "/" + key);
    if (status == kSuccess) {
      set_problem(Problem::lost, list.filename().string() + " lists it");
    } else {
      const std::string reason(listed.columns.at(kErrorColumn)[i]);
      set_problem(Problem::failed_download, reason.empty() ? status : reason);
    }
  }
}

Table SampleTable::finish() {
  end_row();
  for (auto& [name, cells] : json_.columns) table_.columns.try_emplace(name, std::move(cells));
  for (const std::string& name : json_.names) add_name(table_, name);
  for (auto& [name, cells] : table_.columns) cells.resize(table_.pictures.size());
  return std::move(table_);
}

bool notes_downloads(const Table& table) {
  for (const char* name : {kKeyColumn, "url", kStatusColumn, kErrorColumn}) {
    if (!contains(table.names, name)) return false;
  }
  return true;
}

}  // namespace diptych
