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

}  // namespace

CleanedTable cleaned_table(const Inspection& inspection, const ReadOptions& columns,
                           const fs::path& output) {
  const std::string source = inspection.dataset.source();
  std::vector<std::string> names = read_table(source, {}).names;
  const Table table = read_table(source, names);
  if (!table.columns.contains(columns.image_column)) {
    throw Error(ErrorKind::data, "names no files of pictures, so no table of them can be written",
                source);
  }
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
  add_line([](const std::string& name) { return name; });
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    const auto place = kept.find(row);
    if (place == kept.end()) continue;
    add_line([&](const std::string& name) {
      if (name == columns.group_column) return inspection.groups[place->second];
      if (name != columns.image_column) return table.columns.at(name)[row];
      return moved_path(inspection.dataset[place->second].image.path, folder);
    });
  }
  return result;
}

}  // namespace diptych
