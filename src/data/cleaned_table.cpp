#include "data/cleaned_table.h"

#include <set>
#include <tuple>
#include <unordered_map>

#include "base/csv.h"
#include "base/error.h"
#include "data/table.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

// The row numbers that stay, each with its index in the inspected dataset.
std::unordered_map<std::size_t, std::size_t> kept_rows(const Inspection& inspection,
                                                       CleanedTable& result) {
  const Dataset& dataset = inspection.dataset;
  std::set<std::int64_t> unusable;
  for (const RowProblem& problem : inspection.pictures.problems) unusable.insert(problem.row);
  std::set<std::tuple<std::size_t, std::string, std::vector<int>>> seen;
  std::unordered_map<std::size_t, std::size_t> kept;
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    const Example& row = dataset[i];
    if (unusable.contains(row.row)) continue;
    if (seen.emplace(inspection.exact[i], row.text, row.labels).second) {
      kept.emplace(static_cast<std::size_t>(row.row) - 1, i);
      result.grouped += row.group != inspection.groups[i];
    } else {
      ++result.doubled;
    }
  }
  result.kept = static_cast<std::int64_t>(kept.size());
  result.unusable = dataset.rows_read() - result.kept - result.doubled;
  return kept;
}

// Folders as they really lie, since ".." of a link leads elsewhere; a picture that is a link stays.
std::string moved_path(const fs::path& image, const fs::path& folder) {
  const fs::path whole = fs::weakly_canonical(fs::absolute(image).parent_path()) / image.filename();
  return whole.lexically_proximate(folder).string();
}

// The table that was read, or what was made of folders and parts: one row for each that was read.
struct WholeTable {
  Table table;
  std::string image;  // its column of paths
};

WholeTable whole_table(const Dataset& dataset, const ReadOptions& columns) {
  for (const Example& row : dataset.rows()) {
    if (!row.image.container) continue;
    throw Error(ErrorKind::data, "a table can name no pictures that lie inside other files",
                row.image.container->path.string(),
                "drop --fix; --group-by duplicates keeps copies together while training");
  }
  const std::string source = dataset.source();
  if (fs::is_regular_file(source) && is_table_name(source)) {
    Table table = read_table(source, read_table(source, {}).names);
    const std::string image =
        table.columns.contains(columns.image_column) ? columns.image_column : "file_name";
    if (table.columns.contains(image)) return {std::move(table), image};
  }
  Table table;
  table.rows = dataset.rows_read();
  table.names = {columns.image_column, columns.text_column, columns.label_column,
                 columns.group_column};
  for (const std::string& name : table.names) {
    table.columns[name].resize(static_cast<std::size_t>(table.rows));
  }
  for (const Example& row : dataset.rows()) {
    const auto place = static_cast<std::size_t>(row.row) - 1;
    table.columns[columns.text_column].set(place, row.text);
    std::string cell;
    for (int label : row.labels) {
      cell += (cell.empty() ? "" : "|") + dataset.classes()[static_cast<std::size_t>(label)];
    }
    table.columns[columns.label_column].set(place, cell);
  }
  return {std::move(table), columns.image_column};
}

}  // namespace

CleanedTable cleaned_table(const Inspection& inspection, const ReadOptions& columns,
                           const fs::path& output) {
  const auto [table, image] = whole_table(inspection.dataset, columns);
  std::vector<std::string> names = table.names;
  if (!table.columns.contains(columns.group_column)) names.push_back(columns.group_column);

  CleanedTable result;
  const auto kept = kept_rows(inspection, result);
  const fs::path folder = fs::weakly_canonical(fs::absolute(output).parent_path());
  const auto add_line = [&](const auto& cell) {
    for (std::size_t column = 0; column < names.size(); ++column) {
      result.csv += (column > 0 ? "," : "") + csv_cell(cell(names[column]));
    }
    result.csv += "\n";
  };
  add_line([&, &image = image](const std::string& name) {
    return name == image ? columns.image_column : name;
  });
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    const auto place = kept.find(row);
    if (place == kept.end()) continue;
    add_line([&, &table = table, &image = image](const std::string& name) {
      if (name == columns.group_column) return inspection.groups[place->second];
      if (name != image) return std::string(table.columns.at(name)[row]);
      return moved_path(inspection.dataset[place->second].image.path, folder);
    });
  }
  return result;
}

}  // namespace diptych
