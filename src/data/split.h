// Train, validation and test rows: as the data gives them, or by group, stratified by class,
// seeded; a share held out, or one of K folds in its turn.
#pragma once
#include <cstdint>
#include <vector>

#include "base/row_memory.h"
#include "data/dataset.h"

namespace diptych {

struct SplitOptions {
  double test = 0.2;         // share of all rows, without folds
  double validation = 0.15;  // of the rows that are not test
  int folds = 0;             // 0: none
  int fold = 1;              // that is tested, 1 … folds
};
SplitOptions split_options(const Config& config);

struct Split {
  RowVector<std::int64_t> train, validation, test;  // indices into the dataset, ascending
};

// Groups (a row with an empty group is its own) are dealt whole. Within each class, groups are
// shuffled by the seed and dealt to the part that is furthest below its share, test first, then
// validation from the rest: so that every class keeps the fractions as nearly as its groups allow,
// each part has at least one group of it, and the test rows are the same for any share of
// validation. A group with rows of several classes counts for its most frequent one.
// With folds, a class's groups are dealt to the fold with the fewest of its rows instead, of those
// to the one with the fewest of all: over the folds of one seed every row is tested once. A class
// with fewer groups than folds is tested in some of them and learnt in all. A split that the data
// gives is taken as it is, whatever the seed. Where it names no validation rows, they are dealt
// from its training rows by the seed. It may have no test rows. Throws Error{data} when fewer than
// two classes are left, when a group stands in two parts of a split that is given, and when folds
// are asked for of such a split or of fewer groups than folds.
Split make_split(const Dataset& dataset, const SplitOptions& options, std::uint64_t seed);

// The rows of classes with fewer than three groups, which cannot stand in every part of a split: a
// group counts for one class, as above. Each class that is left keeps its groups without these
// rows. Where the data gives the split: the rows of classes without a training row.
std::vector<RowProblem> small_classes(const Dataset& dataset);

// Throws Error{data} when the data gives a split without test rows.
void require_test_rows(const Dataset& dataset);

}  // namespace diptych
