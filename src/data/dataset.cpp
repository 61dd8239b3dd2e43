#include "data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <unordered_set>

#include "base/csv.h"
#include "base/hash.h"
#include "text/unicode.h"

namespace diptych {
namespace {

struct ProblemRow {
  Problem problem;
  const char* name;
  bool skips;
};
constexpr std::array<ProblemRow, 12> kProblems{{
    {Problem::missing_image, "missing image", true},
    {Problem::unreadable_image, "unreadable image", true},
    {Problem::empty_label, "empty label", true},
    {Problem::unknown_label, "unknown label", true},
    {Problem::unknown_split, "unknown split", true},
    {Problem::small_class, "class too small", true},
    {Problem::untrained_class, "class without training rows", true},
    {Problem::failed_download, "failed download", true},
    {Problem::lost, "lost in a damaged shard", true},
    {Problem::invalid_json, "invalid JSON", false},
    {Problem::invalid_utf8, "invalid UTF-8", false},
    {Problem::long_text, "long text", false},
}};

constexpr std::array<std::pair<const char*, Part>, 8> kParts{{{"train", Part::train},
                                                              {"training", Part::train},
                                                              {"validation", Part::validation},
                                                              {"valid", Part::validation},
                                                              {"val", Part::validation},
                                                              {"dev", Part::validation},
                                                              {"test", Part::test},
                                                              {"testing", Part::test}}};

const char* part_name(Part part) {
  switch (part) {
    case Part::train:
      return "train";
    case Part::validation:
      return "validation";
    case Part::test:
      return "test";
    case Part::unknown:
      break;
  }
  return "";
}

// Downloads fail for many reasons, some with a host or a time in them: the first ones are told
// apart.
void count_failure(const std::string& reason, std::map<std::string, std::int64_t>& counts) {
  constexpr std::size_t kReasons = 20, kLongest = 100;
  const std::string name = problem_name(Problem::failed_download);
  const std::string told = name + ": " + std::string(cut_utf8(reason, kLongest));
  const bool has_room = counts.size() < kReasons || counts.contains(told);
  ++counts[has_room ? told : name + ", other reasons"];
}

}  // namespace

const char* problem_name(Problem problem) {
  return kProblems[static_cast<std::size_t>(problem)].name;
}

Part part_named(const std::string& word) {
  std::string lower = word;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const auto& [name, part] : kParts) {
    if (lower == name) return part;
  }
  return Part::unknown;
}

bool problem_skips(Problem problem) { return kProblems[static_cast<std::size_t>(problem)].skips; }

struct Dataset::Content {
  std::shared_ptr<const ExampleColumns> rows;  // shared by what differs in other things alone
  std::vector<std::string> classes;
  std::vector<RowProblem> problems;
  std::int64_t rows_read = 0;
  std::string source;
  std::string digest;          // of the rows
  std::string picture_digest;  // of the rows and their pictures; empty: the pictures are not known
};

namespace {

std::string digest_of(const ExampleColumns& rows, const std::vector<std::string>& classes) {
  Digest digest;
  digest.add(std::to_string(classes.size()));
  for (const std::string& name : classes) digest.add(name);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::string_view part : {rows.ids[i], rows.texts[i], rows.group_of(i)}) digest.add(part);
    const auto labels = rows.labels_of(i);
    digest.add(std::to_string(labels.size()));
    for (int label : labels) digest.add(classes.at(static_cast<std::size_t>(label)));
    if (rows.parts[i] != Part::unknown) {
      digest.add(std::string("part ") + part_name(rows.parts[i]));
    }
  }
  return digest.hex();
}

ExampleColumns columns_of(const std::vector<Example>& rows) {
  ExampleColumns columns;
  for (const Example& row : rows) columns.push_back(row);
  return columns;
}

}  // namespace

Dataset::Dataset() : Dataset(ExampleColumns(), {}) {}

