// What would spoil the answer, found before any training: copies, leaks, wrong labels, pictures
// and texts that say nothing. Each kind of finding is a row in one table; the summary for people
// (inspection_text.cpp), the JSON and the page (report/) are drawn from the same findings.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/picture_scan.h"
#include "data/split.h"

namespace diptych {

enum class FindingKind {
  copies_across_split,
  copies_labelled_apart,
  texts_labelled_apart,
  label_in_text,
  probable_label_error,
  copies,
  near_copies,
  missing_picture,
  unreadable_picture,
  no_label,
  small_class,
  one_colour,
  dark,
  blurred,
  small_picture,
  elongated,
  wrong_ending,
  no_text,
};

struct FindingRow {
  FindingKind kind;
  const char* key;      // "copies_across_split", in JSON and as an anchor
  const char* title;    // "Copies on both sides of the split"
  const char* meaning;  // why it matters and what to do, in a sentence or two
};
// One row per kind, in the order of the enumeration: what spoils most stands first.
std::span<const FindingRow> finding_table();

// One example of a finding: rows that belong together, each with what is to be said of it.
struct FindingCase {
  std::vector<std::int64_t> rows;  // as numbered in the table
  std::string note;
};

struct Finding {
  FindingKind kind{};
  std::int64_t rows = 0;  // that are concerned
  std::vector<FindingCase> cases;
};

struct ClassFacts {
  std::string name;
  std::int64_t rows = 0;
  std::int64_t naming_rows = 0;  // whose text holds the label's words
};

struct Inspection {
  Dataset dataset;  // as read: with rows whose picture turned out unusable
  PictureScan pictures;
  std::vector<std::size_t> exact;   // for each row the first with the same picture, byte for byte
  std::vector<std::size_t> near;    // or a near-duplicate
  std::vector<std::string> groups;  // as given, joined where near-duplicates connect them
  std::vector<ClassFacts> classes;
  std::vector<Finding> findings;
  double label_accuracy = 0;  // of a linear classifier, out of fold; 0: none was asked

  const Finding* find(FindingKind kind) const;
  bool tells_labels() const;  // whether that is enough to find label errors by
};

struct InspectOptions {
  ScanOptions scan;
  SplitOptions split;  // that a comparison would make with this seed
  std::uint64_t seed = 1;
  GroupBy group_by = GroupBy::column;
};

// dataset: rows with labels.
Inspection inspect(const Dataset& dataset, const InspectOptions& options);

nlohmann::json to_json(const Inspection& inspection);
std::string inspection_text(const Inspection& inspection);

}  // namespace diptych
