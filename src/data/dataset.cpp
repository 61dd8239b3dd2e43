#include "data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>
#include <unordered_map>

#include "base/csv.h"
#include "base/error.h"
#include "base/hash.h"
#include "data/table.h"
#include "text/unicode.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

struct ProblemRow {
  Problem problem;
  const char* name;
  bool skips;
};
constexpr std::array<ProblemRow, 7> kProblems{{
    {Problem::missing_image, "missing image", true},
    {Problem::unreadable_image, "unreadable image", true},
    {Problem::empty_label, "empty label", true},
    {Problem::unknown_label, "unknown label", true},
    {Problem::small_class, "class too small", true},
    {Problem::invalid_utf8, "invalid UTF-8", false},
    {Problem::long_text, "long text", false},
}};

// The one table in a folder, or the file itself.
fs::path table_file(const fs::path& path) {
  std::error_code code;  // a name that cannot be looked up is not there
  if (!fs::exists(path, code)) {
    throw Error(ErrorKind::not_found, "there is no such file or folder", path.string());
  }
  if (!fs::is_directory(path)) return path;
  std::vector<fs::path> found;
  for (const char* name : {"data.csv", "data.tsv", "data.jsonl", "data.parquet"}) {
    if (fs::exists(path / name)) found.push_back(path / name);
  }
  if (found.empty()) {
    throw Error(ErrorKind::not_found, "the folder holds no data.csv, .tsv, .jsonl or .parquet",
                path.string(),
                "name the table itself, for example " + (path / "rows.csv").string());
  }
  if (found.size() > 1) {
    throw Error(ErrorKind::data,
                "the folder holds both " + found[0].filename().string() + " and " +
                    found[1].filename().string(),
                path.string(), "name the one that is meant");
  }
  return found.front();
}

struct Role {
  const char* flag;
  const std::string& column;
  bool needed;
};

void require_columns(const Table& table, const std::vector<Role>& roles, const fs::path& path) {
  for (const Role& role : roles) {
    if (!role.needed || table.columns.contains(role.column)) continue;
    const std::string near = did_you_mean(role.column, table.names);
    throw Error(ErrorKind::data,
                fmt::format("there is no column '{}'; the columns are: {}", role.column,
                            fmt::join(table.names, ", ")),
                path.string(),
                fmt::format("{}{}name it with {} NAME", near, near.empty() ? "" : " Otherwise ",
                            role.flag));
  }
}

// Turns the cells of one row into an example; problems are noted as they are met.
class RowReader {
 public:
  RowReader(const Table& table, const ReadOptions& options, fs::path folder)
      : options_(options), folder_(std::move(folder)) {
    const auto column = [&](const std::string& name) {
      const auto found = table.columns.find(name);
      return found == table.columns.end() ? nullptr : &found->second;
    };
    image_ = column(options.image_column);
    text_ = column(options.text_column);
    label_ = column(options.label_column);
    group_ = column(options.group_column);
  }

  // The label is returned by name: classes are known only when all rows are.
  Example read(std::size_t index, std::string& label) {
    Example example;
    example.row = static_cast<std::int64_t>(index) + 1;
    const std::string image = image_ ? trimmed((*image_)[index]) : "";
    example.id = unique_id(repair_utf8(image), example.row);
    if (!is_valid_utf8(image)) note(example, Problem::invalid_utf8, "in the image's name");
    if (!image.empty()) example.image.path = folder_ / image;
    if (group_) example.group = clean_name((*group_)[index], example, "in the group");
    label = label_ ? clean_name((*label_)[index], example, "in the label") : "";
    if (text_) example.text = clean_text((*text_)[index], example);
    if (image.empty() && options_.needs_image && options_.skips_empty_image) {
      note(example, Problem::missing_image, "the cell is empty");
    } else if (label.empty() && options_.needs_label) {
      note(example, Problem::empty_label, "");
    }
    return example;
  }

  std::vector<RowProblem> problems;

