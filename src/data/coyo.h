// A sample of COYO: pairs of picture and text (COYO-700M) joined by id with machine-made labels
// (COYO-Labeled-300M), in memory that does not grow with either. The sample is the eligible rows
// with the smallest priorities: a simple random sample that depends on the seed and on what the
// rows are, never on the order of rows or files.
#pragma once
#include <arrow/api.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/coyo_labels.h"

namespace diptych {

struct CoyoOptions {
  std::vector<std::filesystem::path> pairs, labels;
  LabelRules rules;
  std::string where;  // see row_filter.h; on the columns of the pairs
  std::int64_t rows = 2000;
  bool balanced = false;  // as many rows of each class as may be; else as they come
  std::uint64_t seed = 1;
  std::size_t most_held = 8 << 20;  // labels in memory, 24 bytes each; changes no sample
};

// Rows by what became of them; all but the first sum to it.
using Account = std::vector<std::pair<std::string, std::int64_t>>;

struct CoyoSample {
  std::shared_ptr<arrow::Table> table;  // the pairs' columns, then label and probability
  Account labels, pairs;
  struct Class {
    std::string name;
    std::int64_t labelled = 0, eligible = 0, sampled = 0;
  };
  std::vector<Class> classes;  // most frequent first
  int rounds = 0;              // passes over both sides
  std::size_t most_held = 0;   // labels that were in memory at once
};

// observe: every few thousand rows; what it throws ends all. Fewer rows than asked for when no more
// are eligible, even none. Throws Error{usage, not_found, io, data}.
CoyoSample sample_coyo(
    const CoyoOptions& options,
    const std::function<void(const char* side, std::int64_t rows)>& observe = {});

// Tables of names and numbers that account for every row.
std::string accounts_text(const CoyoSample& sample);

}  // namespace diptych
