#include "download/shard_files.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "base/error.h"
#include "base/file.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

class Tar : public ShardFiles {
 public:
  explicit Tar(const fs::path& path)
      : path_(path),
        file_(path),
        archive_(archive_write_new(), archive_write_free),
        entry_(archive_entry_new(), archive_entry_free) {
    require(archive_write_set_format_ustar(archive_.get()));
    require(archive_write_open_fd(archive_.get(), file_.descriptor()));
  }

  void add(const std::string& name, std::string_view bytes) override {
    archive_entry_clear(entry_.get());
    archive_entry_set_pathname(entry_.get(), name.c_str());
    archive_entry_set_filetype(entry_.get(), AE_IFREG);
    archive_entry_set_perm(entry_.get(), 0644);
    archive_entry_set_size(entry_.get(), static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_mtime(entry_.get(), 0, 0);
    require(archive_write_header(archive_.get(), entry_.get()));
    const la_ssize_t written = archive_write_data(archive_.get(), bytes.data(), bytes.size());
    if (written != static_cast<la_ssize_t>(bytes.size())) require(ARCHIVE_FATAL);
  }

  void commit() override {
    require(archive_write_close(archive_.get()));
    file_.commit();
  }

 private:
  void require(int code) const {
    if (code == ARCHIVE_OK) return;
    const char* message = archive_error_string(archive_.get());
    throw Error(ErrorKind::io, std::string("cannot write: ") + (message ? message : "unknown"),
                path_.string(), "finished shards are kept: go on with --resume");
  }

  fs::path path_;
  PartialFile file_;
  std::unique_ptr<archive, int (*)(archive*)> archive_;
  std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry_;
};

class Folder : public ShardFiles {
 public:
  explicit Folder(const fs::path& path)
      : path_(path), partial_(path.string() + kPartial + std::to_string(::getpid())) {
    fs::remove_all(partial_);
    make_output_folder(partial_, false);
  }
  ~Folder() override {
    std::error_code none;
    if (!partial_.empty()) fs::remove_all(partial_, none);
  }

  void add(const std::string& name, std::string_view bytes) override {
    std::ofstream file(partial_ / name, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) fail((partial_ / name).string());
  }

  void commit() override {
    const Descriptor folder(::open(partial_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const bool is_safe = folder.get() >= 0 && ::syncfs(folder.get()) == 0;  // all files at once
    std::error_code code;
    fs::remove_all(path_, code);  // of a shard that was killed before it was finished
    if (is_safe && !code) fs::rename(partial_, path_, code);
    if (!is_safe || code) fail(path_.string());
    partial_.clear();
  }

 private:
  [[noreturn]] static void fail(const std::string& where) {
    throw Error(ErrorKind::io, "cannot write", where, "is the disk full? go on with --resume");
  }

  fs::path path_, partial_;
};

}  // namespace

std::unique_ptr<ShardFiles> make_tar(const fs::path& path) { return std::make_unique<Tar>(path); }
std::unique_ptr<ShardFiles> make_folder(const fs::path& path) {
  return std::make_unique<Folder>(path);
}

}  // namespace diptych
