// Runs a fuzz target without libFuzzer: over the files of a corpus, then over seeded mutations of
// them, as many of each kind of file, each bounded in time. A file's kind is its ending, or its
// name up to a hyphen. Usage: TARGET CORPUS [MUTATIONS [SEED]]
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include "base/file.h"
#include "base/rng.h"
#include "scratch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {
using namespace diptych;
constexpr double kLongest = 2;  // seconds
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

// Of this process alone, as other work on the machine may take its turn; who sleeps for ever meets
// the limit of the whole test.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// What is being tried lies in a file, so that a crash leaves it behind.
bool try_one(const std::string& bytes, double& longest) {
  std::ofstream(kCulprit, std::ios::binary) << bytes;
  const double start = processor_seconds();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  const double took = processor_seconds() - start;
  longest = std::max(longest, took);
  if (took <= kLongest) return true;
  fmt::print(stderr, "took more than {} s: {}\n", kLongest, kCulprit);
  return false;
}

std::string kind_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return path.has_extension() ? path.extension().string() : name.substr(0, name.find('-'));
}

// In the order of their names, so that a seed means the same everywhere.
std::map<std::string, std::vector<std::string>> read_corpus(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::map<std::string, std::vector<std::string>> kinds;
  for (const auto& path : paths) kinds[kind_of(path)].push_back(read_file(path));
  return kinds;
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) {
    fmt::print(stderr, "usage: {} CORPUS [MUTATIONS [SEED]]\n", words[0]);
    return 2;
  }
  const auto kinds = read_corpus(words[1]);
  std::vector<std::string> all;
  for (const auto& [kind, files] : kinds) all.insert(all.end(), files.begin(), files.end());
  if (all.empty()) return 2;
  const std::uint64_t mutations = count > 2 ? std::stoull(words[2]) : 0;
  Rng rng(count > 3 ? std::stoull(words[3]) : 1, Stream::sample);
  for (const auto& [kind, files] : kinds) {
    double longest = 0;
    for (const std::string& file : files) {
      if (!try_one(file, longest)) return 1;
    }
    for (std::uint64_t i = 0; i < mutations; ++i) {
      const std::string& other = all[rng.below(all.size())];
      if (!try_one(mutated(files[i % files.size()], other, rng), longest)) return 1;
    }
    fmt::print("{:<8}{:>4} files and {} mutations of them, none over {:.3f} s\n", kind,
               files.size(), mutations, longest);
  }
  std::filesystem::remove(kCulprit);
  std::filesystem::remove_all(scratch_folder());
}
