// The labels of COYO-Labeled-300M, read so that memory does not grow with them: of every row the
// class is counted, and a row is held only if the random number that its id gives is among the
// smallest. Pairs draw the same number from the same id, so both sides hold the same few rows.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/table_stream.h"

namespace diptych {

// Uniform over 64 bits, different for every id; of a file's or a row's place it knows nothing.
std::uint64_t priority_of(std::uint64_t seed, std::int64_t id);

struct LabelRules {
  int classes = 10;                          // the most frequent ones; 0: all
  double min_probability = 0;                // of the most probable label of a row
  std::map<std::string, std::string> names;  // of label numbers; empty: numbers are names
};

// Why a label is not used; wanted ones come first.
enum class LabelUse : std::uint8_t { wanted, improbable, other_class };

struct LabelledId {
  std::int64_t id = 0;
  std::int32_t label = 0;
  float probability = 0;
  LabelUse use = LabelUse::wanted;
  bool is_taken = false;  // for who joins: a pair of this id has been found
};

struct LabelCounts {
  std::int64_t read = 0, without_id = 0, without_label = 0, improbable = 0, other_class = 0;
  std::int64_t wanted = 0;
  std::int64_t doubled = 0;  // among those held: labels of an id that has a better one
};

// A whole-number column as 64 bits, from a batch that may have several types for it. Throws
// Error{data}.
std::shared_ptr<arrow::Int64Array> ids_of(const arrow::RecordBatch& batch,
                                          const std::filesystem::path& path);

class CoyoLabels {
 public:
  using Observe = std::function<void(std::int64_t rows)>;

  // most_held: rows in memory, a quarter more while reading.
  CoyoLabels(std::vector<std::filesystem::path> files, LabelRules rules, std::uint64_t seed,
             std::size_t most_held);

  // Reads all files, and holds the rows whose priority lies within [begin, end()]: as many as may
  // be. The first reading counts the classes; from then on only wanted rows are held. Throws
  // Error{not_found, io, data}.
  void read(std::uint64_t begin, const Observe& observe = {});
  std::uint64_t end() const { return end_; }
  bool is_complete() const { return end_ == UINT64_MAX; }

  // Null: not held. Of several labels of an id a wanted one counts, then the most probable.
  LabelledId* find(std::int64_t id);

  const LabelCounts& counts() const { return counts_; }
  const std::vector<std::int32_t>& classes() const { return classes_; }  // most frequent first
  std::string name(std::int32_t label) const;
  std::int64_t rows_of(std::int32_t label) const { return rows_.at(label); }
  std::size_t most_ever_held() const { return peak_; }

 private:
  void add(const arrow::RecordBatch& batch, const std::filesystem::path& path, std::uint64_t begin);
  void add(LabelledId row, std::uint64_t begin);
  std::int32_t class_of(std::int64_t number) const;
  void trim();
  void choose_classes();
  void settle();

  std::vector<std::filesystem::path> files_;
  LabelRules rules_;
  std::uint64_t seed_;
  std::size_t most_held_, peak_ = 0;
  std::vector<std::string> names_;                          // sorted; empty: numbers are names
  std::unordered_map<std::int64_t, std::int32_t> numbers_;  // to their place in names_
  std::unordered_map<std::int32_t, std::int64_t> rows_;     // of each class, where probable enough
  std::vector<std::int32_t> classes_;
  std::vector<LabelledId> held_;
  std::uint64_t end_ = UINT64_MAX;
  bool is_first_ = true;
  LabelCounts counts_;
};

}  // namespace diptych
