// Conditions on the numbers of a table, as people write them: "watermark_score<0.5 and not
// (width<200 or height<200)". Parsed here, run by Arrow.
#pragma once
#include <arrow/api.h>
#include <arrow/compute/expression.h>

#include <string>
#include <vector>

namespace diptych {

class RowFilter {
 public:
  // One of the parts that "and" joins at the top, so that each can be accounted for by itself.
  struct Condition {
    std::string text;
    arrow::compute::Expression holds;  // bound to the schema
  };

  // text: comparisons (< <= > >= = == != <>) of columns and numbers, with and, or, not and
  // parentheses; empty: every row passes. Throws Error{usage} that shows the place: what cannot be
  // read, a column that is not there (the nearest is named) or holds no numbers.
  RowFilter(const std::string& text, std::shared_ptr<arrow::Schema> schema);

  const std::vector<Condition>& conditions() const { return conditions_; }

  // For each row the first condition that does not hold, or -1. What compares a missing value holds
  // for no row, nor does its negation. Throws Error{data}.
  std::vector<int> first_failures(const arrow::RecordBatch& rows) const;

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<Condition> conditions_;
};

}  // namespace diptych
