// From the cells of a table to examples: roles, labels, parts, and what is wrong with a row.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
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

// Ids that were given out, by their hashes. Two that share one are taken for the same: the second
// one is told by its row as well.
class IdSet {
 public:
  explicit IdSet(std::size_t ids) : places_(std::bit_ceil(2 * ids + 2)) {}
  bool insert(std::string_view id) {
    const std::uint64_t hash = std::max<std::uint64_t>(1, hash64(id));
    for (std::size_t i = hash;; ++i) {
      std::uint64_t& place = places_[i % places_.size()];
      if (place == hash) return false;
      if (place == 0) return place = hash, true;
    }
  }

 private:
  RowVector<std::uint64_t> places_;  // 0: free
};

// The labels of a cell, by the numbers in which they were first seen.
struct CellLabels {
  std::vector<int> labels;
  std::string unnamed;  // one that --label-names does not name
  bool is_utf8 = true;
};

// Turns the cells of rows into examples; problems are noted as they are met. Classes are known only
// when all rows are, so labels are numbered as they come.
class RowReader {
 public:
  RowReader(Table& table, const ReadOptions& options)
      : table_(table), options_(options), ids_(static_cast<std::size_t>(table.rows)) {
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
    for (const TextColumn* cells : texts_) rows.texts.keep(*cells);
    rows.ids.keep(table.picture_names);
    if (group_) rows.groups.keep(*group_);
    table.pictures.resize(static_cast<std::size_t>(table.rows));
    rows.pictures = std::move(table.pictures);
    reserve(static_cast<std::size_t>(table.rows));
  }

  void read(std::size_t index) {
    row_ = static_cast<std::int64_t>(index) + 1;
    const std::string_view name =
        table_.has_pictures ? table_.picture_names[index] : std::string_view();
    add_id(name);
    rows.numbers.push_back(row_);
    if (note_from_table()) {
      add_cells({}, {}, Part::unknown, {});
      return;
    }
    if (!is_valid_utf8(name)) note(Problem::invalid_utf8, "in the image's name");
    const std::string_view group = group_ ? clean_group((*group_)[index]) : std::string_view();
    const Part part = split_ ? part_named(trimmed((*split_)[index])) : Part::unknown;
    const CellLabels& labels = label_ ? labels_of((*label_)[index]) : no_labels_;
    if (!labels.is_utf8) note(Problem::invalid_utf8, "in the label");
    add_cells(text_of(index), group, part, labels.labels);
    note_what_skips(index, labels);
  }

  ExampleColumns finish() {
    rows.texts.keep(made_);
    rows.groups.keep(made_);
    return std::move(rows);
  }

  ExampleColumns rows;
  std::vector<RowProblem> problems;
  Strings labels;  // by number

 private:
  const TextColumn* column(const std::string& name) const {
    const auto found = table_.columns.find(name);
    return found == table_.columns.end() || name == kNone ? nullptr : &found->second;
  }

  void reserve(std::size_t count) {
    rows.ids.reserve(count);
    rows.texts.reserve(count);
    if (group_) rows.groups.reserve(count);
    rows.labels.reserve(count);
    rows.label_ends.reserve(count);
    rows.parts.reserve(count);
    rows.numbers.reserve(count);
  }

  void add_id(std::string_view name) {
    if (!name.empty() && is_valid_utf8(name) && ids_.insert(name)) {
      rows.ids.share(name);
      return;
    }
    std::string id = name.empty() ? fmt::format("row {}", row_) : repair_utf8(name);
    while (id == name || !ids_.insert(id)) id += fmt::format(" (row {})", row_);
    rows.ids.push_back(id);
  }

  void add_cells(std::string_view text, std::string_view group, Part part,
                 std::span<const int> labels_of_row) {
    rows.texts.share(text);
    if (group_) rows.groups.share(group);
    rows.parts.push_back(part);
    rows.labels.insert(rows.labels.end(), labels_of_row.begin(), labels_of_row.end());
    rows.label_ends.push_back(static_cast<std::uint32_t>(rows.labels.size()));
  }

  // What the layout's reader has found; true when it costs the row.
  bool note_from_table() {
    bool skips = false;
    for (; next_ < table_.problems.size() && table_.problems[next_].row == row_; ++next_) {
      note(table_.problems[next_].problem, table_.problems[next_].detail);
      skips |= problem_skips(problems.back().problem);
    }
    return skips;
  }

  void note_what_skips(std::size_t index, const CellLabels& labels_of_row) {
    if (status_ && (*status_)[index] != "success") {
      const std::string reason((*error_)[index]);
      note(Problem::failed_download, reason.empty() ? std::string((*status_)[index]) : reason);
    } else if (!rows.pictures.has(index) && options_.needs_image && options_.skips_empty_image) {
      note(Problem::missing_image, "the cell is empty");
    } else if (labels_of_row.labels.empty() && options_.needs_label) {
      note(Problem::empty_label, "");
    } else if (!labels_of_row.unnamed.empty()) {
      note(Problem::unknown_label, labels_of_row.unnamed + " has no name");
    } else if (split_ && rows.parts.back() == Part::unknown) {
      note(Problem::unknown_split, std::string((*split_)[index]));
    }
  }

  std::string_view clean_group(std::string_view raw) {
    const std::string_view name = trimmed_view(raw);
    if (is_valid_utf8(name)) return name;
    note(Problem::invalid_utf8, "in the group");
    return made_.push_back(repair_utf8(name)), made_.back();
  }

