// The readers behind read_table(), one for each format, and what they share.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "data/table.h"

namespace diptych {

Table read_csv(const std::filesystem::path& path, char delimiter,
               const std::vector<std::string>& wanted, std::int32_t block_bytes);
Table read_jsonl(const std::filesystem::path& path, const std::vector<std::string>& wanted);
Table read_parquet(const std::filesystem::path& path, const std::vector<std::string>& wanted);

bool contains(const std::vector<std::string>& names, const std::string& name);
// Throws Error{data} when two columns have the same wanted name.
void refuse_repeated_names(const std::vector<std::string>& names,
                           const std::vector<std::string>& wanted,
                           const std::filesystem::path& path);

}  // namespace diptych
