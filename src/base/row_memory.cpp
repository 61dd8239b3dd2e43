#include "base/row_memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <unordered_map>

#include "base/file.h"

namespace diptych {
namespace {

constexpr std::size_t kMostSinceRest = 4 << 20;

struct RowFiles {
  std::mutex mutex;
  std::filesystem::path folder;
  std::unordered_map<void*, std::size_t> blocks;
  std::size_t since_rest = 0;  // bytes of blocks

  void rest() {
    for (const auto& [block, bytes] : blocks) ::madvise(block, bytes, MADV_DONTNEED);
    since_rest = 0;
  }
};

RowFiles& row_files() {
  static auto* const files = new RowFiles;  // vectors may outlive what is destroyed at the end
  return *files;
}

// Null where there can be none. The place on the disk is taken at once: a page that could not be
// written would be a signal, not an error.
void* map_new_file(const std::filesystem::path& folder, std::size_t bytes) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  std::string name = folder / ".rows-XXXXXX";
  const Descriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (file.get() < 0) return nullptr;
  ::unlink(name.c_str());
  if (::posix_fallocate(file.get(), 0, static_cast<::off_t>(bytes)) != 0) return nullptr;
  void* const block = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  return block == MAP_FAILED ? nullptr : block;
}

}  // namespace

void keep_rows_in(const std::filesystem::path& folder) {
  RowFiles& files = row_files();
  const std::lock_guard lock(files.mutex);
  files.folder = folder;
}

void rest_rows() {
  RowFiles& files = row_files();
  const std::lock_guard lock(files.mutex);
  files.rest();
}

std::size_t row_file_bytes() {
  RowFiles& files = row_files();
  const std::lock_guard lock(files.mutex);
  std::size_t sum = 0;
  for (const auto& [block, bytes] : files.blocks) sum += bytes;
  return sum;
}

void* allocate_row_memory(std::size_t bytes) {
  RowFiles& files = row_files();
  if (bytes >= kLeastRowBlock) {
    const std::lock_guard lock(files.mutex);
    if (!files.folder.empty()) {
      if (void* const block = map_new_file(files.folder, bytes)) {
        if (files.since_rest >= kMostSinceRest) files.rest();
        files.since_rest += bytes;
        files.blocks.emplace(block, bytes);
        return block;
      }
    }
  }
  return ::operator new(bytes);
}

void free_row_memory(void* block, std::size_t bytes) noexcept {
  RowFiles& files = row_files();
  if (bytes >= kLeastRowBlock) {
    const std::lock_guard lock(files.mutex);
    if (files.blocks.erase(block) > 0) {
      ::munmap(block, bytes);
      return;
    }
  }
  ::operator delete(block);
}

}  // namespace diptych
