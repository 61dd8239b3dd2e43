// Whole files, read with a bound and written so that a crash, a full disk or a kill leaves either
// the old file or the new one: beside the place, fsync, rename, fsync of the folder.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace diptych {

// An open file's number, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool close();  // now; false: it failed, as a full disk may say only here

 private:
  int fd_;
};

// Whether all bytes were written there, by pwrite; if not, errno says why.
bool write_at(int fd, std::string_view bytes, std::uint64_t offset);
// Whether as many bytes were there to read.
bool read_at(int fd, std::span<char> bytes, std::uint64_t offset);
// After a rename: makes the folder's new entry durable.
void sync_folder(const std::filesystem::path& folder);

// Reads a whole file. Throws Error{not_found, io}; Error{data} when it is larger than max_bytes.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes = UINT64_MAX);

// Replaces path by bytes, atomically and durably. Throws Error{io}; the old file is then intact.
void write_file(const std::filesystem::path& path, std::string_view bytes);
void write_file(const std::filesystem::path& path, std::span<const std::string_view> parts);

// A file that grows under another name and takes its own when it is whole, atomically and durably.
class PartialFile {
 public:
  explicit PartialFile(const std::filesystem::path& path);  // throws Error{io}
  ~PartialFile();                                           // uncommitted: nothing is left
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  int descriptor() const { return file_.get(); }  // to write to
  void commit();                                  // throws Error{io}; the old file is then intact

 private:
  std::filesystem::path path_, partial_;
  Descriptor file_;
};

// Between a file's name and the number of the process that is writing it.
constexpr const char* kPartial = ".partial-";

// Appends one line that is already complete (no durability promise: for logs such as
// metrics.jsonl).
void append_line(const std::filesystem::path& path, std::string_view line);

// Removes what writers that were killed left half-written in a folder, if there is such a folder.
void remove_partial_files(const std::filesystem::path& folder);

// Makes a folder for results. Throws Error{exists} when it already holds anything and overwrite is
// false, Error{io} when it cannot be made or written to.
void make_output_folder(const std::filesystem::path& path, bool overwrite);

}  // namespace diptych
