// How many pictures of a folder are decoded and reduced to a square in a second, by the path that
// training takes. Usage: decode_bench FOLDER SIDE THREADS
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "image/image.h"

int main(int count, char** words) {
  using namespace diptych;
  if (count != 4) {
    fmt::print(stderr, "usage: {} FOLDER SIDE THREADS\n", words[0]);
    return 2;
  }
  keep_freed_memory();
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(words[1])) {
    files.push_back(read_file(entry.path()));
  }
  const int side = std::stoi(words[2]), threads = std::stoi(words[3]);
  const auto start = std::chrono::steady_clock::now();
  parallel_for(files.size(), threads,
               [&](std::size_t i) { decode_square(files[i], {}, side, ImageFit::stretch); });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{}\n", static_cast<double>(files.size()) / took.count());
}
