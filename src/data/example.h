// One row: a picture with the words that came with it, where its bytes lie, and what can be wrong
// with it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace diptych {

// A file that holds many pictures and is read from its start on.
struct ImageContainer {
  enum class Kind { tar, table };
  Kind kind{};
  std::filesystem::path path;
  std::string column;  // of a table; a tar has none
};

// Where the bytes of a picture lie; data/pictures.h opens it.
struct ImageSource {
  std::filesystem::path path;                       // of a file of its own, as it can be opened
  std::shared_ptr<const ImageContainer> container;  // or the one that holds it, shared by its rows
  std::int64_t index = 0;                           // there: which member or row, from 0

  bool empty() const { return path.empty() && !container; }  // no picture
};

// Of a split: which rows may be learnt from.
enum class Part : std::uint8_t { unknown, train, validation, test };
// "train", "Validation", "val" …; unknown for any other word.
Part part_named(const std::string& word);

struct Example {   // one picture with the words that came with it
  std::string id;  // unique in its dataset: the image's name as written, or "row N"
  ImageSource image;
  std::string text;           // valid UTF-8; may be empty
  std::vector<int> labels;    // class indices; empty when unknown
  std::string group;          // rows of one group never stand on both sides of a split
  Part part = Part::unknown;  // of the split that the data gives, if it gives one
  std::int64_t row = 0;       // 1-based data row in the file (the header not counted)
};

// Why a row was skipped, or what was mended in a row that is used.
enum class Problem {
  missing_image,     // the file named is not there, or the cell is empty: skipped
  unreadable_image,  // cannot be decoded: skipped
  empty_label,       // skipped when labels are needed
  unknown_label,     // not a class of the model, or not among the label names: skipped
  unknown_split,     // the data gives a split, and for this row no part of it: skipped
  small_class,       // too few groups of its class to stand in every part of a split: skipped
  untrained_class,   // no row of its class may be learnt from, by the split of the data: skipped
  failed_download,   // as img2dataset notes it: skipped
  lost,              // in a part of a shard that is cut off or damaged: skipped
  invalid_json,      // what its JSON held is left out: used
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

}  // namespace diptych