  // Cells repeat: few are taken apart more than once.
  const CellLabels& labels_of(std::string_view cell) {
    constexpr std::size_t kMostKnown = 1 << 16;
    if (const auto known = known_labels_.find(std::string(cell)); known != known_labels_.end()) {
      return known->second;
    }
    if (known_labels_.size() >= kMostKnown) known_labels_.clear();
    return known_labels_.emplace(cell, take_apart(cell)).first->second;
  }

  // Without repetition, in the order of the cell.
  CellLabels take_apart(std::string_view cell) {
    Strings items = {std::string(cell)};
    if (cell.find(kListSeparator) != std::string::npos) {
      items = split_at(cell, std::string_view(&kListSeparator, 1));
    } else if (options_.label_separator != kNone) {
      items = split_at(cell, options_.label_separator);
    }
    CellLabels result;
    for (const std::string& item : items) {
      std::string label = trimmed(item);
      if (label.empty()) continue;
      if (!is_valid_utf8(label)) {
        result.is_utf8 = false;
        label = repair_utf8(label);
      }
      if (!label_names_.empty()) {
        const auto named = label_names_.find(label);
        if (named == label_names_.end()) result.unnamed = label;
        if (named != label_names_.end()) label = named->second;
      }
      const auto [number, is_new] = numbers_.emplace(label, static_cast<int>(labels.size()));
      if (is_new) labels.push_back(label);
      const int found = number->second;
      if (std::find(result.labels.begin(), result.labels.end(), found) == result.labels.end()) {
        result.labels.push_back(found);
      }
    }
    return result;
  }

  std::string_view text_of(std::size_t index) {
    std::string_view raw;
    if (texts_.size() == 1 && (*texts_[0])[index].find(kListSeparator) == std::string::npos) {
      raw = (*texts_[0])[index];
    } else if (!texts_.empty()) {
      raw = joined(index);
    }
    const std::string_view cut = cut_utf8(raw, options_.max_text_bytes);
    if (cut.size() < raw.size()) note(Problem::long_text, fmt::format("{} bytes", raw.size()));
    if (is_valid_utf8(cut)) return cut;
    note(Problem::invalid_utf8, "in the text");
    return made_.push_back(repair_utf8(cut)), made_.back();
  }

  std::string_view joined(std::size_t index) {
    std::string text;
    for (const TextColumn* cells : texts_) {
      for (const std::string& item :
           split_at((*cells)[index], std::string_view(&kListSeparator, 1))) {
        if (!item.empty()) text += (text.empty() ? "" : options_.text_separator) + item;
      }
    }
    return made_.push_back(text), made_.back();
  }

  void note(Problem problem, std::string detail) {
    problems.push_back({row_, std::string(rows.ids.back()), problem, std::move(detail)});
  }

  Table& table_;
  const ReadOptions& options_;
  const TextColumn *label_ = nullptr, *group_ = nullptr, *split_ = nullptr, *status_ = nullptr,
                   *error_ = nullptr;
  std::vector<const TextColumn*> texts_;
  std::map<std::string, std::string> label_names_;
  std::unordered_map<std::string, int> numbers_;  // of labels
  std::unordered_map<std::string, CellLabels> known_labels_;
  const CellLabels no_labels_{};
  TextColumn made_;  // what stands in no cell as it is used
  IdSet ids_;
  std::int64_t row_ = 0;  // that is being read
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

// Renumbers labels by their classes; one that is no class goes, and costs its row when labels are
// needed.
void number_classes(RowReader& reader, const Strings& classes, bool needs_label) {
  std::unordered_map<std::string, int> index;
  for (const std::string& name : classes) index.emplace(name, static_cast<int>(index.size()));
  std::vector<int> number;  // of each label, -1: no class
  for (const std::string& label : reader.labels) {
    const auto found = index.find(label);
    number.push_back(found == index.end() ? -1 : found->second);
  }
  std::unordered_set<std::int64_t> noted;
  for (const RowProblem& problem : reader.problems) {
    if (problem_skips(problem.problem)) noted.insert(problem.row);
  }
  ExampleColumns& rows = reader.rows;
  std::uint32_t from = 0, to = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (; from < rows.label_ends[i]; ++from) {
      const auto label = static_cast<std::size_t>(rows.labels[from]);
      if (number[label] >= 0) {
        rows.labels[to++] = number[label];
      } else if (needs_label && noted.insert(rows.numbers[i]).second) {
        reader.problems.push_back({rows.numbers[i], std::string(rows.ids[i]),
                                   Problem::unknown_label, reader.labels[label]});
      }
    }
    rows.label_ends[i] = to;
  }
  rows.labels.resize(to);
}

}  // namespace

Dataset read_dataset(const fs::path& path, const ReadOptions& options) {
  Table table = read_layout(path, {options, wanted_columns(options)});
  require_columns(table, options);
  RowReader reader(table, options);
  for (std::size_t i = 0; i < static_cast<std::size_t>(table.rows); ++i) reader.read(i);
  Strings classes = options.classes;
  if (classes.empty()) {
    classes = reader.labels;
    std::sort(classes.begin(), classes.end());
  }
  number_classes(reader, classes, options.needs_label);
  table.columns.clear();
  const Dataset all(reader.finish(), std::move(classes), table.source);
  Dataset dataset = all.without(reader.problems, /*keep_classes=*/!options.classes.empty());
  if (dataset.size() == 0) {
    throw Error(ErrorKind::data, none_left(dataset), table.source,
                "see the columns and the paths of the pictures (relative to the table)");
  }
  return dataset;
}

}  // namespace diptych
