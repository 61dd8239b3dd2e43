#include "data/table.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "data/table_formats.h"

namespace diptych {
namespace fs = std::filesystem;

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
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

namespace {

enum class Format { csv, tsv, jsonl, parquet, arrow };

constexpr std::array<std::pair<const char*, Format>, 8> kEndings{{{".csv", Format::csv},
                                                                  {".tsv", Format::tsv},
                                                                  {".jsonl", Format::jsonl},
                                                                  {".ndjson", Format::jsonl},
                                                                  {".parquet", Format::parquet},
                                                                  {".arrow", Format::arrow},
                                                                  {".feather", Format::arrow},
                                                                  {".ipc", Format::arrow}}};

std::optional<Format> format_of(const fs::path& path) {
  const std::string ending = ending_of(path);
  for (const auto& [known, format] : kEndings) {
    if (ending == known) return format;
  }
  return std::nullopt;
}

}  // namespace

bool is_table_name(const fs::path& path) { return format_of(path).has_value(); }

Table read_table(const fs::path& path, const std::vector<std::string>& wanted,
                 const std::string& image, std::int32_t block_bytes) {
  std::error_code code;  // a name that cannot be looked up is not there
  if (!fs::exists(path, code)) {
    throw Error(ErrorKind::not_found, "there is no such file", path.string());
  }
  if (fs::is_directory(path, code)) {
    throw Error(ErrorKind::data, "is a folder, not a table", path.string());
  }
  const std::optional<Format> format = format_of(path);
  if (!format) {
    throw Error(ErrorKind::data, "the ending '" + ending_of(path) + "' is not of a table",
                path.string(), "tables are .csv, .tsv, .jsonl, .parquet, .arrow and .feather");
  }
  switch (*format) {
    case Format::csv:
      return read_csv(path, ',', wanted, block_bytes);
    case Format::tsv:
      return read_csv(path, '\t', wanted, block_bytes);
    case Format::jsonl:
      return read_jsonl(path, wanted);
    case Format::parquet:
      return read_parquet(path, wanted, image);
    case Format::arrow:
      return read_arrow(path, wanted, image);
  }
  return {};
}

}  // namespace diptych
