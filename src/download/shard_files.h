// Where the pictures of a shard go, one after the other: a tar or a folder, that takes its name
// when it is whole.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace diptych {

class ShardFiles {
 public:
  virtual ~ShardFiles() = default;
  virtual void add(const std::string& name, std::string_view bytes) = 0;  // throws Error{io}
  virtual void commit() = 0;                                              // likewise
};

std::unique_ptr<ShardFiles> make_tar(const std::filesystem::path& path);
std::unique_ptr<ShardFiles> make_folder(const std::filesystem::path& path);

}  // namespace diptych
