// Tables as columns of text: CSV, TSV, Parquet and Arrow by Arrow, JSONL by nlohmann's parser.
// Nothing is guessed: cells stay as they are written, so that the same content gives the same rows
// in every format; only the columns that are asked for are converted. Every layout becomes such a
// table.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_column.h"
#include "data/example_columns.h"

namespace diptych {

struct Table {
  std::int64_t rows = 0;
  std::vector<std::string> names;             // all columns, as in the file, trimmed
  std::map<std::string, TextColumn> columns;  // those that were asked for and are there
  // One for each row when the table itself holds the pictures; from read_layout() whenever there
  // are any, with their names. Else the column of pictures holds paths.
  PictureColumn pictures;
  TextColumn picture_names;
  bool has_pictures = false;         // known even when there is no row
  std::vector<RowProblem> problems;  // in order of their rows, which count from 1
  std::string source;                // the one file that was read, or what was asked for
};

// Between the items of a cell that is a list: the character that ASCII has for it.
constexpr char kListSeparator = '\x1f';

constexpr std::int32_t kTableBlock = 64 << 20;  // a row of CSV has to fit into one

// By the file's ending: .csv, .tsv, .jsonl (.ndjson), .parquet, .arrow (.feather, .ipc). Missing
// cells are empty. Bytes that are not UTF-8 are passed through. Blank lines are no rows. Numbers of
// Parquet and Arrow are written as Python would ("3", "3.0", "true"), NaN as an empty cell. The
// wanted column `image` may there hold the bytes of pictures: its cells are then their names.
// Throws Error{not_found, io, data} naming file, row and the way out.
Table read_table(const std::filesystem::path& path, const std::vector<std::string>& wanted,
                 const std::string& image = "", std::int32_t block_bytes = kTableBlock);

// The ending in lower case, ".csv".
std::string ending_of(const std::filesystem::path& path);
bool is_table_name(const std::filesystem::path& path);  // by its ending

// What stands between separators; one part more than there are of them.
std::vector<std::string> split_at(std::string_view text, std::string_view separator);

// Without the white space (ASCII) at both ends.
std::string trimmed(std::string_view text);
std::string_view trimmed_view(std::string_view text);

}  // namespace diptych
