// The rows of a dataset: pictures with the words that came with them, read by Arrow from CSV, TSV,
// JSONL or Parquet. Roles are declared, never guessed. Every row read is either used or skipped for
// a reason that has a name.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"

namespace diptych {

struct ImageSource {
  std::filesystem::path path;  // as it can be opened; empty: no picture
};

struct Example {   // one picture with the words that came with it
  std::string id;  // unique in its dataset: the image's name as written, or "row N"
  ImageSource image;
  std::string text;         // valid UTF-8; may be empty
  std::vector<int> labels;  // class indices; empty when unknown
  std::string group;        // rows of one group never stand on both sides of a split
  std::int64_t row = 0;     // 1-based data row in the file (the header not counted)
};

// Why a row was skipped, or what was mended in a row that is used.
enum class Problem {
  missing_image,     // the file named is not there, or the cell is empty: skipped
  unreadable_image,  // cannot be decoded: skipped
  empty_label,       // skipped when labels are needed
  unknown_label,     // not a class of the model: skipped
  small_class,       // too few groups of its class to stand in every part of a split: skipped
  invalid_utf8,      // text, label, group or image name repaired: used
  long_text,         // text cut to the limit: used
};
const char* problem_name(Problem problem);  // "missing image" …
bool problem_skips(Problem problem);

struct RowProblem {
  std::int64_t row = 0;
  std::string id;
  Problem problem{};
  std::string detail;  // the offending value or the decoder's reason
};

struct ReadOptions {
  std::string image_column = "image";
  std::string text_column = "text";
  std::string label_column = "label";
  std::string group_column = "group";  // may be absent under this name, under a given one not
  bool needs_image = true;
  bool needs_text = true;
  bool needs_label = true;
  bool skips_empty_image = true;     // false: a row without picture stays, its path empty
  std::vector<std::string> classes;  // empty: found in the data, in sorted order
  std::size_t max_text_bytes = 65536;
};

// Immutable, cheap to copy, rows in file order.
class Dataset {
 public:
  Dataset();
  Dataset(std::vector<Example> rows, std::vector<std::string> classes);

  std::size_t size() const;
  const Example& operator[](std::size_t index) const;
  std::span<const Example> rows() const;
  const std::vector<std::string>& classes() const;
  std::span<const RowProblem> problems() const;         // of reading and of without(), in row order
  std::int64_t rows_read() const;                       // size() + rows skipped
  std::map<std::string, std::int64_t> skipped() const;  // reason → rows; used + sum = rows_read()
  std::string source() const;                           // the file that was read
  // 32 hex characters over classes, ids, texts, labels and groups, in order, and over the bytes of
  // the pictures once with_pictures() has told them. Not over where the data lies.
  std::string digest() const;
  // The same for what a model with these inputs depends on: for text alone, without the pictures.
  std::string digest_for(Inputs inputs) const;

  // The same data, its digest over the pictures too: one hash of the file's bytes for each row.
  // without() forgets them again.
  Dataset with_pictures(std::span<const std::uint64_t> digests) const;

  // The same data with these groups, one for each row; without() keeps them.
  Dataset with_groups(std::span<const std::string> groups) const;

  // The same data without the rows that the (skipping) problems name; classes that are left with no
  // row disappear and labels are renumbered, unless keep_classes. Each problem names a row of this
  // dataset.
  Dataset without(std::span<const RowProblem> problems, bool keep_classes = false) const;

 private:
  friend Dataset read_dataset(const std::filesystem::path& path, const ReadOptions& options);
  struct Content;
  std::shared_ptr<const Content> content_;
};

// path: a folder with data.csv (or .tsv, .jsonl, .parquet), or such a file. Image paths are
// relative to the file. Throws Error{not_found, data}: a missing column names those present and the
// flag.
Dataset read_dataset(const std::filesystem::path& path, const ReadOptions& options);

// "row,id,problem,action,detail" as CSV, for problems.csv.
std::string problems_csv(std::span<const RowProblem> problems);

}  // namespace diptych
