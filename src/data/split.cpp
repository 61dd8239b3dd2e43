#include "data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "base/rng.h"

namespace diptych {
namespace {

using Rows = RowVector<std::int64_t>;

// The class of each group, and its rows: groups in order of their first row.
struct Group {
  std::span<const std::int64_t> rows;
  int label = 0;
  Part part = Part::unknown;  // that the data gives
};

struct Grouping {
  Rows rows;  // group after group
  RowVector<Group> groups;
};

using Groups = RowVector<const Group*>;

// The number of each row's group.
RowVector<std::uint32_t> group_numbers(const Dataset& dataset, std::uint32_t& count) {
  std::unordered_map<std::string_view, std::uint32_t> known;
  RowVector<std::uint32_t> numbers(dataset.size());
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const std::string_view name = dataset.columns().group_of(row);
    numbers[row] = name.empty() ? count : known.emplace(name, count).first->second;
    if (numbers[row] == count) ++count;
  }
  return numbers;
}

int most_frequent_label(const Dataset& dataset, std::span<const std::int64_t> rows) {
  std::map<int, int> counts;
  for (std::int64_t row : rows) {
    ++counts[dataset.columns().labels_of(static_cast<std::size_t>(row)).front()];
  }
  const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
  return std::max_element(counts.begin(), counts.end(), less)->first;
}

Grouping groups_of(const Dataset& dataset) {
  std::uint32_t count = 0;
  const RowVector<std::uint32_t> numbers = group_numbers(dataset, count);
  RowVector<std::size_t> ends(count + 1);  // of each group, one place further on
  for (std::uint32_t number : numbers) ++ends[number + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  Grouping result{Rows(dataset.size()), RowVector<Group>(count)};
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    result.rows[ends[numbers[row]]++] = static_cast<std::int64_t>(row);
  }
  for (std::size_t i = 0, begin = 0; i < count; begin = ends[i++]) {
    Group& group = result.groups[i];
    group.rows = std::span(result.rows).subspan(begin, ends[i] - begin);
    group.label = most_frequent_label(dataset, group.rows);
    group.part = dataset.columns().parts[static_cast<std::size_t>(group.rows.front())];
  }
  return result;
}

// part: of a split that the data gives, where groups of the others are left out.
std::map<int, Groups> by_class(std::span<const Group> groups, std::optional<Part> part = {}) {
  std::map<int, Groups> result;
  for (const Group& group : groups) {
    if (!part || group.part == *part) result[group.label].push_back(&group);
  }
  return result;
}

constexpr std::size_t kParts = 3;  // train, validation, test

// Moves whole groups from `groups` to `part`, in order: each to the side that is furthest below its
// share of the rows. `part` gets one group or more, and `least` or more stay.
void deal(Groups& groups, double share, std::size_t least, Rows& part) {
  double total = 0;
  for (const Group* group : groups) total += static_cast<double>(group->rows.size());
  Groups staying;
  double moved = 0, stayed = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const std::size_t left = groups.size() - i;
    const bool must_move = moved == 0 && staying.size() >= least && left == 1;
    const bool must_stay = staying.size() + left <= least;
    const bool lacks_more = share * total - moved > (1 - share) * total - stayed;
    const bool moves = must_move || (lacks_more && !must_stay);
    const auto rows = groups[i]->rows;
    (moves ? moved : stayed) += static_cast<double>(rows.size());
    if (moves)
      part.insert(part.end(), rows.begin(), rows.end());
    else
      staying.push_back(groups[i]);
  }
  groups = std::move(staying);
}

// Moves the groups of one fold from `groups`, which are all of a class, to `part`. `filled`: rows
// of each fold so far, of all classes, so that what a class cannot deal evenly goes where rows
// lack.
void deal_fold(Groups& groups, std::size_t fold, std::vector<std::size_t>& filled, Rows& part) {
  std::vector<std::size_t> of_class(filled.size());
  Groups staying;
  for (const Group* group : groups) {
    std::size_t least = 0;
    for (std::size_t other = 1; other < filled.size(); ++other) {
      if (std::pair(of_class[other], filled[other]) < std::pair(of_class[least], filled[least])) {
        least = other;
      }
    }
    of_class[least] += group->rows.size();
    filled[least] += group->rows.size();
    if (least == fold)
      part.insert(part.end(), group->rows.begin(), group->rows.end());
    else
      staying.push_back(group);
  }
  groups = std::move(staying);
}

