// Runs a fuzz target without libFuzzer: over the files of a corpus, then over seeded mutations of
// them, each bounded in time. Usage: TARGET CORPUS [MUTATIONS [SEED]]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/file.h"
#include "base/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {
using namespace diptych;
using Clock = std::chrono::steady_clock;
constexpr auto kLongest = std::chrono::seconds(2);
constexpr const char* kCulprit = "fuzz-culprit";

// Flips, interesting numbers, pieces moved and cut, and the start of another file.
std::string mutated(std::string bytes, const std::string& other, Rng& rng) {
  for (std::uint64_t left = 1 + rng.below(4); left > 0 && !bytes.empty(); --left) {
    const std::size_t at = rng.below(bytes.size());
    switch (rng.below(6)) {
      case 0:
        bytes[at] ^= static_cast<char>(1 << rng.below(8));
        break;
      case 1: {
        constexpr std::string_view kNumbers("\x00\xff\x7f\x80\x01\x10", 6);
        const std::size_t width = std::min<std::size_t>(1 + rng.below(4), bytes.size() - at);
        bytes.replace(at, width, std::string(width, kNumbers[rng.below(kNumbers.size())]));
        break;
      }
      case 2:
        bytes.erase(at, 1 + rng.below(16));
        break;
      case 3:
        bytes.insert(at, bytes.substr(rng.below(bytes.size()), 1 + rng.below(64)));
        break;
      case 4:
        bytes.resize(at);
        break;
      case 5:
        bytes.replace(at, std::string::npos, other.substr(std::min(at, other.size())));
        break;
    }
  }
  return bytes;
}

// What is being tried lies in a file, so that a crash leaves it behind.
bool try_one(const std::string& bytes) {
  std::ofstream(kCulprit, std::ios::binary) << bytes;
  const auto start = Clock::now();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (Clock::now() - start <= kLongest) return true;
  fmt::print(stderr, "took more than {} s: {}\n", kLongest.count(), kCulprit);
  return false;
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) {
    fmt::print(stderr, "usage: {} CORPUS [MUTATIONS [SEED]]\n", words[0]);
    return 2;
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(words[1])) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> files;
  for (const auto& path : paths) {
    files.push_back(read_file(path));
    if (!try_one(files.back())) return 1;
  }
  if (files.empty()) return 2;
  const std::uint64_t mutations = count > 2 ? std::stoull(words[2]) : 0;
  Rng rng(count > 3 ? std::stoull(words[3]) : 1, Stream::sample);
  for (std::uint64_t i = 0; i < mutations; ++i) {
    const std::string& other = files[rng.below(files.size())];
    if (!try_one(mutated(files[i % files.size()], other, rng))) return 1;
  }
  std::filesystem::remove(kCulprit);
  fmt::print("{} files and {} mutations of them\n", files.size(), mutations);
}
