#include "data/split.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "base/error.h"
#include "base/rng.h"

namespace diptych {
namespace {

using Rows = std::vector<std::int64_t>;

// The class of each group, and its rows: groups in order of their first row.
struct Group {
  Rows rows;
  int label = 0;
};

std::vector<Group> groups_of(const Dataset& dataset) {
  std::map<std::string, std::size_t> index;
  std::vector<Group> groups;
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const std::string& name = dataset[row].group;
    if (name.empty()) {
      groups.emplace_back();
    } else if (index.emplace(name, groups.size()).second) {
      groups.emplace_back();
    }
    Group& group = name.empty() ? groups.back() : groups[index.at(name)];
    group.rows.push_back(static_cast<std::int64_t>(row));
  }
  for (Group& group : groups) {
    std::map<int, int> counts;
    for (std::int64_t row : group.rows) {
      ++counts[dataset[static_cast<std::size_t>(row)].labels.at(0)];
    }
    const auto most =
        std::max_element(counts.begin(), counts.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    group.label = most->first;
  }
  return groups;
}

std::map<int, std::vector<const Group*>> by_class(const std::vector<Group>& groups) {
  std::map<int, std::vector<const Group*>> result;
  for (const Group& group : groups) result[group.label].push_back(&group);
  return result;
}

constexpr std::size_t kParts = 3;  // test, validation, train

// Deals one class's groups, shuffled, each to the part that is furthest below its share. The first
// group goes to train, the next to test, the third to validation, so that none stays empty.
void deal(std::span<const Group*> groups, const std::array<double, kParts>& shares,
          std::array<Rows, kParts>& parts) {
  double total = 0;
  for (const Group* group : groups) total += static_cast<double>(group->rows.size());
  std::array<double, kParts> dealt{};
  constexpr std::array<std::size_t, kParts> kFirst{2, 0, 1};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const double size = static_cast<double>(groups[i]->rows.size());
    std::size_t to = 0;
    double most = -1e300;
    for (std::size_t part = 0; part < kParts; ++part) {
      const double lacking = shares[part] * total - dealt[part];
      if (lacking > most) {
        most = lacking;
        to = part;
      }
    }
    const std::size_t left = groups.size() - i;
    const auto is_empty = [&](std::size_t part) { return dealt[part] == 0; };
    const auto empty = static_cast<std::size_t>(std::count_if(
        kFirst.begin(), kFirst.end(), [&](std::size_t part) { return is_empty(part); }));
    if (left <= empty) to = *std::find_if(kFirst.begin(), kFirst.end(), is_empty);
    dealt[to] += size;
    parts[to].insert(parts[to].end(), groups[i]->rows.begin(), groups[i]->rows.end());
  }
}

}  // namespace

Split make_split(const Dataset& dataset, const SplitFractions& fractions, std::uint64_t seed) {
  const std::vector<Group> groups = groups_of(dataset);
  auto classes = by_class(groups);
  if (classes.size() < 2) {
    throw Error(ErrorKind::data,
                classes.empty()
                    ? "there are no rows to split"
                    : "all rows have the one class '" +
                          dataset.classes().at(static_cast<std::size_t>(classes.begin()->first)) +
                          "'",
                dataset.source(),
                "two classes or more are needed, each with three groups of rows or more; "
                "--label-column names the column of classes");
  }
  const std::array<double, kParts> shares{fractions.test,
                                          (1 - fractions.test) * fractions.validation,
                                          (1 - fractions.test) * (1 - fractions.validation)};
  std::array<Rows, kParts> parts;
  Rng rng(seed, Stream::split);
  for (auto& [label, members] : classes) {
    rng.shuffle(std::span(members));
    deal(members, shares, parts);
  }
  for (Rows& rows : parts) std::sort(rows.begin(), rows.end());
  return {std::move(parts[2]), std::move(parts[1]), std::move(parts[0])};
}

std::vector<RowProblem> small_classes(const Dataset& dataset) {
  std::vector<RowProblem> problems;
  const std::vector<Group> groups = groups_of(dataset);
  const auto classes = by_class(groups);
  for (const Example& example : dataset.rows()) {
    const int label = example.labels.at(0);
    const auto members = classes.find(label);
    if (members != classes.end() && members->second.size() >= kParts) continue;
    problems.push_back({example.row, example.id, Problem::small_class,
                        dataset.classes().at(static_cast<std::size_t>(label))});
  }
  return problems;
}

}  // namespace diptych
