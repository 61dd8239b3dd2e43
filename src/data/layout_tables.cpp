// Tables: one, the parts of one, or Hugging Face's metadata beside pictures.
#include <fmt/format.h>

#include <algorithm>

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
  TextColumn names = std::move(table.columns[column]);
  names.resize(rows);
  const bool has_space = std::any_of(names.begin(), names.end(), [](std::string_view name) {
    return trimmed_view(name).size() < name.size();
  });
  table.picture_names = has_space ? TextColumn() : names;
  for (std::size_t i = 0; i < rows && has_space; ++i) {
    table.picture_names.share(trimmed_view(names[i]));
  }
  table.picture_names.keep(names);
  if (table.pictures.empty()) {
    table.pictures = PictureColumn::files(folder, table.picture_names);
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
  if (table.rows == 0 && table.names.empty() && table.problems.empty()) {
    table = std::move(more);
    return;
  }
  const auto rows = static_cast<std::size_t>(table.rows);
  const auto all = rows + static_cast<std::size_t>(more.rows);
  for (auto& [name, cells] : more.columns) {
    auto& column = table.columns[name];
    column.resize(rows);
    column.append(cells);
  }
  for (auto& [name, cells] : table.columns) cells.resize(all);
  for (const std::string& name : more.names) {
    if (!contains(table.names, name)) table.names.push_back(name);
  }
  table.pictures.resize(rows);
  table.pictures.append(more.pictures);
  table.pictures.resize(all);
  table.picture_names.resize(rows);
  table.picture_names.append(more.picture_names);
  table.picture_names.resize(all);
  table.has_pictures |= more.has_pictures;
  for (RowProblem& problem : more.problems) {
    problem.row += table.rows;
    table.problems.push_back(std::move(problem));
  }
  table.rows += more.rows;
}

}  // namespace diptych
