#include "data/inspection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>

#include "data/label_errors.h"
#include "data/table.h"
#include "text/label_words.h"
#include "text/unicode.h"

namespace diptych {
namespace {

using Kind = FindingKind;
using Rows = std::vector<std::size_t>;

constexpr std::array<FindingRow, 18> kFindings{{
    {Kind::copies_across_split, "copies_across_split", "Copies on both sides of the split",
     "These test rows were in effect learnt from, so every score is too good. --fix gives copies "
     "one group, which keeps them together."},
    {Kind::copies_labelled_apart, "copies_labelled_apart", "Copies with different labels",
     "One of the labels is wrong, or the classes overlap: no model can be right on all of them."},
    {Kind::texts_labelled_apart, "texts_labelled_apart", "The same text with different labels",
     "Such a text cannot tell these classes apart."},
    {Kind::label_in_text, "label_in_text", "The text holds the words of its label",
     "A model then reads the answer instead of finding it. Compare with these words masked before "
     "you say that the text helps."},
    {Kind::probable_label_error, "probable_label_error", "Labels that are probably wrong",
     "A classifier that did not see the row is sure of another class. Look before you change "
     "them."},
    {Kind::copies, "copies", "Rows with a picture that an earlier row has",
     "They count twice. --fix drops those whose text and label are the same, too."},
    {Kind::near_copies, "near_copies", "Near-duplicates of earlier rows",
     "Resized, recompressed, cut or brightened copies. --fix gives them one group."},
    {Kind::missing_picture, "missing_picture", "Pictures that are missing",
     "These rows are skipped. Paths are relative to the table."},
    {Kind::unreadable_picture, "unreadable_picture", "Pictures that cannot be read",
     "These rows are skipped."},
    {Kind::no_label, "no_label", "Rows without a label", "These rows are skipped."},
    {Kind::small_class, "small_class", "Classes that are too small",
     "With fewer than three groups a class cannot stand in every part of a split: its rows are "
     "skipped."},
    {Kind::one_colour, "one_colour", "Pictures nearly of one colour",
     "They show nothing: often a placeholder for what was not found."},
    {Kind::dark, "dark", "Pictures that are very dark", "Little can be seen on them."},
    {Kind::blurred, "blurred", "Pictures that are blurred", "Their edges are lost."},
    {Kind::small_picture, "small_picture", "Pictures smaller than 32 pixels",
     "Thumbnails or icons, enlarged before they are learnt from."},
    {Kind::elongated, "elongated", "Pictures more than three times as long as wide",
     "Made square, they are squeezed: see --image-fit."},
    {Kind::wrong_ending, "wrong_ending", "Pictures whose name ends as another format",
     "They are read by their content; other tools may fail."},
    {Kind::no_text, "no_text", "Rows without text",
     "They can be learnt from, but say nothing on whether text helps."},
}};

constexpr std::array<std::pair<const char*, ImageFormat>, 6> kEndings{{{".jpg", ImageFormat::jpeg},
                                                                       {".jpeg", ImageFormat::jpeg},
                                                                       {".jpe", ImageFormat::jpeg},
                                                                       {".png", ImageFormat::png},
                                                                       {".webp", ImageFormat::webp},
                                                                       {".gif", ImageFormat::gif}}};

// Of the rows that guessing the largest class gets wrong, the share that the classifier must get
// right before its doubts are worth a look.
constexpr double kLeastInsight = 0.4;

bool ends_as_another(const std::string& name, ImageFormat format) {
  std::string lower = normalise(name);
  for (const auto& [ending, named] : kEndings) {
    if (lower.ends_with(ending)) return named != format;
  }
  return false;
}

class Inspector {
 public:
  Inspector(const Dataset& dataset, const InspectOptions& options) : options_(options) {
    result_.dataset = dataset;
    result_.pictures = scan_pictures(dataset, options.scan);
    Duplicates duplicates = find_duplicates(result_.pictures.identities, options.scan.threads);
    result_.exact = std::move(duplicates.exact);
    result_.near = std::move(duplicates.near);
    result_.groups = joined_groups(dataset, result_.near);
  }

