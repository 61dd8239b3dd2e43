// Rows put together from pieces: the members of a shard, the files of a folder. A piece's column is
// its ending ("cls"); "text" is another name for txt, "label" for cls. The members of a row's JSON
// are columns too, unless pieces have that name.
#pragma once
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "data/layout.h"
#include "data/table_formats.h"

namespace diptych {

class SampleTable {
 public:
  explicit SampleTable(const Request& request);

  void add_row(const std::string& name);  // what follows is about this row
  void set_picture(const std::string& name, const ImageSource& source);
  // read gives the piece's bytes; it is called when a column is wanted of them.
  void add_piece(const std::string& ending, const std::function<std::string()>& read);
  void set(const std::string& column, const std::string& cell);
  void set_problem(Problem problem, const std::string& detail);
  void drop_row();

  // The rows that img2dataset's list of a shard or folder has and `keys` lacks: what failed, and
  // what was fetched but is gone. No list: nothing.
  void add_unlisted(const std::filesystem::path& list, const std::set<std::string>& keys);
  Table finish();

 private:
  void end_row();

  const Request& request_;
  Table table_, json_;
  JsonRows json_rows_;
  bool open_ = false;
  std::string pending_json_;
};

// img2dataset's notes on a row; a table has them when it has all of these columns.
constexpr const char *kKeyColumn = "key", *kStatusColumn = "status",
                     *kErrorColumn = "error_message";
bool notes_downloads(const Table& table);

}  // namespace diptych
