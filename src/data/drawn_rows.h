// Rows of classes and groups alone, for the tests of splits.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "data/split.h"

namespace diptych {

struct Member {
  int label = 0;
  std::string group = {};
  Part part = Part::unknown;
};

inline Dataset dataset_of(const std::vector<Member>& members, int classes) {
  std::vector<Example> rows;
  for (const Member& member : members) {
    Example row;
    row.row = std::ssize(rows) + 1;
    row.id = "row " + std::to_string(row.row);
    row.labels = {member.label};
    row.group = member.group;
    row.part = member.part;
    rows.push_back(row);
  }
  std::vector<std::string> names;
  for (int i = 0; i < classes; ++i) names.push_back("class " + std::to_string(i));
  return Dataset(std::move(rows), names);
}

// Rows without groups and groups of up to six rows, mixed.
inline Dataset drawn(std::uint64_t seed, int classes, int units) {
  Rng rng(seed);
  std::vector<Member> members;
  for (int unit = 0; unit < units; ++unit) {
    const int label = unit % classes;
    const bool single = rng.chance(0.5);
    const std::uint64_t size = single ? 1 : 1 + rng.below(6);
    const Member member{label, single ? "" : "group " + std::to_string(unit)};
    members.insert(members.end(), size, member);
  }
  rng.shuffle(std::span(members));
  return dataset_of(members, classes);
}

inline std::vector<RowVector<std::int64_t>> parts_of(const Split& split) {
  return {split.train, split.validation, split.test};
}

inline std::int64_t rows_of(const Dataset& dataset, const RowVector<std::int64_t>& part,
                            int label) {
  return std::count_if(part.begin(), part.end(), [&](std::int64_t row) {
    return dataset[static_cast<std::size_t>(row)].labels[0] == label;
  });
}

}  // namespace diptych
