#include "data/pixel_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

constexpr char kMagic[8] = {'D', 'I', 'P', 'T', 'P', 'I', 'X', '1'};
constexpr std::size_t kSettings = 32, kPage = 4096;
constexpr const char* kUnfinished = ".pixels.unfinished-";

struct Header {
  char magic[sizeof kMagic] = {};
  std::uint64_t side = 0, rows = 0;
  char settings[kSettings] = {};
  std::uint64_t checksum = 0;  // of the entries
};
static_assert(sizeof(Header) == 64 && sizeof(PixelEntry) == 32, "they lie so in the file");

std::uint64_t area(int side) {
  return static_cast<std::uint64_t>(side) * static_cast<std::uint64_t>(side) * 3;
}

// Where the pixels begin: on a page of their own.
std::uint64_t pixels_begin(std::uint64_t rows) {
  return (sizeof(Header) + rows * sizeof(PixelEntry) + kPage - 1) / kPage * kPage;
}

std::uint64_t whole_size(std::uint64_t rows, int side) {
  return pixels_begin(rows) + rows * area(side);
}

template <typename T>
std::string_view bytes_of(const T& items) {
  return {reinterpret_cast<const char*>(items.data()), items.size() * sizeof(items[0])};
}

Header header_of(const PixelKind& kind, std::span<const PixelEntry> entries) {
  Header header;
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.side = static_cast<std::uint64_t>(kind.side);
  header.rows = entries.size();
  kind.settings.copy(header.settings, kSettings);
  header.checksum = hash64(bytes_of(entries));
  return header;
}

// A writer holds a lock on its file as long as it lives: without one, it was killed.
void remove_abandoned(const fs::path& folder) {
  std::error_code none;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const bool is_ours = entry.path().native().find(kUnfinished) != std::string::npos;
    if (is_ours && entry.is_regular_file(none)) found.push_back(entry.path());
  }
  for (const fs::path& path : found) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() >= 0 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
  }
}

// A new file of this name that is locked; negative: errno says why there is none.
int open_locked(const fs::path& path) {
  for (;;) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct stat info {};
    if (fd < 0) return fd;
    ::flock(fd, LOCK_EX);  // where there are no locks, nothing is taken for abandoned
    if (::fstat(fd, &info) == 0 && info.st_nlink > 0) return fd;
    ::close(fd);  // it was, before it was locked
  }
}

int allocate(int fd, std::uint64_t size) {
  int code = EINTR;
  while (code == EINTR) code = ::posix_fallocate(fd, 0, static_cast<::off_t>(size));
  return code;
}

}  // namespace

PixelFile::PixelFile(fs::path path, int side, int fd)
    : path_(std::move(path)), side_(side), file_(fd) {}

std::uint64_t PixelFile::bytes() const { return whole_size(entries_.size(), side_); }

std::shared_ptr<const PixelFile> PixelFile::open(const fs::path& path, const PixelKind& kind) {
  std::shared_ptr<PixelFile> file(
      new PixelFile(path, kind.side, ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
  const int fd = file->file_.get();
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return nullptr;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  Header header;
  if (!read_at(fd, {reinterpret_cast<char*>(&header), sizeof header}, 0)) return nullptr;
  const bool is_too_many = header.rows > std::min(kind.most_rows, size / area(kind.side));
  if (is_too_many || size != whole_size(header.rows, kind.side)) return nullptr;
  file->entries_.resize(header.rows);
  const std::span<char> entries(reinterpret_cast<char*>(file->entries_.data()),
                                header.rows * sizeof(PixelEntry));
  if (!read_at(fd, entries, sizeof header)) return nullptr;
  const Header expected = header_of(kind, file->entries_);
  return std::memcmp(&header, &expected, sizeof header) == 0 ? file : nullptr;
}

bool PixelFile::are_read(std::size_t index, std::span<std::uint8_t> pixels) const {
  const std::uint64_t offset = pixels_begin(entries_.size()) + index * area(side_);
  return read_at(file_.get(), {reinterpret_cast<char*>(pixels.data()), area(side_)}, offset);
}

void PixelFile::read(std::size_t index, std::span<std::uint8_t> pixels) const {
  if (are_read(index, pixels)) return;
  throw Error(ErrorKind::io, "the decoded pictures cannot be read", path_.string(),
              "delete the file and run the same command again: it is made anew");
}

bool PixelFile::is_intact(int threads,
                          const std::function<void(std::size_t, std::size_t)>& progress) const {
  std::atomic<std::size_t> done{0};
  std::atomic<bool> intact{true};
  parallel_for(entries_.size(), threads, [&](std::size_t i) {
    if (intact && entries_[i].present) {
      std::vector<std::uint8_t> pixels(area(side_));
      if (!are_read(i, pixels) || hash64(bytes_of(pixels)) != entries_[i].checksum) intact = false;
    }
    const std::size_t count = ++done;
    if (progress) progress(count, entries_.size());
  });
  return intact;
}

PixelFileWriter::PixelFileWriter(const fs::path& path, PixelKind kind,
                                 RowVector<PixelEntry> entries)
    : kind_(std::move(kind)) {
  static std::atomic<int> count{0};
  const fs::path folder = path.parent_path();
  partial_ =
      folder / fmt::format("{}{}{}-{}", path.stem().string(), kUnfinished, ::getpid(), ++count);
  std::error_code code;
  fs::create_directories(folder, code);
  remove_abandoned(folder);
  const int fd = open_locked(partial_);
  const int reason = code ? code.value() : errno;
  file_.reset(new PixelFile(path, kind_.side, fd));
  file_->entries_ = std::move(entries);
  if (fd < 0) fail(reason);
  ::unlink(path.c_str());  // it is of no use any more, and its place may be needed
  const int refusal = allocate(fd, file_->bytes());
  if (refusal == 0) return;
  ::unlink(partial_.c_str());
  fail(refusal);
}

PixelFileWriter::~PixelFileWriter() {
  if (!partial_.empty()) ::unlink(partial_.c_str());
}

void PixelFileWriter::fail(int reason) const {
  const double megabytes = static_cast<double>(file_->bytes()) / (1 << 20);
  throw Error(ErrorKind::io,
              fmt::format("cannot write {:.1f} MiB of decoded pictures: {}", megabytes,
                          std::strerror(reason)),
              file_->path().string(),
              "choose another place with --cache-dir or smaller pictures with --image-size; with "
              "enough memory, a larger --cache-mb needs no file");
}

void PixelFileWriter::write(std::size_t index, std::uint64_t digest,
                            std::span<const std::uint8_t> pixels) {
  PixelEntry& entry = file_->entries_.at(index);
  entry.digest = digest;
  entry.checksum = hash64(bytes_of(pixels));
  entry.present = 1;
  const std::uint64_t offset = pixels_begin(file_->entries_.size()) + index * area(kind_.side);
  if (!write_at(file_->file_.get(), bytes_of(pixels), offset)) fail(errno);
}

std::shared_ptr<const PixelFile> PixelFileWriter::finish() {
  const int fd = file_->file_.get();
  const Header header = header_of(kind_, file_->entries_);
  const std::string_view head(reinterpret_cast<const char*>(&header), sizeof header);
  if (!write_at(fd, bytes_of(file_->entries_), sizeof header) || !write_at(fd, head, 0) ||
      ::fsync(fd) != 0 || ::rename(partial_.c_str(), file_->path().c_str()) != 0) {
    fail(errno);
  }
  partial_.clear();
  sync_folder(file_->path().parent_path());
  return file_;
}

}  // namespace diptych
