// Any bytes as a shard: rows and the bytes of their pictures, or an error that names the file.
#include <fstream>

#include "base/error.h"
#include "data/dataset.h"
#include "data/pictures.h"
#include "scratch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace diptych;
  const auto& folder = scratch_folder();
  std::filesystem::create_directories(folder);
  const auto path = folder / "shard.tar";
  std::ofstream(path, std::ios::binary)
      << std::string_view(reinterpret_cast<const char*>(data), size);
  ReadOptions options;
  options.needs_image = options.needs_text = options.needs_label = false;
  try {
    const Dataset dataset = read_dataset(path, options);
    PictureReader reader(dataset);
    std::size_t pictures = 0;
    while (reader.next()) ++pictures;
    if (pictures != dataset.size()) __builtin_trap();
  } catch (const Error& error) {
    if (error.where().find("shard.tar") == std::string::npos) __builtin_trap();
  }
  return 0;
}
