// Memory for what is known of every row of a dataset. Its large blocks lie in files without a name,
// which the system takes out of resident memory when it needs to, so that a dataset may have more
// rows than memory holds. Small blocks are the heap's.
#pragma once
#include <cstddef>
#include <filesystem>
#include <new>
#include <vector>

namespace diptych {

constexpr std::size_t kLeastRowBlock = 1 << 18;  // bytes; a smaller one is the heap's

// Where the files of large blocks are made from now on; the folder is made when the first is. An
// empty path, as at the start: nowhere. Where there can be none, the heap gives the block.
void keep_rows_in(const std::filesystem::path& folder);

// Takes all these blocks out of the resident memory of this process. They come back page by page
// as they are touched, so any thread may go on using them. It happens by itself whenever some more
// of them have been made.
void rest_rows();

std::size_t row_file_bytes();  // of the blocks that lie in files now

// Aligned as by operator new. Throws std::bad_alloc.
void* allocate_row_memory(std::size_t bytes);
void free_row_memory(void* block, std::size_t bytes) noexcept;

template <typename T>
struct RowAllocator {
  using value_type = T;
  static_assert(alignof(T) <= alignof(std::max_align_t));

  RowAllocator() = default;
  template <typename U>
  RowAllocator(const RowAllocator<U>&) {}

  T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(allocate_row_memory(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    free_row_memory(block, count * sizeof(T));
  }
  template <typename U>
  bool operator==(const RowAllocator<U>&) const {
    return true;
  }
};

template <typename T>
using RowVector = std::vector<T, RowAllocator<T>>;

}  // namespace diptych
