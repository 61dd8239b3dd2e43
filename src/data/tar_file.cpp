#include "data/tar_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "data/containers.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

// What a tar may have been compressed to: its first bytes.
constexpr std::array<std::pair<std::string_view, const char*>, 4> kCompressed{
    {{"\x1f\x8b", "gunzip"},
     {"\x28\xb5\x2f\xfd", "unzstd"},
     {"\xfd"
      "7zXZ",
      "unxz"},
     {"BZh", "bunzip2"}}};

}  // namespace

// The file behind libarchive's callbacks. A skip stops at the file's end, so that a member that is
// cut off is not taken for one that was skipped.
struct TarReader::File {
  fs::path path;
  int fd = -1;
  std::int64_t size = 0, at = 0;
  archive* handle = archive_read_new();
  std::array<char, 1 << 16> buffer;

  ~File() {
    archive_read_free(handle);
    if (fd >= 0) ::close(fd);
  }

  static la_ssize_t read(archive* handle, void* self, const void** bytes) {
    auto& file = *static_cast<File*>(self);
    ssize_t got = 0;
    do {
      got = ::read(file.fd, file.buffer.data(), file.buffer.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) archive_set_error(handle, errno, "%s", std::strerror(errno));
    if (got > 0) file.at += got;
    *bytes = file.buffer.data();
    return got;
  }
  static la_int64_t skip(archive*, void* self, la_int64_t bytes) {
    auto& file = *static_cast<File*>(self);
    const std::int64_t step =
        std::clamp<std::int64_t>(bytes, 0, std::max<std::int64_t>(0, file.size - file.at));
    if (::lseek(file.fd, step, SEEK_CUR) < 0) return 0;
    file.at += step;
    return step;
  }
  std::string reason() const {
    const char* text = archive_error_string(handle);
    return text ? text : "unknown reason";
  }
};

namespace {

bool is_good(int status) { return status == ARCHIVE_OK || status == ARCHIVE_WARN; }

std::string name_of(archive_entry* entry) {
  if (const char* name = archive_entry_pathname_utf8(entry)) return name;
  const char* name = archive_entry_pathname(entry);
  return name ? name : "";
}

}  // namespace

TarReader::TarReader(const fs::path& path) : file_(std::make_unique<File>()) {
  file_->path = path;
  file_->fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info {};
  if (file_->fd < 0 || ::fstat(file_->fd, &info) != 0) {
    throw Error(errno == ENOENT ? ErrorKind::not_found : ErrorKind::io,
                std::string("cannot open: ") + std::strerror(errno), path.string());
  }
  if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::data, "is no file", path.string());
  file_->size = info.st_size;
  if (file_->size == 0) throw Error(ErrorKind::data, "the file is empty", path.string());
  std::array<char, 6> head{};
  const ssize_t got = ::pread(file_->fd, head.data(), head.size(), 0);
  const std::string_view start(head.data(), static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  for (const auto& [magic, tool] : kCompressed) {
    if (!start.starts_with(magic)) continue;
    throw Error(ErrorKind::data, "is compressed, so that it cannot be read from any place",
                path.string(), fmt::format("unpack it to a plain .tar with {}", tool));
  }
  archive* handle = file_->handle;
  archive_read_support_format_tar(handle);
  archive_read_set_options(handle, "tar:read_concatenated_archives");  // as cat and tar -A leave
  archive_read_set_read_callback(handle, File::read);
  archive_read_set_skip_callback(handle, File::skip);
  archive_read_set_callback_data(handle, file_.get());
  if (archive_read_open1(handle) != ARCHIVE_OK) {
    throw Error(ErrorKind::data, "is no tar: " + file_->reason(), path.string());
  }
}

TarReader::~TarReader() = default;

void TarReader::end(const std::string& loss, bool cuts_member) {
  over_ = true;
  loss_ = loss;
  cuts_member_ = cuts_member;
}

const TarReader::Member* TarReader::next() {
  if (over_) return nullptr;
  archive* handle = file_->handle;
  if (started_ && !is_good(archive_read_data_skip(handle))) {
    end(fmt::format("ends inside '{}'", member_.name), true);
    return nullptr;
  }
  const auto at = archive_filter_bytes(handle, 0);
  archive_entry* entry = nullptr;
  const int status = archive_read_next_header(handle, &entry);
  if (status == ARCHIVE_EOF) {
    const bool has_end_mark = at < file_->size;
    end(has_end_mark ? "" : fmt::format("has no end mark behind '{}'", member_.name), false);
    return nullptr;
  }
  if (!is_good(status)) {
    if (!started_) {
      throw Error(ErrorKind::data, "is no tar: " + file_->reason(), file_->path.string());
    }
    end(fmt::format("is cut off or damaged behind '{}', at byte {}: {}", member_.name, at,
                    file_->reason()),
        false);
    return nullptr;
  }
  const bool is_link = archive_entry_hardlink(entry) || archive_entry_symlink(entry);
  member_ = {started_ ? member_.index + 1 : 0, name_of(entry),
             static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry))),
             archive_entry_filetype(entry) == AE_IFREG && !is_link};
  started_ = true;
  return &member_;
}

std::string TarReader::read(std::uint64_t max_bytes) {
  std::string bytes;
  while (bytes.size() < max_bytes) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(file_->handle, &block, &size, &offset);
    if (status == ARCHIVE_EOF) break;
    if (!is_good(status)) {
      end(fmt::format("ends inside '{}'", member_.name), true);
      break;
    }
    if (static_cast<std::uint64_t>(offset) != bytes.size()) {
      throw Error(ErrorKind::data, fmt::format("'{}' is stored with holes", member_.name),
                  file_->path.string());
    }
    const std::size_t room = static_cast<std::size_t>(max_bytes) - bytes.size();
    bytes.append(static_cast<const char*>(block), std::min(size, room));
  }
  return bytes;
}

namespace {

class TarPictures : public ContainedPictures {
 public:
  explicit TarPictures(const fs::path& path) : path_(path), tar_(path) {}

  std::string read(std::int64_t index) override {
    do {
      member_ = tar_.next();
    } while (member_ && member_->index < index);
    if (!member_) throw Error(ErrorKind::data, "the shard ends before it", path_.string());
    if (member_->size > kMaxPictureBytes) {
      throw Error(ErrorKind::data,
                  fmt::format("is {} bytes; the limit is {}", member_->size, kMaxPictureBytes));
    }
    std::string bytes = tar_.read(kMaxPictureBytes);
    if (tar_.cuts_member()) throw Error(ErrorKind::data, "the shard ends inside it");
    return bytes;
  }

 private:
  fs::path path_;
  TarReader tar_;
  const TarReader::Member* member_ = nullptr;
};

}  // namespace

std::unique_ptr<ContainedPictures> open_tar_pictures(const fs::path& path) {
  return std::make_unique<TarPictures>(path);
}

}  // namespace diptych