  Inspection inspect() && {
    look_at_copies();
    look_at_texts();
    if (options_.scan.features) look_at_labels();
    look_at_pictures();
    name_problems();
    std::stable_sort(result_.findings.begin(), result_.findings.end(),
                     [](const Finding& a, const Finding& b) { return a.kind < b.kind; });
    return std::move(result_);
  }

 private:
  const Dataset& data() const { return result_.dataset; }
  const std::string& label(std::size_t row) const {
    return data().classes()[static_cast<std::size_t>(data()[row].labels.front())];
  }

  Finding& finding(Kind kind) {
    for (Finding& known : result_.findings) {
      if (known.kind == kind) return known;
    }
    return result_.findings.emplace_back(Finding{kind, 0, {}});
  }
  // concerned: how many of the rows the finding is about.
  void note(Kind kind, const Rows& rows, std::size_t concerned, std::string text) {
    Finding& found = finding(kind);
    found.rows += static_cast<std::int64_t>(concerned);
    found.cases.push_back({{}, std::move(text)});
    for (std::size_t row : rows) found.cases.back().rows.push_back(data()[row].row);
  }

  // "train", "validation" or "test" for each row that takes part.
  std::vector<std::string> parts() {
    const bool joins = options_.group_by == GroupBy::duplicates;
    Dataset usable =
        (joins ? data().with_groups(result_.groups) : data()).without(result_.pictures.problems);
    if (usable.classes().size() > 1) {
      small_ = small_classes(usable);
      usable = usable.without(small_);
    }
    std::vector<std::string> result(data().size());
    if (usable.classes().size() < 2) return result;
    std::unordered_map<std::int64_t, std::size_t> place;
    for (std::size_t i = 0; i < data().size(); ++i) place[data()[i].row] = i;
    const Split split = make_split(usable, options_.split, options_.seed);
    for (const auto& [name, rows] : {std::pair{"train", &split.train},
                                     {"validation", &split.validation},
                                     {"test", &split.test}}) {
      for (std::int64_t row : *rows) {
        result[place.at(usable[static_cast<std::size_t>(row)].row)] = name;
      }
    }
    return result;
  }

  void look_at_copies() {
    const std::vector<std::string> part = parts();
    for (const Rows& rows : sets_of(result_.near)) {
      std::set<std::string> parts, labels;
      std::set<std::size_t> pictures;
      std::size_t tested = 0;
      for (std::size_t row : rows) {
        if (!part[row].empty()) parts.insert(part[row]);
        labels.insert(label(row));
        pictures.insert(result_.exact[row]);
        tested += part[row] == "test";
      }
      const char* how = pictures.size() == 1 ? "the same bytes" : "near-duplicates";
      if (parts.size() > 1 && tested > 0) {
        note(Kind::copies_across_split, rows, tested,
             fmt::format("{}, in {}", how, fmt::join(parts, " and ")));
      }
      if (labels.size() > 1) {
        note(Kind::copies_labelled_apart, rows, rows.size(),
             fmt::format("{}: {}", how, fmt::join(labels, ", ")));
      }
      if (pictures.size() > 1) note(Kind::near_copies, rows, pictures.size() - 1, "");
    }
    for (const Rows& rows : sets_of(result_.exact)) {
      note(Kind::copies, rows, rows.size() - 1, "");
    }
  }

  void look_at_texts() {
    for (const std::string& name : data().classes()) result_.classes.push_back({name, 0, 0});
    const LabelWords words(data().classes());
    std::map<std::string, Rows> rows_of;
    for (std::size_t i = 0; i < data().size(); ++i) {
      const auto own = static_cast<std::size_t>(data()[i].labels.front());
      ++result_.classes[own].rows;
      const std::string text = normalise(data()[i].text);
      if (text.empty()) {
        note(Kind::no_text, {i}, 1, "");
        continue;
      }
      rows_of[text].push_back(i);
      const auto found = words.found_in(data()[i].text);
      if (!std::binary_search(found.begin(), found.end(), own)) continue;
      ++result_.classes[own].naming_rows;
      note(Kind::label_in_text, {i}, 1, "");
    }
    for (const auto& [text, rows] : rows_of) {
      std::set<std::string> labels;
      for (std::size_t row : rows) labels.insert(label(row));
      if (labels.size() < 2) continue;
      note(Kind::texts_labelled_apart, rows, rows.size(),
           fmt::format("{}", fmt::join(labels, ", ")));
    }
  }

