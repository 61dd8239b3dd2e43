// Opens a dataset and says how long that took and what it holds in memory at most.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include "base/error.h"
#include "data/dataset.h"

// Of this program alone: getrusage() would tell what its parent held as well.
std::string most_resident() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::to_string(std::stol(line.substr(6)) / 1024);
  }
  return "?";
}

int main(int count, char** arguments) {
  if (count != 2) return std::fputs("usage: open_rows DATA\n", stderr), 2;
  try {
    const auto start = std::chrono::steady_clock::now();
    const diptych::Dataset dataset = diptych::read_dataset(arguments[1], {});
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%zu rows in %.2f s, at most %s MiB resident\n", dataset.size(), seconds.count(),
                most_resident().c_str());
  } catch (const diptych::Error& error) {
    return std::fprintf(stderr, "%s\n", error.full().c_str()), 1;
  }
}
