// The rows of a dataset: pictures with the words that came with them, in any of the layouts of
// data/layout.h. Roles are declared, never guessed. Every row read is either used or skipped for a
// reason that has a name.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/example_columns.h"

namespace diptych {

// As the name of a column or file: there is none.
constexpr const char* kNone = "none";

struct ReadOptions {
  std::string image_column = "image";
  std::string text_column = "text";  // or several with commas between them, joined in this order
  std::string text_separator = " | ";
  std::string label_column = "label";
  std::string label_separator = "|";   // within a cell of several labels; none: a cell is a label
  std::string label_names = kNone;     // a file of them: see data/label_names.h
  std::string group_column = "group";  // may be absent under this name, under a given one not
  std::string split_column = "split";  // likewise
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
  Dataset(const std::vector<Example>& rows, std::vector<std::string> classes,
          std::string source = "");
  Dataset(ExampleColumns rows, std::vector<std::string> classes, std::string source = "");

  std::size_t size() const;
  Example operator[](std::size_t index) const;
  ExampleRange rows() const;
  const ExampleColumns& columns() const;  // the same without putting rows together
  const std::vector<std::string>& classes() const;
  std::span<const RowProblem> problems() const;         // of reading and of without(), in row order
  std::int64_t rows_read() const;                       // size() + rows skipped
  std::map<std::string, std::int64_t> skipped() const;  // reason → rows; used + sum = rows_read()
  std::string source() const;                           // what was read: a file, folder or pattern
  bool gives_split() const;                             // rows say which part they belong to
  // 32 hex characters over classes, ids, texts, labels, groups and given parts, in order, and over
  // the bytes of the pictures once with_pictures() has told them. Not over where the data lies.
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
  struct Content;
  std::shared_ptr<const Content> content_;
};

// path: see data/layout.h. Throws Error{not_found, data}: a missing column names those present and
// the flag.
Dataset read_dataset(const std::filesystem::path& path, const ReadOptions& options);

// "row,id,problem,action,detail" as CSV, for problems.csv.
std::string problems_csv(std::span<const RowProblem> problems);

}  // namespace diptych