  void look_at_labels() {
    if (data().classes().size() < 2) return;
    const ExampleColumns& rows = data().columns();
    const std::vector<std::string_view> texts(rows.texts.begin(), rows.texts.end());
    std::vector<int> labels;
    std::vector<std::size_t> groups;
    std::unordered_map<std::string, std::size_t> place;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      labels.push_back(rows.labels_of(i).front());
      const std::string& group = result_.groups[i];
      groups.push_back(group.empty() ? i : place.emplace(group, i).first->second);
    }
    std::vector<FeatureRow>& features = result_.pictures.features;
    add_text_features(texts, features);
    const int classes = static_cast<int>(data().classes().size());
    const auto probabilities = out_of_fold({features, labels, groups, classes},
                                           {.seed = 1, .threads = options_.scan.threads});
    result_.label_accuracy = agreement(probabilities, labels);
    features.clear();
    if (!result_.tells_labels()) return;
    for (const LabelDoubt& doubt : doubtful_labels(probabilities, labels, classes)) {
      note(Kind::probable_label_error, {doubt.row}, 1,
           fmt::format("{}, rather {}", label(doubt.row),
                       data().classes()[static_cast<std::size_t>(doubt.suggested)]));
    }
  }

  static double agreement(std::span<const float> probabilities, std::span<const int> labels) {
    const std::size_t classes = probabilities.size() / labels.size();
    double right = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto row = probabilities.subspan(i * classes, classes);
      right += std::max_element(row.begin(), row.end()) - row.begin() == labels[i];
    }
    return right / static_cast<double>(labels.size());
  }

  void look_at_pictures() {
    for (std::size_t i = 0; i < data().size(); ++i) {
      const PictureFacts& facts = result_.pictures.facts[i];
      if (!facts.readable()) continue;
      const auto [shorter, longer] = std::minmax(facts.width, facts.height);
      const std::string size = fmt::format("{} × {}", facts.width, facts.height);
      if (facts.flat) {
        note(Kind::one_colour, {i}, 1, "");
      } else if (facts.look.dark()) {
        note(Kind::dark, {i}, 1, "");
      } else if (facts.look.blurred()) {
        note(Kind::blurred, {i}, 1, "");
      }
      if (shorter < 32) note(Kind::small_picture, {i}, 1, size);
      if (longer > 3 * shorter) note(Kind::elongated, {i}, 1, size);
      if (ends_as_another(data()[i].id, facts.format)) note(Kind::wrong_ending, {i}, 1, "");
    }
  }

  void name_problems() {
    const std::map<Problem, Kind> kinds{{Problem::missing_image, Kind::missing_picture},
                                        {Problem::unreadable_image, Kind::unreadable_picture},
                                        {Problem::empty_label, Kind::no_label},
                                        {Problem::small_class, Kind::small_class}};
    for (const auto problems : {data().problems(), std::span<const RowProblem>(small_),
                                std::span<const RowProblem>(result_.pictures.problems)}) {
      for (const RowProblem& problem : problems) {
        const auto kind = kinds.find(problem.problem);
        if (kind == kinds.end()) continue;
        Finding& found = finding(kind->second);
        ++found.rows;
        found.cases.push_back({{problem.row}, problem.id + ": " + repair_utf8(problem.detail)});
      }
    }
  }

  const InspectOptions& options_;
  Inspection result_;
  std::vector<RowProblem> small_;
};

}  // namespace

std::span<const FindingRow> finding_table() { return kFindings; }

const Finding* Inspection::find(FindingKind kind) const {
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [&](const Finding& finding) { return finding.kind == kind; });
  return found == findings.end() ? nullptr : &*found;
}

bool Inspection::tells_labels() const {
  std::int64_t most = 0;
  for (const ClassFacts& row : classes) most = std::max(most, row.rows);
  const double guessed = static_cast<double>(most) / static_cast<double>(dataset.size());
  return label_accuracy - guessed > kLeastInsight * (1 - guessed);
}

Inspection inspect(const Dataset& dataset, const InspectOptions& options) {
  return Inspector(dataset, options).inspect();
}

}  // namespace diptych
