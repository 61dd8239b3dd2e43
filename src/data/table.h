// Tables by Arrow: CSV, TSV, JSONL and Parquet as columns of text. Nothing is guessed: CSV cells
// stay as they are written; only the columns that are asked for are converted.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace diptych {

struct Table {
  std::int64_t rows = 0;
  std::vector<std::string> names;                           // all columns, as in the file, trimmed
  std::map<std::string, std::vector<std::string>> columns;  // those that were asked for and are there
};

// By the file's ending: .csv, .tsv, .jsonl (.ndjson), .parquet. Missing cells are empty. Bytes that
// are not UTF-8 are passed through. Throws Error{not_found, data} naming file, row and the way out.
Table read_table(const std::filesystem::path& path, const std::vector<std::string>& wanted);

}  // namespace diptych
