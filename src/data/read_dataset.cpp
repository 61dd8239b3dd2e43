// From the cells of a table to examples: roles, labels, parts, and what is wrong with a row.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "data/dataset.h"
#include "data/label_names.h"
#include "data/layout.h"
#include "data/samples.h"
#include "data/table.h"
#include "text/unicode.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

using Strings = std::vector<std::string>;

// "title,description" is the column of that name if there is one, else two columns.
Strings text_columns(const ReadOptions& options, const Strings& present) {
  const bool is_one =
      std::find(present.begin(), present.end(), options.text_column) != present.end();
  Strings columns;
  if (!is_one) {
    for (const std::string& name : split_at(options.text_column, ","))
      columns.push_back(trimmed(name));
  }
  if (columns.size() < 2) return {options.text_column};
  return columns;
}

Strings wanted_columns(const ReadOptions& options) {
  Strings wanted = {options.image_column, options.text_column,  options.label_column,
                    options.group_column, options.split_column, kKeyColumn,
                    kStatusColumn,        kErrorColumn};
  for (std::string& name : text_columns(options, {})) wanted.push_back(std::move(name));
  return wanted;
}

struct Role {
  const char* flag;
  std::string column;
  bool needed;
  bool present;
};

// A column may be missing only because its shard is damaged.
std::string loss_of(const Table& table) {
  for (const RowProblem& problem : table.problems) {
    if (problem.problem == Problem::lost) return "; " + problem.detail;
  }
  return "";
}

void require_columns(const Table& table, const ReadOptions& options) {
  const auto has = [&](const std::string& name) { return table.columns.contains(name); };
  const auto given = [&](const std::string& name, const std::string& usual) {
    return name != usual && name != kNone;
  };
  const ReadOptions usual;
  std::vector<Role> roles = {
      {"--image-column", options.image_column, options.needs_image, table.has_pictures},
      {"--label-column", options.label_column, options.needs_label, has(options.label_column)},
      {"--group-column", options.group_column, given(options.group_column, usual.group_column),
       has(options.group_column)},
      {"--split-column", options.split_column, given(options.split_column, usual.split_column),
       has(options.split_column)}};
  for (const std::string& name : text_columns(options, table.names)) {
    roles.push_back({"--text-column", name, options.needs_text, has(name)});
  }
  for (const Role& role : roles) {
    if (!role.needed || role.present) continue;
    const std::string near = did_you_mean(role.column, table.names);
    throw Error(ErrorKind::data,
                fmt::format("there is no column '{}'; the columns are: {}{}", role.column,
                            fmt::join(table.names, ", "), loss_of(table)),
                table.source,
                fmt::format("{}{}name it with {} NAME", near, near.empty() ? "" : " Otherwise ",
                            role.flag));
  }
}

// Turns the cells of one row into an example, and takes its picture away from the table; problems
// are noted as they are met.
class RowReader {
 public:
  RowReader(Table& table, const ReadOptions& options) : table_(table), options_(options) {
    label_ = column(options.label_column);
    group_ = column(options.group_column);
    split_ = column(options.split_column);
    for (const std::string& name : text_columns(options, table.names)) {
      if (const auto* cells = column(name)) texts_.push_back(cells);
    }
    if (notes_downloads(table)) {
      status_ = column(kStatusColumn);
      error_ = column(kErrorColumn);
    }
    if (options.label_names != kNone) label_names_ = read_label_names(options.label_names);
  }

  // The labels are returned by name: classes are known only when all rows are.
  Example read(std::size_t index, Strings& labels) {
    Example example;
    example.row = static_cast<std::int64_t>(index) + 1;
    const std::string name = table_.has_pictures ? table_.picture_names[index] : "";
    example.id = unique_id(repair_utf8(name), example.row);
    if (note_from_table(example)) return example;
    if (!is_valid_utf8(name)) note(example, Problem::invalid_utf8, "in the image's name");
    if (table_.has_pictures) example.image = std::move(table_.pictures[index]);
    if (group_) example.group = clean_name((*group_)[index], example, "in the group");
    if (split_) example.part = part_named(trimmed((*split_)[index]));
    if (label_) labels = clean_labels((*label_)[index], example);
    example.text = clean_text(index, example);
    note_what_skips(example, index, labels);
    return example;
  }

  std::vector<RowProblem> problems;

 private:
  const Strings* column(const std::string& name) const {
    const auto found = table_.columns.find(name);
    return found == table_.columns.end() || name == kNone ? nullptr : &found->second;
  }

  // What the layout's reader has found; true when it costs the row.
  bool note_from_table(const Example& example) {
    bool skips = false;
    for (; next_ < table_.problems.size() && table_.problems[next_].row == example.row; ++next_) {
      note(example, table_.problems[next_].problem, table_.problems[next_].detail);
      skips |= problem_skips(problems.back().problem);
    }
    return skips;
  }

  void note_what_skips(const Example& example, std::size_t index, const Strings& labels) {
    if (status_ && (*status_)[index] != "success") {
      const std::string& reason = (*error_)[index];
      note(example, Problem::failed_download, reason.empty() ? (*status_)[index] : reason);
    } else if (example.image.empty() && options_.needs_image && options_.skips_empty_image) {
      note(example, Problem::missing_image, "the cell is empty");
    } else if (labels.empty() && options_.needs_label) {
      note(example, Problem::empty_label, "");
    } else if (!unnamed_label_.empty()) {
      note(example, Problem::unknown_label, unnamed_label_ + " has no name");
    } else if (split_ && example.part == Part::unknown) {
      note(example, Problem::unknown_split, (*split_)[index]);
    }
  }

