// From what stands on the disk to rows: one closed table of layouts, one reader for each. The
// layout is told from names, never from content; where two would do, none is chosen.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/table.h"

namespace diptych {

// What diptych import has drawn; beside the pictures that were fetched for it, it is no data.
constexpr const char* kSampleFile = "sample.parquet";

// What a reading asks for.
struct Request {
  const ReadOptions& options;
  std::vector<std::string> columns;  // wanted, whatever role they have
};

// path: a table, a folder, a shard, or several of one kind as "NAME-{000..012}.tar". The table has
// pictures for every row, if it has any. Throws Error{not_found, data, io}.
Table read_layout(const std::filesystem::path& path, const Request& request);

// A line for each layout, for --help.
std::string layouts_help();

// "a{1..3}.tar" and "{a,b}.tar" as shells write them; a text without braces is itself. Throws
// Error{data} for more than a million names.
std::vector<std::string> expand_braces(const std::string& pattern);

// The readers. Files stand in the order of their rows.
using Files = std::vector<std::filesystem::path>;
Table read_tables(const Files& files, const Request& request);
Table read_metadata(const Files& files, const Request& request);
Table read_class_folders(const Files& folders, const Request& request);
Table read_shards(const Files& files, const Request& request);
Table read_download_folders(const Files& files, const Request& request);

// Appends rows; a column that one of them lacks is empty there.
void append(Table& table, Table more);

// ".jpg" and others, also of formats that we do not decode: their rows are counted.
bool is_picture_ending(const std::string& ending);
bool is_picture_name(const std::filesystem::path& path);
// In order of name, without hidden ones. Throws Error{io}.
Files entries_of(const std::filesystem::path& folder);

}  // namespace diptych
