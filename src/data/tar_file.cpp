#include "data/tar_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "data/pictures.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

bool is_good(int status) { return status == ARCHIVE_OK || status == ARCHIVE_WARN; }

std::string name_of(archive_entry* entry) {
  if (const char* name = archive_entry_pathname_utf8(entry)) return name;
  const char* name = archive_entry_pathname(entry);
  return name ? name : "";
}

std::string reason_of(archive* handle) {
  const char* text = archive_error_string(handle);
  return text ? text : "unknown reason";
}

}  // namespace

TarReader::TarReader(const fs::path& path)
    : path_(path), handle_(archive_read_new(), archive_read_free) {
  constexpr std::size_t kBlock = 1 << 16;
  std::error_code code;
  if (!fs::exists(path, code)) {
    throw Error(ErrorKind::not_found, "there is no such file", path.string());
  }
  if (!fs::is_regular_file(path, code)) throw Error(ErrorKind::data, "is no file", path.string());
  size_ = static_cast<std::int64_t>(fs::file_size(path));
  if (size_ == 0) throw Error(ErrorKind::data, "the file is empty", path.string());
  archive_read_support_format_tar(handle_.get());
  archive_read_set_options(handle_.get(), "tar:read_concatenated_archives");  // as cat leaves them
  if (archive_read_open_filename(handle_.get(), path.c_str(), kBlock) == ARCHIVE_OK) return;
  if (archive_errno(handle_.get()) == EILSEQ) refuse();  // what it says of a format
  throw Error(ErrorKind::io, "cannot be opened: " + reason_of(handle_.get()), path.string());
}

void TarReader::refuse() const {
  throw Error(ErrorKind::data, "is no tar: " + reason_of(handle_.get()), path_.string(),
              "a compressed one has to be unpacked to a plain .tar");
}

void TarReader::end(const std::string& loss, bool cuts_member) {
  over_ = true;
  loss_ = loss;
  cuts_member_ = cuts_member;
}

const TarReader::Member* TarReader::next() {
  archive* handle = handle_.get();
  if (!over_ && started_ && !is_good(archive_read_data_skip(handle))) {
    end(fmt::format("ends inside '{}'", member_.name), true);
  }
  if (over_) return nullptr;
  const auto at = archive_filter_bytes(handle, 0);
  archive_entry* entry = nullptr;
  const int status = archive_read_next_header(handle, &entry);
  if (status == ARCHIVE_EOF) {
    end(at < size_ ? "" : fmt::format("has no end mark behind '{}'", member_.name), false);
    return nullptr;
  }
  if (!is_good(status) && !started_) refuse();
  if (!is_good(status)) {
    end(fmt::format("is cut off or damaged behind '{}', at byte {}: {}", member_.name, at,
                    reason_of(handle)),
        false);
    return nullptr;
  }
  const bool is_plain = !archive_entry_hardlink(entry) && !archive_entry_symlink(entry) &&
                        archive_entry_sparse_count(entry) == 0;
  member_ = {started_ ? member_.index + 1 : 0, name_of(entry), archive_entry_size(entry),
             archive_entry_filetype(entry) == AE_IFREG && is_plain};
  started_ = true;
  // libarchive would skip to beyond the file's end and take it for the archive's.
  if (member_.is_file && member_.size > size_ - archive_filter_bytes(handle, 0)) {
    end(fmt::format("ends inside '{}'", member_.name), true);
  }
  return &member_;
}

std::string TarReader::read(std::int64_t max_bytes) {
  if (over_) return "";
  std::string bytes(static_cast<std::size_t>(std::min(member_.size, max_bytes)), '\0');
  const auto got = archive_read_data(handle_.get(), bytes.data(), bytes.size());
  if (got != std::ssize(bytes)) end(fmt::format("ends inside '{}'", member_.name), true);
  return bytes;
}

namespace {

class TarPictures : public ContainedPictures {
 public:
  explicit TarPictures(const fs::path& path) : path_(path), tar_(path) {}

  std::string read(std::int64_t index) override {
    const TarReader::Member* member = nullptr;
    do {
      member = tar_.next();
    } while (member && member->index < index);
    if (member && member->size > static_cast<std::int64_t>(kMaxPictureBytes)) {
      throw Error(ErrorKind::data,
                  fmt::format("is {} bytes; the limit is {}", member->size, kMaxPictureBytes));
    }
    std::string bytes = member ? tar_.read(member->size) : "";
    if (member && !tar_.cuts_member()) return bytes;
    throw Error(ErrorKind::data, "the shard ends before it does", path_.string());
  }

 private:
  fs::path path_;
  TarReader tar_;
};

}  // namespace

std::unique_ptr<ContainedPictures> open_tar_pictures(const fs::path& path) {
  return std::make_unique<TarPictures>(path);
}

}  // namespace diptych
