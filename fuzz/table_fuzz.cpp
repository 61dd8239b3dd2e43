// Any bytes as a table of each format: rows and pictures, or an error that names the file. The
// first byte chooses the format.
#include <array>
#include <fstream>

#include "base/error.h"
#include "data/pictures.h"
#include "data/table.h"
#include "scratch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace diptych;
  if (size == 0) return 0;
  constexpr std::array kEndings{"csv", "tsv", "jsonl", "parquet", "arrow", "feather"};
  const auto& folder = scratch_folder();
  std::filesystem::create_directories(folder);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto path = folder / (std::string("table.") + kEndings[data[0] % kEndings.size()]);
  std::ofstream(path, std::ios::binary) << bytes.substr(1);
  try {
    const Table table = read_table(path, {"image", "text", "label"}, "image");
    for (const auto& [name, cells] : table.columns) {
      if (std::ssize(cells) != table.rows) __builtin_trap();
    }
    std::vector<Example> rows(table.pictures.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].image = table.pictures[i];
    PictureReader reader(Dataset(rows, {}));
    while (reader.next()) continue;
  } catch (const Error& error) {
    if (error.where().find(path.filename().string()) == std::string::npos) __builtin_trap();
  }
  return 0;
}
