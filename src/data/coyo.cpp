#include "data/coyo.h"

#include <arrow/compute/api.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "data/row_filter.h"
#include "data/sampled_rows.h"
#include "data/table.h"
#include "data/table_arrow.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;
constexpr const char *kLabel = "label", *kProbability = "probability";

// The columns of all files; where one lacks a column its rows have no value there.
std::shared_ptr<arrow::Schema> schema_of(const std::vector<fs::path>& files) {
  std::shared_ptr<arrow::Schema> all;
  for (const fs::path& file : files) {
    const auto schema = TableStream(file).schema()->RemoveMetadata();
    require_columns(*schema, {"id", "url", "text"}, file);
    all =
        all ? value_of(arrow::UnifySchemas({all, schema}, arrow::Field::MergeOptions::Permissive()),
                       file)
            : schema;
  }
  return all;
}

// Batches as schema has them.
Batch conformed(const Batch& rows, const std::shared_ptr<arrow::Schema>& schema,
                const fs::path& path) {
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    const auto column = rows->GetColumnByName(field->name());
    if (!column) {
      columns.push_back(value_of(arrow::MakeArrayOfNull(field->type(), rows->num_rows()), path));
    } else if (column->type()->Equals(field->type())) {
      columns.push_back(column);
    } else {
      columns.push_back(value_of(arrow::compute::Cast(*column, field->type()), path));
    }
  }
  return arrow::RecordBatch::Make(schema, rows->num_rows(), std::move(columns));
}

Batch taken(const Batch& rows, const std::vector<std::int64_t>& places, const fs::path& path) {
  arrow::Int64Builder indices;
  if (const auto status = indices.AppendValues(places); !status.ok()) refuse(path, status);
  const auto array = value_of(indices.Finish(), path);
  return value_of(arrow::compute::Take(rows, array), path).record_batch();
}

struct PairCounts {
  std::int64_t read = 0, without_id = 0, looked_at = 0, without_label = 0;
  std::int64_t improbable = 0, other_class = 0, without_wanted = 0, without_url = 0;
  std::vector<std::int64_t> failed;  // of each condition
  std::int64_t doubled = 0, eligible = 0;
};

class Import {
 public:
  Import(const CoyoOptions& options, const auto& observe)
      : options_(options),
        observe_(observe),
        labels_(options.labels, options.rules, options.seed, options.most_held),
        schema_(schema_of(options.pairs)),
        filter_(options.where, schema_),
        sample_(options.rows, options.balanced) {
    counts_.failed.resize(filter_.conditions().size());
  }

  CoyoSample run() {
    CoyoSample result;
    std::uint64_t begin = 0;
    do {
      ++result.rounds;
      labels_.read(begin, [this](std::int64_t rows) { tell("labels", rows); });
      read_pairs(begin);
      is_first_ = false;
      begin = labels_.end() + 1;
    } while (!labels_.is_complete() && !has_enough());
    finish(result);
    return result;
  }

 private:
  void tell(const char* side, std::int64_t rows) const {
    if (observe_) observe_(side, rows);
  }

  bool has_enough() const {
    if (!options_.balanced) return counts_.eligible >= options_.rows;
    const auto classes = static_cast<std::int64_t>(labels_.classes().size());
    const std::int64_t quota = classes == 0 ? 0 : (options_.rows + classes - 1) / classes;
    return std::all_of(labels_.classes().begin(), labels_.classes().end(), [&](std::int32_t label) {
      const auto found = eligible_.find(label);
      return found != eligible_.end() && found->second >= quota;
    });
  }

  void read_pairs(std::uint64_t begin) {
    std::int64_t rows = 0;
    for (const fs::path& file : options_.pairs) {
      TableStream stream(file);
      while (const auto batch = stream.next()) {
        join(batch, file, begin);
        rows += batch->num_rows();
        tell("pairs", rows);
      }
    }
    if (is_first_) counts_.read = rows;
  }

  void join(const Batch& batch, const fs::path& path, std::uint64_t begin) {
    const auto ids = ids_of(*batch, path);
    std::vector<std::int64_t> places;
    std::vector<LabelledId*> labels;
    for (std::int64_t i = 0; i < batch->num_rows(); ++i) {
      if (ids->IsNull(i)) {
        counts_.without_id += is_first_ ? 1 : 0;
        continue;
      }
      const std::uint64_t priority = priority_of(options_.seed, ids->Value(i));
      if (priority < begin || priority > labels_.end()) continue;
      ++counts_.looked_at;
      LabelledId* const label = labels_.find(ids->Value(i));
      if (!count_unusable(label)) continue;
      places.push_back(i);
      labels.push_back(label);
    }
    if (!places.empty()) select(conformed(taken(batch, places, path), schema_, path), labels, path);
  }

  // Whether the label is one that is wanted.
  bool count_unusable(const LabelledId* label) {
    if (!label) {
      ++(is_first_ ? counts_.without_label : counts_.without_wanted);
    } else if (label->use == LabelUse::improbable) {
      ++counts_.improbable;
    } else if (label->use == LabelUse::other_class) {
      ++counts_.other_class;
    }
    return label && label->use == LabelUse::wanted;
  }

