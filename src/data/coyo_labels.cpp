#include "data/coyo_labels.h"

#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/error.h"
#include "base/rng.h"
#include "data/table.h"
#include "data/table_arrow.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

constexpr const char *kId = "id", *kLabels = "labels", *kProbabilities = "label_probs";
constexpr std::size_t kMostClasses = 1 << 20;
constexpr std::int32_t kUnnamed = -1;  // not in the map of names

// The column as lists of Item, whatever lists of numbers it holds.
std::shared_ptr<arrow::ListArray> lists_of(const arrow::RecordBatch& batch, const char* name,
                                           const std::shared_ptr<arrow::DataType>& item,
                                           const fs::path& path) {
  const auto column = batch.GetColumnByName(name);
  const bool is_list = arrow::is_list_like(column->type_id());
  const auto held = is_list ? column->type()->field(0)->type()->id() : arrow::Type::NA;
  const bool is_right = is_list && (arrow::is_integer(item->id()) ? arrow::is_integer(held)
                                                                  : arrow::is_floating(held));
  if (!is_right) {
    throw Error(ErrorKind::data,
                fmt::format("the column '{}' holds {}, not lists of {}", name,
                            column->type()->ToString(), item->ToString()),
                path.string());
  }
  const auto lists = value_of(arrow::compute::Cast(*column, arrow::list(item)), path);
  return std::static_pointer_cast<arrow::ListArray>(lists);
}

// The most probable label of a row; of several the smallest, so that their order is of no account.
bool best_label(const arrow::ListArray& labels, const arrow::ListArray& probabilities,
                std::int64_t row, std::int64_t& number, float& probability) {
  const std::int64_t count = labels.value_length(row);
  if (labels.IsNull(row) || probabilities.IsNull(row) || count != probabilities.value_length(row)) {
    return false;
  }
  const auto& numbers = static_cast<const arrow::Int64Array&>(*labels.values());
  const auto& values = static_cast<const arrow::FloatArray&>(*probabilities.values());
  bool found = false;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t a = labels.value_offset(row) + i, b = probabilities.value_offset(row) + i;
    if (numbers.IsNull(a) || values.IsNull(b) || std::isnan(values.Value(b))) continue;
    if (numbers.Value(a) < 0 || numbers.Value(a) > INT32_MAX) continue;
    const bool is_better = !found || values.Value(b) > probability ||
                           (values.Value(b) == probability && numbers.Value(a) < number);
    if (!is_better) continue;
    found = true;
    number = numbers.Value(a);
    probability = values.Value(b);
  }
  return found;
}

}  // namespace

std::uint64_t priority_of(std::uint64_t seed, std::int64_t id) {
  return Rng(seed, Stream::import, static_cast<std::uint64_t>(id)).next();
}

std::shared_ptr<arrow::Int64Array> ids_of(const arrow::RecordBatch& batch, const fs::path& path) {
  const auto column = batch.GetColumnByName(kId);
  if (!arrow::is_integer(column->type_id())) {
    throw Error(
        ErrorKind::data,
        fmt::format("the column 'id' holds {}, not whole numbers", column->type()->ToString()),
        path.string(), "give the Parquet files of COYO as they are");
  }
  const auto ids = value_of(arrow::compute::Cast(*column, arrow::int64()), path);
  return std::static_pointer_cast<arrow::Int64Array>(ids);
}

CoyoLabels::CoyoLabels(std::vector<fs::path> files, LabelRules rules, std::uint64_t seed,
                       std::size_t most_held)
    : files_(std::move(files)), rules_(std::move(rules)), seed_(seed), most_held_(most_held) {
  if (const auto status = arrow::compute::Initialize(); !status.ok()) refuse("labels", status);
  for (const auto& [number, name] : rules_.names) names_.push_back(name);
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  for (const auto& [number, name] : rules_.names) {
    const auto at = std::lower_bound(names_.begin(), names_.end(), name) - names_.begin();
    char* end = nullptr;
    const std::int64_t value = std::strtoll(number.c_str(), &end, 10);
    if (number.empty() || *end) {
      throw Error(ErrorKind::data, fmt::format("'{}' is no number of a label", number),
                  "--label-map", "the column 'label' holds the numbers of COYO-Labeled-300M");
    }
    numbers_[value] = static_cast<std::int32_t>(at);
  }
}

std::string CoyoLabels::name(std::int32_t label) const {
  return names_.empty() ? std::to_string(label) : names_.at(static_cast<std::size_t>(label));
}

std::int32_t CoyoLabels::class_of(std::int64_t number) const {
  if (names_.empty()) return static_cast<std::int32_t>(number);
  const auto found = numbers_.find(number);
  return found == numbers_.end() ? kUnnamed : found->second;
}

