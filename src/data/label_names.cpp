#include "data/label_names.h"

#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "data/table.h"
#include "text/unicode.h"

namespace diptych {
namespace {

constexpr std::uint64_t kMostBytes = 64 << 20;
constexpr const char *kLabel = "label", *kName = "name";

using Names = std::map<std::string, std::string>;

void add(Names& names, const std::string& label, const std::string& name,
         const std::filesystem::path& path) {
  if (name.empty() || names.emplace(label, repair_utf8(name)).second) return;
  throw Error(ErrorKind::data, "names the label '" + label + "' twice", path.string());
}

}  // namespace

Names read_label_names(const std::filesystem::path& path) {
  Names names;
  if (is_table_name(path)) {
    const Table table = read_table(path, {kLabel, kName});
    if (!table.columns.contains(kLabel) || !table.columns.contains(kName)) {
      throw Error(ErrorKind::data, "has no columns 'label' and 'name'", path.string(),
                  "or give a .txt with the name of label 0 in its first line, and so on");
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(table.rows); ++i) {
      add(names, trimmed(table.columns.at(kLabel)[i]), trimmed(table.columns.at(kName)[i]), path);
    }
  } else {
    std::istringstream lines(read_file(path, kMostBytes));
    std::string line;
    for (int label = 0; std::getline(lines, line); ++label) {
      add(names, std::to_string(label), trimmed(line), path);
    }
  }
  if (names.empty()) throw Error(ErrorKind::data, "names no labels", path.string());
  return names;
}

}  // namespace diptych
