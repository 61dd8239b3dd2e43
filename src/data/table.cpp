#include "data/table.h"

#include <arrow/memory_pool.h>
#include <algorithm>
#include <array>

#include "base/error.h"
#include "data/table_formats.h"

namespace diptych {
namespace fs = std::filesystem;

std::string_view trimmed_view(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string trimmed(std::string_view text) { return std::string(trimmed_view(text)); }

std::vector<std::string> split_at(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  return parts;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void refuse_repeated_names(const std::vector<std::string>& names,
                           const std::vector<std::string>& wanted, const fs::path& path) {
  for (const std::string& name : wanted) {
    if (std::count(names.begin(), names.end(), name) < 2) continue;
    throw Error(ErrorKind::data, "two columns are named '" + name + "'", path.string(),
                "give every column a name of its own");
  }
}

std::string ending_of(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return ending;
}

bool is_table_name(const fs::path& path) {
  constexpr std::array kEndings = {".csv",     ".tsv",   ".jsonl",   ".ndjson",
                                   ".parquet", ".arrow", ".feather", ".ipc"};
  return std::find(kEndings.begin(), kEndings.end(), ending_of(path)) != kEndings.end();
}

Table read_table(const fs::path& path, const std::vector<std::string>& wanted,
                 const std::string& image, std::int32_t block_bytes) {
  std::error_code code;  // a name that cannot be looked up is not there
  if (!fs::exists(path, code)) {
    throw Error(ErrorKind::not_found, "there is no such file", path.string());
  }
  if (fs::is_directory(path, code)) {
    throw Error(ErrorKind::data, "is a folder, not a table", path.string());
  }
  const std::string ending = ending_of(path);
  if (!is_table_name(path)) {
    throw Error(ErrorKind::data, "the ending '" + ending + "' is not of a table", path.string(),
                "tables are .csv, .tsv, .jsonl, .parquet, .arrow and .feather");
  }
  struct Release {  // what Arrow keeps, nothing else could use
    ~Release() { arrow::default_memory_pool()->ReleaseUnused(); }
  } const at_the_end;
  if (ending == ".csv") return read_csv(path, ',', wanted, block_bytes);
  if (ending == ".tsv") return read_csv(path, '\t', wanted, block_bytes);
  if (ending == ".jsonl" || ending == ".ndjson") return read_jsonl(path, wanted);
  return read_columns(path, wanted, image);
}

}  // namespace diptych