void CoyoLabels::read(std::uint64_t begin, const Observe& observe) {
  held_.clear();
  held_.reserve(most_held_ + most_held_ / 4 + 1);  // growing would take thrice as much
  end_ = UINT64_MAX;
  std::int64_t rows = 0;
  for (const fs::path& file : files_) {
    TableStream stream(file, {kId, kLabels, kProbabilities});
    while (const auto batch = stream.next()) {
      add(*batch, file, begin);
      rows += batch->num_rows();
      if (observe) observe(rows);
    }
  }
  trim();
  if (is_first_) choose_classes();
  settle();
  is_first_ = false;
}

void CoyoLabels::add(const arrow::RecordBatch& batch, const fs::path& path, std::uint64_t begin) {
  const auto ids = ids_of(batch, path);
  const auto labels = lists_of(batch, kLabels, arrow::int64(), path);
  const auto probabilities = lists_of(batch, kProbabilities, arrow::float32(), path);
  LabelCounts counts;
  for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
    LabelledId row;
    std::int64_t number = 0;
    if (ids->IsNull(i)) {
      ++counts.without_id;
    } else if (!best_label(*labels, *probabilities, i, number, row.probability)) {
      ++counts.without_label;
    } else {
      row.id = ids->Value(i);
      row.label = class_of(number);
      add(row, begin);
    }
  }
  if (!is_first_) return;
  counts_.read += batch.num_rows();
  counts_.without_id += counts.without_id;
  counts_.without_label += counts.without_label;
}

void CoyoLabels::add(LabelledId row, std::uint64_t begin) {
  const bool is_probable = row.probability >= static_cast<float>(rules_.min_probability);
  if (!is_probable) row.use = LabelUse::improbable;
  if (is_first_) {
    ++(is_probable ? rows_[row.label] : counts_.improbable);
    if (rows_.size() > kMostClasses) {
      throw Error(ErrorKind::data, fmt::format("there are more than {} labels", kMostClasses),
                  "--labels");
    }
  } else if (!is_probable ||
             std::find(classes_.begin(), classes_.end(), row.label) == classes_.end()) {
    return;
  }
  const std::uint64_t priority = priority_of(seed_, row.id);
  if (priority < begin || priority > end_) return;
  held_.push_back(row);
  peak_ = std::max(peak_, held_.size());
  if (held_.size() > most_held_ + most_held_ / 4) trim();
}

// A label that an id has twice is held once; of different ones all, until it is known which are
// wanted.
void CoyoLabels::trim() {
  const auto order = [this](const LabelledId& row) {
    return std::tuple(priority_of(seed_, row.id), row.id, row.label, row.use, -row.probability);
  };
  std::sort(held_.begin(), held_.end(),
            [&](const LabelledId& a, const LabelledId& b) { return order(a) < order(b); });
  const auto is_same = [](const LabelledId& a, const LabelledId& b) {
    return a.id == b.id && a.label == b.label;
  };
  const auto rest = std::unique(held_.begin(), held_.end(), is_same);
  if (is_first_) counts_.doubled += held_.end() - rest;
  held_.erase(rest, held_.end());
  if (held_.size() <= most_held_) return;
  end_ = priority_of(seed_, held_[most_held_ - 1].id);
  while (priority_of(seed_, held_.back().id) > end_) held_.pop_back();
}

void CoyoLabels::choose_classes() {
  for (const auto& [label, rows] : rows_) {
    if (label != kUnnamed) classes_.push_back(label);
  }
  std::sort(classes_.begin(), classes_.end(), [this](std::int32_t a, std::int32_t b) {
    return std::tuple(-rows_.at(a), a) < std::tuple(-rows_.at(b), b);
  });
  const auto most = static_cast<std::size_t>(rules_.classes);
  if (most > 0 && classes_.size() > most) classes_.resize(most);
  for (const std::int32_t label : classes_) counts_.wanted += rows_.at(label);
  for (const auto& [label, rows] : rows_) counts_.other_class += rows;
  counts_.other_class -= counts_.wanted;
}

void CoyoLabels::settle() {
  for (LabelledId& row : held_) {
    const bool is_kept = std::find(classes_.begin(), classes_.end(), row.label) != classes_.end();
    if (!is_kept && row.use == LabelUse::wanted) row.use = LabelUse::other_class;
  }
  const auto order = [](const LabelledId& row) {
    return std::tuple(row.id, row.use, -row.probability, row.label);
  };
  std::sort(held_.begin(), held_.end(),
            [&](const LabelledId& a, const LabelledId& b) { return order(a) < order(b); });
  const auto rest =
      std::unique(held_.begin(), held_.end(),
                  [](const LabelledId& a, const LabelledId& b) { return a.id == b.id; });
  if (is_first_) counts_.doubled += held_.end() - rest;
  held_.erase(rest, held_.end());
}

LabelledId* CoyoLabels::find(std::int64_t id) {
  const auto at =
      std::lower_bound(held_.begin(), held_.end(), id,
                       [](const LabelledId& row, std::int64_t of) { return row.id < of; });
  return at == held_.end() || at->id != id ? nullptr : &*at;
}

}  // namespace diptych