  void select(const Batch& rows, const std::vector<LabelledId*>& labels, const fs::path& path) {
    TextColumn urls;
    add_cells(rows->GetColumnByName("url"), "url", path, urls);
    const std::vector<int> failures = filter_.first_failures(*rows);
    std::vector<std::int64_t> places;
    std::vector<const LabelledId*> kept;
    std::vector<SampledRows::Key> keys;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      LabelledId& label = *labels[i];
      if (trimmed(urls[i]).empty()) {
        ++counts_.without_url;
        continue;
      }
      if (failures[i] >= 0) {
        ++counts_.failed[static_cast<std::size_t>(failures[i])];
        continue;
      }
      if (std::exchange(label.is_taken, true)) {
        ++counts_.doubled;
      } else {
        ++counts_.eligible;
        ++eligible_[label.label];
      }
      const std::uint64_t priority = priority_of(options_.seed, label.id);
      if (!sample_.wants(priority)) continue;
      places.push_back(static_cast<std::int64_t>(i));
      kept.push_back(&label);
      keys.push_back({priority, label.id, label.label});
    }
    if (!places.empty()) sample_.add(labelled(taken(rows, places, path), kept, path), keys);
  }

  // A column of the pairs that has such a name gets another.
  Batch labelled(const Batch& rows, const std::vector<const LabelledId*>& labels,
                 const fs::path& path) const {
    arrow::StringBuilder names;
    arrow::FloatBuilder probabilities;
    for (const LabelledId* label : labels) {
      auto status = names.Append(labels_.name(label->label));
      if (status.ok()) status = probabilities.Append(label->probability);
      if (!status.ok()) refuse(path, status);
    }
    arrow::FieldVector fields;
    for (const auto& field : rows->schema()->fields()) {
      const bool is_ours = field->name() == kLabel || field->name() == kProbability;
      fields.push_back(is_ours ? field->WithName("listed_" + field->name()) : field);
    }
    fields.push_back(arrow::field(kLabel, arrow::utf8()));
    fields.push_back(arrow::field(kProbability, arrow::float32()));
    arrow::ArrayVector columns = rows->columns();
    columns.push_back(value_of(names.Finish(), path));
    columns.push_back(value_of(probabilities.Finish(), path));
    return arrow::RecordBatch::Make(arrow::schema(fields), rows->num_rows(), std::move(columns));
  }

  void finish(CoyoSample& result) {
    result.table = sample_.table();
    result.most_held = labels_.most_ever_held();
    std::map<std::int32_t, std::int64_t> sampled;
    if (result.table) {
      for (const auto& key : sample_.keys()) ++sampled[key.label];
    }
    for (const std::int32_t label : labels_.classes()) {
      result.classes.push_back(
          {labels_.name(label), labels_.rows_of(label), eligible_[label], sampled[label]});
    }
    const LabelCounts& labels = labels_.counts();
    result.labels = {{"read", labels.read},
                     {"without an id", labels.without_id},
                     {"without a label", labels.without_label},
                     {"improbable label", labels.improbable},
                     {"of other classes", labels.other_class},
                     {"of the classes", labels.wanted}};
    const PairCounts& pairs = counts_;
    const std::int64_t rows = result.table ? result.table->num_rows() : 0;
    result.pairs = {{"read", pairs.read},
                    {"without an id", pairs.without_id},
                    {"beyond the draw", pairs.read - pairs.without_id - pairs.looked_at},
                    {"without a label", pairs.without_label},
                    {"without a label of the classes", pairs.without_wanted},
                    {"improbable label", pairs.improbable},
                    {"of other classes", pairs.other_class},
                    {"without a URL", pairs.without_url}};
    for (std::size_t i = 0; i < pairs.failed.size(); ++i) {
      result.pairs.emplace_back("not " + filter_.conditions()[i].text, pairs.failed[i]);
    }
    result.pairs.emplace_back("doubled id", pairs.doubled);
    result.pairs.emplace_back("eligible, not drawn", pairs.eligible - rows);
    result.pairs.emplace_back("sampled", rows);
  }

  const CoyoOptions& options_;
  const std::function<void(const char*, std::int64_t)>& observe_;
  CoyoLabels labels_;
  std::shared_ptr<arrow::Schema> schema_;  // of all files of pairs
  RowFilter filter_;
  SampledRows sample_;
  PairCounts counts_;
  std::map<std::int32_t, std::int64_t> eligible_;
  bool is_first_ = true;
};

std::string account_text(const char* side, const Account& account) {
  std::string text;
  for (const auto& [name, rows] : account) {
    const bool is_always = text.empty() || &name == &account.back().first;
    if (rows == 0 && !is_always) continue;
    text += fmt::format("{:<7} {:<32}{:>12}\n", text.empty() ? side : "", name, rows);
  }
  return text;
}

}  // namespace

CoyoSample sample_coyo(const CoyoOptions& options,
                       const std::function<void(const char* side, std::int64_t rows)>& observe) {
  return Import(options, observe).run();
}

std::string accounts_text(const CoyoSample& sample) {
  std::string text = account_text("labels", sample.labels) + account_text("pairs", sample.pairs);
  text += fmt::format("\n{:<24}{:>12}{:>12}{:>12}\n", "class", "labelled", "eligible", "sampled");
  for (const auto& row : sample.classes) {
    text += fmt::format("{:<24}{:>12}{:>12}{:>12}\n", row.name, row.labelled, row.eligible,
                        row.sampled);
  }
  return text;
}

}  // namespace diptych