void require_folds(const Dataset& dataset, std::size_t folds, std::size_t groups) {
  if (dataset.gives_split()) {
    throw Error(ErrorKind::data, "the data gives a split, so there are no folds to test in turn",
                dataset.source(),
                "deal all rows into folds with --split-column none, or take the data's split "
                "with --folds 0");
  }
  if (groups >= folds) return;
  throw Error(
      ErrorKind::data, fmt::format("{} groups of rows are too few for {} folds", groups, folds),
      dataset.source(), fmt::format("ask for fewer: --folds {}", std::max<std::size_t>(groups, 2)));
}

// Validation and test as the data gives them. A group in two parts would be learnt and tested.
Split given_split(const Dataset& dataset, std::span<const Group> groups) {
  Split split;
  for (const Group& group : groups) {
    for (std::int64_t row : group.rows) {
      if (dataset.columns().parts[static_cast<std::size_t>(row)] != group.part) {
        const Example example = dataset[static_cast<std::size_t>(row)];
        throw Error(
            ErrorKind::data,
            fmt::format("row {} ({}): its group '{}' also stands in another part of the split",
                        example.row, example.id, example.group),
            dataset.source(),
            "mend the split, make another one with --split-column none, or leave groups out "
            "with --group-column none");
      }
      if (group.part == Part::validation) split.validation.push_back(row);
      if (group.part == Part::test) split.test.push_back(row);
    }
  }
  return split;
}

void require_two_classes(const std::map<int, Groups>& classes, const Dataset& dataset) {
  if (classes.size() > 1) return;
  const std::string rows = dataset.gives_split() ? "training rows" : "rows";
  throw Error(ErrorKind::data,
              classes.empty()
                  ? "there are no " + rows + " to split"
                  : "all " + rows + " have the one class '" +
                        dataset.classes().at(static_cast<std::size_t>(classes.begin()->first)) +
                        "'",
              dataset.source(),
              "two classes or more are needed, each with three groups of rows or more; "
              "--label-column names the column of classes");
}

}  // namespace

SplitOptions split_options(const Config& config) {
  return {config.test_fraction, config.validation_fraction, config.folds, config.fold};
}

Split make_split(const Dataset& dataset, const SplitOptions& options, std::uint64_t seed) {
  const Grouping grouping = groups_of(dataset);
  const std::span<const Group> groups = grouping.groups;
  const bool given = dataset.gives_split();
  const auto folds = static_cast<std::size_t>(options.folds);
  const auto fold = static_cast<std::uint64_t>(options.fold);
  if (folds > 0) require_folds(dataset, folds, groups.size());
  Split split;
  if (given) split = given_split(dataset, groups);
  const bool deals_validation = split.validation.empty();
  auto classes = by_class(groups, given ? std::optional(Part::train) : std::nullopt);
  require_two_classes(classes, dataset);
  std::vector<std::size_t> filled(folds);
  Rng rng(seed, Stream::split);
  Rng of_fold(seed, Stream::split, fold);  // each fold draws validation rows of its own
  for (auto& [label, members] : classes) {
    rng.shuffle(std::span(members));
    if (folds > 0) {
      deal_fold(members, fold - 1, filled, split.test);
      of_fold.shuffle(std::span(members));
    } else if (!given) {
      deal(members, options.test, 2, split.test);
    }
    if (deals_validation) deal(members, options.validation, 1, split.validation);
    for (const Group* group : members) {
      split.train.insert(split.train.end(), group->rows.begin(), group->rows.end());
    }
  }
  for (Rows* rows : {&split.train, &split.validation, &split.test}) {
    std::sort(rows->begin(), rows->end());
  }
  return split;
}

std::vector<RowProblem> small_classes(const Dataset& dataset) {
  const bool given = dataset.gives_split();
  const Grouping grouping = groups_of(dataset);
  std::set<int> large;  // classes that can be learnt
  for (const auto& [label, members] : by_class(grouping.groups)) {
    if (!given && members.size() >= kParts) large.insert(label);
  }
  const ExampleColumns& rows = dataset.columns();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (given && rows.parts[i] == Part::train) large.insert(rows.labels_of(i).front());
  }
  std::vector<RowProblem> problems;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int label = rows.labels_of(i).front();
    if (large.contains(label)) continue;
    const Example example = dataset[i];
    problems.push_back({example.row, example.id,
                        given ? Problem::untrained_class : Problem::small_class,
                        dataset.classes().at(static_cast<std::size_t>(label))});
  }
  return problems;
}

void require_test_rows(const Dataset& dataset) {
  const auto& parts = dataset.columns().parts;
  const bool tests = std::find(parts.begin(), parts.end(), Part::test) != parts.end();
  if (tests || !dataset.gives_split()) return;
  throw Error(ErrorKind::data, "the data gives a split without test rows", dataset.source(),
              "give rows the word test, or make a split with --split-column none");
}

}  // namespace diptych
