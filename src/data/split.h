// Train, validation and test rows: as the data gives them, or by group, stratified by class,
// seeded.
#pragma once
#include <cstdint>
#include <vector>

#include "data/dataset.h"

namespace diptych {

struct SplitFractions {
  double test = 0.2;         // of all rows
  double validation = 0.15;  // of the rows that are not test
};

struct Split {
  std::vector<std::int64_t> train, validation, test;  // indices into the dataset, ascending
};

// Groups (a row with an empty group is its own) are dealt whole. Within each class, groups are
// shuffled by the seed and dealt to the part that is furthest below its share, test first, then
// validation from the rest: so that every class keeps the fractions as nearly as its groups allow,
// each part has at least one group of it, and the test rows are the same for any share of
// validation. A group with rows of several classes counts for its most frequent one.
// A split that the data gives is taken as it is, whatever the seed. Where it names no validation
// rows, they are dealt from its training rows by the seed. It may have no test rows.
// Throws Error{data} when fewer than two classes are left, and when a group stands in two parts of
// a split that is given.
Split make_split(const Dataset& dataset, const SplitFractions& fractions, std::uint64_t seed);

// The rows of classes with fewer than three groups, which cannot stand in every part of a split: a
// group counts for one class, as above. Each class that is left keeps its groups without these
// rows. Where the data gives the split: the rows of classes without a training row.
std::vector<RowProblem> small_classes(const Dataset& dataset);

// Throws Error{data} when the data gives a split without test rows.
void require_test_rows(const Dataset& dataset);

}  // namespace diptych