  std::string unique_id(const std::string& name, std::int64_t row) {
    std::string id = name.empty() ? fmt::format("row {}", row) : name;
    while (!ids_.insert(id).second) id += fmt::format(" (row {})", row);
    return id;
  }

  std::string clean_name(const std::string& raw, const Example& example, const char* where) {
    const std::string name = trimmed(raw);
    if (is_valid_utf8(name)) return name;
    note(example, Problem::invalid_utf8, where);
    return repair_utf8(name);
  }

  // Without repetition, in the order of the cell.
  Strings clean_labels(const std::string& cell, const Example& example) {
    unnamed_label_.clear();
    const bool is_list = cell.find(kListSeparator) != std::string::npos;
    Strings items = {cell};
    if (is_list) {
      items = split_at(cell, std::string(1, kListSeparator));
    } else if (options_.label_separator != kNone) {
      items = split_at(cell, options_.label_separator);
    }
    Strings labels;
    for (const std::string& item : items) {
      std::string label = clean_name(item, example, "in the label");
      if (label.empty()) continue;
      if (!label_names_.empty()) {
        const auto named = label_names_.find(label);
        if (named == label_names_.end()) unnamed_label_ = label;
        if (named != label_names_.end()) label = named->second;
      }
      if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
    }
    return labels;
  }

  std::string clean_text(std::size_t index, const Example& example) {
    std::string raw;
    for (const Strings* cells : texts_) {
      const std::string& cell = (*cells)[index];
      if (texts_.size() == 1 && cell.find(kListSeparator) == std::string::npos) {
        raw = cell;
        continue;
      }
      for (const std::string& item : split_at(cell, std::string(1, kListSeparator))) {
        if (item.empty()) continue;
        raw += (raw.empty() ? "" : options_.text_separator) + item;
      }
    }
    const std::string_view cut = cut_utf8(raw, options_.max_text_bytes);
    if (cut.size() < raw.size()) {
      note(example, Problem::long_text, fmt::format("{} bytes", raw.size()));
    }
    if (is_valid_utf8(cut)) return std::string(cut);
    note(example, Problem::invalid_utf8, "in the text");
    return repair_utf8(cut);
  }

  void note(const Example& example, Problem problem, std::string detail) {
    problems.push_back({example.row, example.id, problem, std::move(detail)});
  }

  Table& table_;
  const ReadOptions& options_;
  const Strings *label_ = nullptr, *group_ = nullptr, *split_ = nullptr, *status_ = nullptr,
                *error_ = nullptr;
  std::vector<const Strings*> texts_;
  std::map<std::string, std::string> label_names_;
  std::string unnamed_label_;  // of the row that is being read
  std::unordered_set<std::string> ids_;
  std::size_t next_ = 0;  // of the table's problems
};

std::string none_left(const Dataset& dataset) {
  std::string text = "no row can be used";
  for (const auto& [reason, count] : dataset.skipped()) {
    text += fmt::format("; {}: {}", reason, count);
  }
  for (const RowProblem& problem : dataset.problems()) {
    if (!problem_skips(problem.problem) || problem.detail.empty()) continue;
    return text + fmt::format("; row {} ({}): {}", problem.row, problem.id, problem.detail);
  }
  return text;
}

Strings classes_among(const std::vector<Strings>& labels) {
  std::set<std::string> names;
  for (const Strings& of_row : labels) names.insert(of_row.begin(), of_row.end());
  return {names.begin(), names.end()};
}

}  // namespace

Dataset read_dataset(const fs::path& path, const ReadOptions& options) {
  Table table = read_layout(path, {options, wanted_columns(options)});
  require_columns(table, options);
  RowReader reader(table, options);
  std::vector<Example> rows;
  std::vector<Strings> labels;
  const auto count = static_cast<std::size_t>(table.rows);
  rows.reserve(count);
  labels.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back(reader.read(i, labels.emplace_back()));
  }
  Strings classes = options.classes.empty() ? classes_among(labels) : options.classes;
  std::set<std::int64_t> noted;
  for (const RowProblem& problem : reader.problems) {
    if (problem_skips(problem.problem)) noted.insert(problem.row);
  }
  std::unordered_map<std::string, int> index;
  for (const std::string& name : classes) index.emplace(name, static_cast<int>(index.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const std::string& label : labels[i]) {
      const auto found = index.find(label);
      if (found != index.end()) rows[i].labels.push_back(found->second);
      if (found != index.end() || !options.needs_label) continue;
      if (!noted.insert(rows[i].row).second) continue;
      reader.problems.push_back({rows[i].row, rows[i].id, Problem::unknown_label, label});
    }
  }
  const Dataset all(std::move(rows), std::move(classes), table.source);
  Dataset dataset = all.without(reader.problems, /*keep_classes=*/!options.classes.empty());
  if (dataset.size() == 0) {
    throw Error(ErrorKind::data, none_left(dataset), table.source,
                "see the columns and the paths of the pictures (relative to the table)");
  }
  return dataset;
}

}  // namespace diptych