 private:
  std::string unique_id(const std::string& image, std::int64_t row) {
    std::string id = image.empty() ? fmt::format("row {}", row) : image;
    while (!ids_.insert(id).second) id += fmt::format(" (row {})", row);
    return id;
  }
  std::string clean_name(const std::string& raw, const Example& example, const char* where) {
    const std::string name = trimmed(raw);
    if (is_valid_utf8(name)) return name;
    note(example, Problem::invalid_utf8, where);
    return repair_utf8(name);
  }
  std::string clean_text(const std::string& raw, const Example& example) {
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

  const ReadOptions& options_;
  fs::path folder_;
  const std::vector<std::string>*image_, *text_, *label_, *group_;
  std::set<std::string> ids_;
};

std::unordered_map<std::string, int> index_of(const std::vector<std::string>& classes) {
  std::unordered_map<std::string, int> index;
  for (const std::string& name : classes) index.emplace(name, static_cast<int>(index.size()));
  return index;
}

std::string none_left(const std::map<std::string, std::int64_t>& skipped) {
  std::string text = "no row can be used";
  for (const auto& [reason, count] : skipped) text += fmt::format("; {}: {}", reason, count);
  return text;
}

}  // namespace

const char* problem_name(Problem problem) {
  return kProblems[static_cast<std::size_t>(problem)].name;
}

bool problem_skips(Problem problem) { return kProblems[static_cast<std::size_t>(problem)].skips; }

struct Dataset::Content {
  std::vector<Example> rows;
  std::vector<std::string> classes;
  std::vector<RowProblem> problems;
  std::int64_t rows_read = 0;
  std::string source;
  std::string digest;          // of the rows
  std::string picture_digest;  // of the rows and their pictures; empty: the pictures are not known
};

namespace {

std::string digest_of(std::span<const Example> rows, const std::vector<std::string>& classes) {
  Digest digest;
  digest.add(std::to_string(classes.size()));
  for (const std::string& name : classes) digest.add(name);
  for (const Example& row : rows) {
    for (const std::string* part : {&row.id, &row.text, &row.group}) digest.add(*part);
    digest.add(std::to_string(row.labels.size()));
    for (int label : row.labels) digest.add(classes.at(static_cast<std::size_t>(label)));
  }
  return digest.hex();
}

}  // namespace

Dataset::Dataset() : Dataset(std::vector<Example>{}, {}) {}

Dataset::Dataset(std::vector<Example> rows, std::vector<std::string> classes) {
  Content content;
  content.rows = std::move(rows);
  content.classes = std::move(classes);
  content.rows_read = static_cast<std::int64_t>(content.rows.size());
  content.digest = digest_of(content.rows, content.classes);
  content_ = std::make_shared<const Content>(std::move(content));
}

std::size_t Dataset::size() const { return content_->rows.size(); }
const Example& Dataset::operator[](std::size_t index) const { return content_->rows.at(index); }
std::span<const Example> Dataset::rows() const { return content_->rows; }
const std::vector<std::string>& Dataset::classes() const { return content_->classes; }
std::span<const RowProblem> Dataset::problems() const { return content_->problems; }
std::int64_t Dataset::rows_read() const { return content_->rows_read; }
std::string Dataset::source() const { return content_->source; }

std::string Dataset::digest() const { return digest_for(Inputs::image_text); }

std::string Dataset::digest_for(Inputs inputs) const {
  const bool sees = inputs != Inputs::text && !content_->picture_digest.empty();
  return sees ? content_->picture_digest : content_->digest;
}

Dataset Dataset::with_pictures(std::span<const std::uint64_t> digests) const {
  if (digests.size() != size()) throw std::invalid_argument("one digest for each row");
  Digest digest;
  digest.add(content_->digest);
  for (std::uint64_t picture : digests) digest.add(fmt::format("{:016x}", picture));
  Content content = *content_;
  content.picture_digest = digest.hex();
  Dataset result;
  result.content_ = std::make_shared<const Content>(std::move(content));
  return result;
}

Dataset Dataset::with_groups(std::span<const std::string> groups) const {
  if (groups.size() != size()) throw std::invalid_argument("one group for each row");
  Content content = *content_;
  for (std::size_t i = 0; i < size(); ++i) content.rows[i].group = groups[i];
  content.digest = digest_of(content.rows, content.classes);
  content.picture_digest.clear();
  Dataset result;
  result.content_ = std::make_shared<const Content>(std::move(content));
  return result;
}

