// JSONL: one object a line, by nlohmann's parser and not by Arrow's, which reads text that looks
// like a date as one, 3.0 as 3, and refuses a column of numbers and text. A cell here is its own
// token.
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "data/table_formats.h"
#include "text/unicode.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

// JSON has to be UTF-8. In a line that is not, each byte beyond ASCII travels through the parser as
// a private character of its own, U+10FF00 + byte, and back.
constexpr std::string_view kPrivate = "\xf4\x8f";

std::string as_private(std::string_view line) {
  std::string text;
  for (char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += kPrivate;
      text += byte < 0xc0 ? '\xbe' : '\xbf';
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

std::string from_private(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == kPrivate && i + 3 < text.size()) {
      const bool high = text[i + 2] == '\xbf';
      bytes += static_cast<char>((high ? 0xc0 : 0x80) | (text[i + 3] & 0x3f));
      i += 3;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

}  // namespace

// Takes the cells of one row at a time; refused() tells what a row has that no cell can hold.
class JsonRows::Reader : public nlohmann::json_sax<json> {
 public:
  Reader(Table& table, const std::vector<std::string>& wanted) : table_(table), wanted_(wanted) {}

  bool read(const std::string& line) {
    is_private_ = !is_valid_utf8(line);
    depth_ = 0;
    column_ = nullptr;
    in_list_ = false;
    filled_.clear();
    refused_.clear();
    ++table_.rows;
    for (auto& [name, cells] : table_.columns) cells.resize(rows());
    return json::sax_parse(is_private_ ? as_private(line) : line, this);
  }
  const std::string& refused() const { return refused_; }

  bool null() override { return take(""); }
  bool boolean(bool value) override { return take(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return take(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return take(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& written) override { return take(written); }
  bool string(string_t& value) override {
    return take(is_private_ && column_ ? from_private(value) : value);
  }
  bool binary(binary_t&) override { return refuse("holds bytes"); }
  bool start_object(std::size_t) override { return depth_ == 0 ? enter() : nest("an object"); }
  bool start_array(std::size_t) override {
    if (depth_ == 0) return no_object();
    const bool is_cell = depth_ == 1 && column_;
    if (!is_cell) return nest("a list in a list");
    in_list_ = true;
    list_.clear();
    items_ = 0;
    return enter();
  }
  bool end_object() override { return leave(); }
  bool end_array() override {
    if (in_list_) fill(list_);
    in_list_ = false;
    return leave();
  }
  bool key(string_t& written) override {
    if (depth_ != 1) return true;
    const std::string name = trimmed(is_private_ ? from_private(written) : written);
    if (seen_.insert(name).second) table_.names.push_back(name);
    column_ = nullptr;
    if (!contains(wanted_, name)) return true;
    if (!filled_.insert(name).second) return refuse(fmt::format("has '{}' twice", name));
    name_ = name;
    column_ = &table_.columns[name];
    column_->resize(rows());  // earlier rows did not have it
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    const std::string_view what = error.what();
    return refuse(fmt::format("is not JSON: {}", what.substr(what.find("] ") + 2)));
  }

 private:
  std::size_t rows() const { return static_cast<std::size_t>(table_.rows); }
  bool take(const std::string& value) {
    if (depth_ == 0) return no_object();
    if (!column_) return true;
    if (!in_list_) return fill(value);
    if (items_++ > 0) list_ += kListSeparator;
    list_ += value;
    return true;
  }
  bool fill(const std::string& cell) {
    column_->set(rows() - 1, cell);
    return true;
  }
  bool nest(const char* what) {
    if (column_) {
      return refuse(fmt::format("holds {} in column '{}', not text", what, name_));
    }
    return enter();
  }
  bool enter() { return ++depth_ > 0; }
  bool leave() { return depth_-- > 0; }
  bool no_object() { return refuse("is not an object of columns: {\"image\": …}"); }
  bool refuse(std::string what) {
    refused_ = std::move(what);
    return false;
  }

  Table& table_;
  const std::vector<std::string>& wanted_;
  std::set<std::string> seen_, filled_;
  std::string name_, refused_, list_;
  TextColumn* column_ = nullptr;  // of the key that was read last, when it is wanted
  std::size_t depth_ = 0, items_ = 0;
  bool is_private_ = false, in_list_ = false;
};

JsonRows::JsonRows(Table& table, const std::vector<std::string>& wanted)
    : reader_(std::make_unique<Reader>(table, wanted)) {}
JsonRows::~JsonRows() = default;
bool JsonRows::read(const std::string& object) { return reader_->read(object); }
const std::string& JsonRows::refused() const { return reader_->refused(); }

Table read_jsonl(const fs::path& path, const std::vector<std::string>& wanted) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(ErrorKind::io, "cannot be opened", path.string(), "check that it may be read");
  Table table;
  JsonRows reader(table, wanted);
  std::string line;
  for (bool first = true; std::getline(file, line); first = false) {
    if (first && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
    if (trimmed(line).empty()) continue;
    if (reader.read(line)) continue;
    throw Error(ErrorKind::data, fmt::format("row {} {}", table.rows, reader.refused()),
                path.string());
  }
  if (file.bad()) throw Error(ErrorKind::io, "cannot be read to its end", path.string());
  if (table.rows == 0) throw Error(ErrorKind::data, "the file holds no rows", path.string());
  return table;
}

}  // namespace diptych
