// Tables as columns of text: CSV and TSV and Parquet by Arrow, JSONL by nlohmann's parser. Nothing
// is guessed: cells stay as they are written, so that the same content gives the same rows in every
// format; only the columns that are asked for are converted.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace diptych {

struct Table {
  std::int64_t rows = 0;
  std::vector<std::string> names;  // all columns, as in the file, trimmed
  std::map<std::string, std::vector<std::string>>
      columns;  // those that were asked for and are there
};

constexpr std::int32_t kTableBlock = 64 << 20;  // a row of CSV has to fit into one

// By the file's ending: .csv, .tsv, .jsonl (.ndjson), .parquet. Missing cells are empty. Bytes that
// are not UTF-8 are passed through. Blank lines are no rows. Numbers of Parquet are written as
// Python would ("3", "3.0", "true"), NaN as an empty cell.
// Throws Error{not_found, io, data} naming file, row and the way out.
Table read_table(const std::filesystem::path& path, const std::vector<std::string>& wanted,
                 std::int32_t block_bytes = kTableBlock);

// Without the white space (ASCII) at both ends.
std::string trimmed(std::string_view text);

}  // namespace diptych
