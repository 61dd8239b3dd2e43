#include "nn/board.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <random>
#include <system_error>
#include <thread>

namespace diptych {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kHalf = std::size_t{1} << 28;  // addresses; of memory what is used
constexpr std::size_t kLine = 64;                    // bytes that processors share at a time

int checked(int result) {
  if (result < 0) throw std::system_error(errno, std::generic_category());
  return result;
}

class File {
 public:
  explicit File(int number) : number_(checked(number)) {}
  ~File() { ::close(number_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int number() const { return number_; }
  std::string path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), number_); }

 private:
  int number_;
};

std::size_t rounded(std::size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

}  // namespace

struct Board::Region {
  std::uint64_t token;  // elsewhere the same path may lead to another file
  std::atomic<std::uint64_t> shown;
  alignas(kLine) char halves[2][kHalf];

  static std::unique_ptr<Region, Unmap> of(const File& file) {
    void* const begin =
        ::mmap(nullptr, sizeof(Region), PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
    if (begin == MAP_FAILED) throw std::system_error(errno, std::generic_category());
    return std::unique_ptr<Region, Unmap>(static_cast<Region*>(begin));
  }

  // Gives its token.
  static std::uint64_t made_in(const File& file) {
    checked(::ftruncate(file.number(), sizeof(Region)));
    std::random_device random;
    return of(file)->token = std::uint64_t{random()} << 32 | random();
  }

  // where: its token and the path of its file.
  static std::unique_ptr<Region, Unmap> found(const std::string& where) {
    const std::size_t space = where.find(' ');
    if (space == std::string::npos) throw std::runtime_error("there is none");
    const File file(::open(where.substr(space + 1).c_str(), O_RDWR | O_CLOEXEC));
    struct stat status {};
    checked(::fstat(file.number(), &status));
    if (status.st_size != sizeof(Region)) throw std::runtime_error("another file");
    auto region = of(file);
    if (std::to_string(region->token) != where.substr(0, space)) {
      throw std::runtime_error("another machine's file");
    }
    return region;
  }
};

void Board::Unmap::operator()(Region* region) const { ::munmap(region, sizeof(Region)); }

// The memory has no name that could stay behind; the others find it among this process' files.
Board::Board(c10d::Store& store, const Place& place) : place_(place) {
  const auto tell = [&](const char* what, const std::string& value) {
    store.set(fmt::format("board/{}/{}", what, place.rank),
              std::vector<std::uint8_t>(value.begin(), value.end()));
  };
  const auto told = [&](const char* what, int rank) {
    const std::vector<std::uint8_t> value = store.get(fmt::format("board/{}/{}", what, rank));
    return std::string(value.begin(), value.end());
  };
  std::unique_ptr<File> own;  // is there until all have looked for it
  std::string where = "none";
  std::exception_ptr failure;
  try {
    own = std::make_unique<File>(::memfd_create("diptych", MFD_CLOEXEC));
    where = fmt::format("{} {}", Region::made_in(*own), own->path());
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  tell("where", where);
  try {
    for (int rank = 0; rank < place.size; ++rank) {
      regions_.emplace_back(Region::found(told("where", rank)));
    }
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  tell("seen", failure ? "no" : "yes");
  for (int rank = 0; rank < place.size; ++rank) {
    if (told("seen", rank) == "yes" || failure) continue;
    failure = std::make_exception_ptr(std::runtime_error("another process does not see them all"));
  }
  if (failure) std::rethrow_exception(failure);
}

Board::~Board() = default;

bool Board::has_room(std::size_t bytes) const {
  return rounded(bytes) <= kHalf - (under_way_ == 0 ? 0 : used_);
}

Board::Notice Board::show(std::span<const char> bytes) {
  if (under_way_++ == 0) {
    half_ = 1 - half_;
    used_ = 0;
  }
  Region& own = *regions_[static_cast<std::size_t>(place_.rank)];
  const Notice notice{++shown_, half_ * kHalf + used_};
  std::memcpy(own.halves[0] + notice.offset, bytes.data(), bytes.size());
  used_ += rounded(bytes.size());
  own.shown.store(notice.number, std::memory_order_release);
  return notice;
}

void Board::done() { --under_way_; }

const void* Board::read(const Notice& notice, int rank,
                        const std::function<void()>& waiting) const {
  constexpr int kSoon = 500, kNowAndThen = 1 << 8;
  const Region& region = *regions_[static_cast<std::size_t>(rank)];
  const auto start = Clock::now();
  for (int turn = 0; region.shown.load(std::memory_order_acquire) < notice.number; ++turn) {
    if (turn < kSoon) {
      std::this_thread::yield();
      continue;
    }
    if (turn % kNowAndThen == 0) {
      waiting();
      if (Clock::now() - start > place_.timeout) throw std::runtime_error("it is silent");
    }
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  return region.halves[0] + notice.offset;
}

}  // namespace diptych
