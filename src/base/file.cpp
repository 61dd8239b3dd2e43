#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

std::string hint_for(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return "the disk is full: free some space, then run the same command again";
    case EACCES:
    case EPERM:
    case EROFS:
      return "the place cannot be written to: choose another one with -o";
    case EFBIG:
      return "files may not be that large here: see ulimit -f";
    default:
      return "";
  }
}

[[noreturn]] void fail(const std::string& what, const fs::path& path) {
  const int code = errno;
  throw Error(code == ENOENT ? ErrorKind::not_found : ErrorKind::io,
              what + ": " + std::strerror(code), path.string(), hint_for(code));
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

bool Descriptor::close() { return ::close(std::exchange(fd_, -1)) == 0; }

bool write_at(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<::off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return true;
}

bool read_at(int fd, std::span<char> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), static_cast<::off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

void sync_folder(const fs::path& folder) {
  Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) ::fsync(fd.get());
}

std::string read_file(const fs::path& path, std::uint64_t max_bytes) {
  if (path.native().find('\0') != std::string::npos) {  // where the system would end the name
    throw Error(ErrorKind::not_found, "a name with a NUL byte names no file", path.string());
  }
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail("cannot open", path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail("cannot read", path);
  if (S_ISDIR(info.st_mode)) throw Error(ErrorKind::io, "is a folder, not a file", path.string());
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > max_bytes) {
    throw Error(ErrorKind::data,
                "is " + std::to_string(size) + " bytes; the limit is " + std::to_string(max_bytes),
                path.string());
  }
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read", path);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

PartialFile::PartialFile(const fs::path& path)
    : path_(path),
      partial_(path.string() + kPartial + std::to_string(::getpid())),
      file_(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (file_.get() < 0) fail("cannot write", path);
}

PartialFile::~PartialFile() {
  if (!partial_.empty()) ::unlink(partial_.c_str());
}

void PartialFile::commit() {
  // A full disk may only show when the file is closed.
  if (::fsync(file_.get()) != 0 || !file_.close() ||
      ::rename(partial_.c_str(), path_.c_str()) != 0) {
    fail("cannot write", path_);
  }
  partial_.clear();
  sync_folder(path_.has_parent_path() ? path_.parent_path() : fs::path("."));
}

void write_file(const fs::path& path, std::string_view bytes) {
  write_file(path, std::span(&bytes, 1));
}

void write_file(const fs::path& path, std::span<const std::string_view> parts) {
  PartialFile file(path);
  std::uint64_t offset = 0;
  for (const std::string_view part : parts) {
    if (!write_at(file.descriptor(), part, offset)) fail("cannot write", path);
    offset += part.size();
  }
  file.commit();
}

void append_line(const fs::path& path, std::string_view line) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (fd.get() < 0) fail("cannot write", path);
  std::string text(line);
  text += '\n';
  if (!write_at(fd.get(), text, 0)) fail("cannot write", path);  // O_APPEND: at the end
}

void remove_partial_files(const fs::path& folder) {
  std::error_code none;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().filename().string().find(kPartial) != std::string::npos) {
      found.push_back(entry.path());
    }
  }
  for (const fs::path& path : found) fs::remove(path, none);
}

void make_output_folder(const fs::path& path, bool overwrite) {
  std::error_code code;
  if (!fs::create_directories(path, code) && code) {
    errno = code.value();
    fail("cannot make the output folder", path);
  }
  if (!fs::is_directory(path)) {
    throw Error(ErrorKind::exists, "is not a folder", path.string(), "choose another one with -o");
  }
  if (!overwrite && !fs::is_empty(path)) {
    throw Error(ErrorKind::exists, "the output folder already holds something", path.string(),
                "choose another one with -o, continue it with --resume, or replace it with "
                "--overwrite");
  }
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0)
    fail("cannot write to the output folder", path);
}

}  // namespace diptych