Dataset::Dataset(const std::vector<Example>& rows, std::vector<std::string> classes,
                 std::string source)
    : Dataset(columns_of(rows), std::move(classes), std::move(source)) {}

Dataset::Dataset(ExampleColumns rows, std::vector<std::string> classes, std::string source) {
  Content content;
  content.source = std::move(source);
  content.rows = std::make_shared<const ExampleColumns>(std::move(rows));
  content.classes = std::move(classes);
  content.rows_read = static_cast<std::int64_t>(content.rows->size());
  content.digest = digest_of(*content.rows, content.classes);
  content_ = std::make_shared<const Content>(std::move(content));
}

std::size_t Dataset::size() const { return content_->rows->size(); }
Example Dataset::operator[](std::size_t index) const { return (*content_->rows)[index]; }
ExampleRange Dataset::rows() const { return ExampleRange(*content_->rows); }
const ExampleColumns& Dataset::columns() const { return *content_->rows; }
const std::vector<std::string>& Dataset::classes() const { return content_->classes; }
std::span<const RowProblem> Dataset::problems() const { return content_->problems; }
std::int64_t Dataset::rows_read() const { return content_->rows_read; }
std::string Dataset::source() const { return content_->source; }

bool Dataset::gives_split() const {
  const auto& parts = content_->rows->parts;
  return std::any_of(parts.begin(), parts.end(), [](Part part) { return part != Part::unknown; });
}

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
  ExampleColumns rows = *content_->rows;
  rows.groups = TextColumn();
  for (const std::string& group : groups) rows.groups.push_back(group);
  Content content = *content_;
  content.digest = digest_of(rows, content.classes);
  content.rows = std::make_shared<const ExampleColumns>(std::move(rows));
  content.picture_digest.clear();
  Dataset result;
  result.content_ = std::make_shared<const Content>(std::move(content));
  return result;
}

std::map<std::string, std::int64_t> Dataset::skipped() const {
  std::map<std::string, std::int64_t> counts, failures;
  for (const RowProblem& problem : content_->problems) {
    if (problem.problem == Problem::failed_download) {
      count_failure(problem.detail, failures);
    } else if (problem_skips(problem.problem)) {
      ++counts[problem_name(problem.problem)];
    }
  }
  counts.merge(failures);
  return counts;
}

Dataset Dataset::without(std::span<const RowProblem> problems, bool keep_classes) const {
  std::unordered_set<std::int64_t> gone;
  for (const RowProblem& problem : problems) {
    if (problem_skips(problem.problem)) gone.insert(problem.row);
  }
  const ExampleColumns& rows = *content_->rows;
  RowVector<std::size_t> kept;
  std::vector<int> new_label(content_->classes.size(), -1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (gone.contains(rows.numbers[i])) continue;
    if (!gone.empty()) kept.push_back(i);
    for (int label : rows.labels_of(i)) new_label[static_cast<std::size_t>(label)] = 0;
  }
  std::vector<std::string> classes;
  for (std::size_t label = 0; label < new_label.size(); ++label) {
    if (!keep_classes && new_label[label] < 0) continue;
    new_label[label] = static_cast<int>(classes.size());
    classes.push_back(content_->classes[label]);
  }
  const bool all_classes = classes.size() == content_->classes.size();
  Dataset result = *this;
  if (!gone.empty() || !all_classes) {
    ExampleColumns left = gone.empty() ? rows : rows.select(kept);
    for (int& label : left.labels) label = new_label[static_cast<std::size_t>(label)];
    result = Dataset(std::move(left), std::move(classes), content_->source);
  }
  Content content = *result.content_;
  content.picture_digest.clear();
  content.rows_read = content_->rows_read;
  content.problems = content_->problems;
  content.problems.insert(content.problems.end(), problems.begin(), problems.end());
  std::stable_sort(content.problems.begin(), content.problems.end(),
                   [](const RowProblem& a, const RowProblem& b) { return a.row < b.row; });
  result.content_ = std::make_shared<const Content>(std::move(content));
  return result;
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