std::map<std::string, std::int64_t> Dataset::skipped() const {
  std::map<std::string, std::int64_t> counts;
  for (const RowProblem& problem : content_->problems) {
    if (problem_skips(problem.problem)) ++counts[problem_name(problem.problem)];
  }
  return counts;
}

Dataset Dataset::without(std::span<const RowProblem> problems, bool keep_classes) const {
  std::set<std::int64_t> gone;
  for (const RowProblem& problem : problems) {
    if (problem_skips(problem.problem)) gone.insert(problem.row);
  }
  std::vector<Example> rows;
  std::set<int> used;
  for (const Example& row : content_->rows) {
    if (gone.contains(row.row)) continue;
    rows.push_back(row);
    used.insert(row.labels.begin(), row.labels.end());
  }
  std::vector<std::string> classes = content_->classes;
  if (!keep_classes && used.size() < classes.size()) {
    std::vector<int> renumbered(classes.size(), -1);
    std::vector<std::string> left;
    for (int label : used) {
      renumbered[static_cast<std::size_t>(label)] = static_cast<int>(left.size());
      left.push_back(classes[static_cast<std::size_t>(label)]);
    }
    for (Example& row : rows) {
      for (int& label : row.labels) label = renumbered[static_cast<std::size_t>(label)];
    }
    classes = std::move(left);
  }
  Dataset result(std::move(rows), std::move(classes));
  Content content = *result.content_;
  content.rows_read = content_->rows_read;
  content.source = content_->source;
  content.problems = content_->problems;
  content.problems.insert(content.problems.end(), problems.begin(), problems.end());
  std::stable_sort(content.problems.begin(), content.problems.end(),
                   [](const RowProblem& a, const RowProblem& b) { return a.row < b.row; });
  result.content_ = std::make_shared<const Content>(std::move(content));
  return result;
}

Dataset read_dataset(const fs::path& path, const ReadOptions& options) {
  const fs::path file = table_file(path);
  const Table table = read_table(file, {options.image_column, options.text_column,
                                        options.label_column, options.group_column});
  const bool group_given = options.group_column != ReadOptions().group_column;
  require_columns(table,
                  {{"--image-column", options.image_column, options.needs_image},
                   {"--text-column", options.text_column, options.needs_text},
                   {"--label-column", options.label_column, options.needs_label},
                   {"--group-column", options.group_column, group_given}},
                  file);

  RowReader reader(table, options, file.parent_path());
  std::vector<Example> rows;
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < static_cast<std::size_t>(table.rows); ++i) {
    rows.push_back(reader.read(i, labels.emplace_back()));
  }
  std::vector<std::string> classes = options.classes;
  if (classes.empty()) {
    const std::set<std::string> names(labels.begin(), labels.end());
    std::copy_if(names.begin(), names.end(), std::back_inserter(classes),
                 [](const std::string& name) { return !name.empty(); });
  }
  const auto index = index_of(classes);
  std::set<std::int64_t> noted;
  for (const RowProblem& problem : reader.problems) {
    if (problem_skips(problem.problem)) noted.insert(problem.row);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (labels[i].empty()) continue;
    if (const auto found = index.find(labels[i]); found != index.end()) {
      rows[i].labels = {found->second};
    } else if (options.needs_label && !noted.contains(rows[i].row)) {
      reader.problems.push_back({rows[i].row, rows[i].id, Problem::unknown_label, labels[i]});
    }
  }
  const Dataset all(std::move(rows), std::move(classes));
  Dataset dataset = all.without(reader.problems, /*keep_classes=*/!options.classes.empty());
  Dataset::Content content = *dataset.content_;
  content.source = file.string();
  dataset.content_ = std::make_shared<const Dataset::Content>(std::move(content));
  if (dataset.size() == 0) {
    throw Error(ErrorKind::data, none_left(dataset.skipped()), file.string(),
                "see the columns and the paths of the pictures (relative to the table)");
  }
  return dataset;
}

std::string problems_csv(std::span<const RowProblem> problems) {
  std::string csv = "row,id,problem,action,detail\n";
  for (const RowProblem& problem : problems) {
    csv += fmt::format(
        "{},{},{},{},{}\n", problem.row, csv_cell(problem.id), problem_name(problem.problem),
        problem_skips(problem.problem) ? "skipped" : "used", csv_cell(problem.detail));
  }
  return csv;
}

}  // namespace diptych
