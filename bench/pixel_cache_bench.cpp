// The file of decoded pictures at its work; fails when it misses what is expected of it.
//   memory COUNT FOLDER  resident memory while COUNT small JPEGs stream from shards into the file
//                        and from there into batches: within 5 % of itself from a tenth on
//   speed COUNT FOLDER   decoding COUNT JPEGs of 640×480 against batches of cached pixels: at least
//                        20 times, from memory and from the file
// FOLDER must not exist; it is removed at the end.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "data/preprocessor.h"
#include "data/written_tars.h"
#include "image/made_up_scenes.h"

namespace {
using namespace diptych;
namespace fs = std::filesystem;

// A few scenes, each told apart from its copies by a comment.
class Pictures {
 public:
  Pictures(int width, int height) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Image image = made_up::scene(seed, width, height);
      Rng rng(seed, {2});
      for (std::uint8_t& value : image.pixels) {
        value = static_cast<std::uint8_t>(std::clamp(value + rng.uniform(-8, 8), 0.0, 255.0));
      }
      scenes_.push_back(drawn::jpeg(image, {TJSAMP_420}));
    }
  }
  std::string operator[](std::size_t i) const {
    const std::string& scene = scenes_[i % scenes_.size()];
    using namespace std::string_literals;
    return scene.substr(0, 2) + "\xff\xfe\0\x0a"s + fmt::format("{:08}", i) + scene.substr(2);
  }

 private:
  std::vector<std::string> scenes_;
};

void write_shards(const fs::path& folder, std::size_t count) {
  const Pictures pictures(64, 64);
  const std::size_t a_shard = std::max<std::size_t>(1, count / 10);
  std::ofstream shard;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % a_shard == 0) {
      if (i > 0) shard << tar_end();
      shard.close();
      shard.open(folder / fmt::format("{:05}.tar", i / a_shard), std::ios::binary);
    }
    const std::string name = fmt::format("{:08}", i);
    shard << tar_member(name + ".jpg", pictures[i]) << tar_member(name + ".cls", i % 2 ? "1" : "0");
  }
  shard << tar_end();
}

// A pass's resident memory, at every hundredth.
class Memory {
 public:
  explicit Memory(const char* name) : name_(name) {}
  void sample(std::size_t done, std::size_t total) {
    const std::lock_guard lock(mutex_);
    const std::size_t share = 100 * done / total;
    if (share < 10 || share == last_) return;
    last_ = share;
    mebibytes_.push_back(resident());
  }
  bool is_constant() const {
    const auto [least, most] = std::minmax_element(mebibytes_.begin(), mebibytes_.end());
    const double first = mebibytes_.front();
    const double change = std::max(*most - first, first - *least) / first;
    fmt::print("{}: {:.1f} MiB at a tenth, then {:.1f} to {:.1f}: {:.1f} %, at most 5: {}\n", name_,
               first, *least, *most, 100 * change, change <= 0.05 ? "ok" : "MISSED");
    return change <= 0.05;
  }

 private:
  static double resident() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
    }
    return 0;
  }

  const char* name_;
  std::mutex mutex_;
  std::size_t last_ = 0;
  std::vector<double> mebibytes_;
};

// An epoch of what a training step is given, in a drawn order.
void pass_over_batches(const DecodedImages& images,
                       const std::function<void(std::size_t, std::size_t)>& progress = {}) {
  constexpr std::size_t kBatch = 64;
  std::vector<std::int64_t> order(images.present.size());
  std::iota(order.begin(), order.end(), 0);
  Rng(1, Stream::split).shuffle(std::span(order));
  for (std::size_t begin = 0; begin < order.size(); begin += kBatch) {
    const std::size_t size = std::min(kBatch, order.size() - begin);
    make_batch({&images, {}, {}}, std::span(order).subspan(begin, size));
    if (progress) progress(begin + size, order.size());
  }
}

bool stays_in_memory(std::size_t count, const fs::path& folder) {
  write_shards(folder, count);
  ReadOptions reading;
  reading.needs_text = false;
  const Dataset dataset = read_dataset(folder, reading);
  DecodeOptions options;
  options.threads = available_threads();
  options.cache = {0, folder / "cache"};
  const auto decoded = [&](const char* name, DecodedImages& images) {
    Memory memory(name);
    images = decode_images(
        dataset, options, [&](std::size_t done, std::size_t total) { memory.sample(done, total); });
    return memory.is_constant();
  };
  DecodedImages images;
  bool holds = decoded("decoding into the file", images);
  Memory memory("batches from the file");
  pass_over_batches(images,
                    [&](std::size_t done, std::size_t total) { memory.sample(done, total); });
  holds &= memory.is_constant();
  holds &= decoded("the file found again", images) && images.reused;
  return holds && images.problems.empty() && images.present.size() == count;
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median_pass(
    const DecodedImages& images, const std::function<void()>& before = [] {}) {
  std::vector<double> times;
  for (int round = 0; round < 7; ++round) {
    before();
    times.push_back(seconds([&] { pass_over_batches(images); }));
  }
  std::nth_element(times.begin(), times.begin() + 3, times.end());
  return times[3];
}

void forget(const fs::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY));
  ::posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_DONTNEED);
}

bool is_fast(std::size_t count, const fs::path& folder) {
  const Pictures pictures(640, 480);
  std::vector<Example> rows(count);
  for (std::size_t i = 0; i < count; ++i) {
    rows[i].id = std::to_string(i);
    rows[i].image.path = folder / (rows[i].id + ".jpg");
    std::ofstream(rows[i].image.path, std::ios::binary) << pictures[i];
  }
  const Dataset dataset(std::move(rows), {}, folder.string());
  DecodeOptions options;
  options.side = Config{}.image_size;
  options.threads = available_threads();
  DecodedImages memory, file;
  const double decoding = seconds([&] { memory = decode_images(dataset, options); });
  options.cache = {0, folder / "cache"};
  const double into_file = seconds([&] { file = decode_images(dataset, options); });
  const double again = seconds([&] { file = decode_images(dataset, options); });
  fmt::print(
      "{} JPEGs, 640×480 → {}, {} threads: decoded in {:.2f} s, into the file in {:.2f} s\n"
      "  the file found again in {:.3f} s\n",
      count, options.side, options.threads, decoding, into_file, again);
  const double from_memory = median_pass(memory), from_file = median_pass(file);
  const double from_disk = median_pass(file, [&] { forget(file.file->path()); });
  bool holds = file.reused;
  for (const auto& [name, time] : {std::pair("memory", from_memory),
                                   {"the file", from_file},
                                   {"the file, not in the page cache", from_disk}}) {
    const double ratio = decoding / time;
    const bool counts = time != from_disk;
    fmt::print("  batches from {}: {:.4f} s, decoding / that: {:.0f}{}\n", name, time, ratio,
               !counts       ? ""
               : ratio >= 20 ? ", at least 20: ok"
                             : ", at least 20: MISSED");
    holds &= !counts || ratio >= 20;
  }
  return holds;
}

}  // namespace

int main(int words, char** given) {
  const std::string mode = words == 4 ? given[1] : "";
  if ((mode != "memory" && mode != "speed") || fs::exists(given[3])) {
    fmt::print(stderr, "usage: {} memory|speed COUNT NEW_FOLDER\n", given[0]);
    return 2;
  }
  keep_freed_memory();
  const fs::path folder = given[3];
  fs::create_directories(folder);
  bool holds = false;
  try {
    holds = (mode == "memory" ? stays_in_memory : is_fast)(std::stoul(given[2]), folder);
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.full());
  }
  fs::remove_all(folder);
  return holds ? 0 : 1;
}
