// Tables: one, the parts of one, or Hugging Face's metadata beside pictures.
#include <fmt/format.h>

#include "base/error.h"
#include "data/layout.h"
#include "data/table_formats.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

// Gives every row its picture: what the table holds itself, or the file whose path a cell is.
void resolve_pictures(Table& table, const std::string& column, const fs::path& folder) {
  if (!contains(table.names, column)) return;
  table.has_pictures = true;
  const auto rows = static_cast<std::size_t>(table.rows);
  auto& names = table.columns[column];
  names.resize(rows);
  const bool are_paths = table.pictures.empty();
  table.pictures.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    std::string name = trimmed(names[i]);
    if (are_paths && !name.empty()) table.pictures[i].path = folder / name;
    table.picture_names.push_back(std::move(name));
  }
}

// A column that one part lacks would be empty there, and nobody would know.
void require_same_columns(const Table& table, const Table& part, const fs::path& path) {
  for (const auto& [one, other] : {std::pair(&table, &part), std::pair(&part, &table)}) {
    for (const auto& [name, cells] : one->columns) {
      if (other->columns.contains(name)) continue;
      throw Error(ErrorKind::data,
                  fmt::format("column '{}' is not in every file that is read", name), path.string(),
                  "name the files that belong together: DIR/NAME-{0..9}.parquet");
    }
  }
}

Table read_files(const Files& files, const Request& request, const std::string& image) {
  Table table;
  for (const fs::path& file : files) {
    Table part = read_table(file, request.columns, image);
    resolve_pictures(part, image, file.parent_path());
    if (file != files.front() && ending_of(file) != ".jsonl") {
      require_same_columns(table, part, file);
    }
    append(table, std::move(part));
  }
  return table;
}

template <typename T>
void move_to(std::vector<T>& items, std::vector<T>&& more) {
  items.insert(items.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

}  // namespace

Table read_tables(const Files& files, const Request& request) {
  return read_files(files, request, request.options.image_column);
}

// Hugging Face's name for the column of paths, where there is none of ours.
Table read_metadata(const Files& files, const Request& request) {
  constexpr const char* kFileName = "file_name";
  Table table = read_tables(files, request);
  if (table.has_pictures || request.options.image_column != ReadOptions().image_column ||
      !contains(table.names, kFileName)) {
    return table;
  }
  Request with_name = request;
  with_name.columns.push_back(kFileName);
  return read_files(files, with_name, kFileName);
}

void append(Table& table, Table more) {
  const auto rows = static_cast<std::size_t>(table.rows);
  const auto all = rows + static_cast<std::size_t>(more.rows);
  for (auto& [name, cells] : more.columns) {
    auto& column = table.columns[name];
    column.resize(rows);
    move_to(column, std::move(cells));
  }
  for (auto& [name, cells] : table.columns) cells.resize(all);
  for (const std::string& name : more.names) {
    if (!contains(table.names, name)) table.names.push_back(name);
  }
  table.pictures.resize(rows);
  move_to(table.pictures, std::move(more.pictures));
  table.pictures.resize(all);
  table.picture_names.resize(rows);
  move_to(table.picture_names, std::move(more.picture_names));
  table.picture_names.resize(all);
  table.has_pictures |= more.has_pictures;
  for (RowProblem& problem : more.problems) {
    problem.row += table.rows;
    table.problems.push_back(std::move(problem));
  }
  table.rows += more.rows;
}

}  // namespace diptych
