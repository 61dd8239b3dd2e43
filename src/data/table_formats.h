// The readers behind read_table(), one for each format, and what they share.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/table.h"

namespace diptych {

Table read_csv(const std::filesystem::path& path, char delimiter,
               const std::vector<std::string>& wanted, std::int32_t block_bytes);
Table read_jsonl(const std::filesystem::path& path, const std::vector<std::string>& wanted);
Table read_columns(const std::filesystem::path& path, const std::vector<std::string>& wanted,
                   const std::string& image);  // Parquet and Arrow

// Appends rows to a table, one JSON object each. Both arguments must outlive it.
class JsonRows {
 public:
  JsonRows(Table& table, const std::vector<std::string>& wanted);
  ~JsonRows();
  bool read(const std::string& object);  // false: the row is there, refused() says what is wrong
  const std::string& refused() const;

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

bool contains(const std::vector<std::string>& names, const std::string& name);
// Throws Error{data} when two columns have the same wanted name.
void refuse_repeated_names(const std::vector<std::string>& names,
                           const std::vector<std::string>& wanted,
                           const std::filesystem::path& path);

}  // namespace diptych
