// For tests: files that carry the right digest and lie all the same, and a bound on memory that
// shows whoever believes them.
#pragma once
#include <sys/resource.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "base/hash.h"

namespace diptych {

// The bytes with the digest that they should have.
inline std::string with_digest(std::string bytes) {
  const std::string key = "\"digest\":\"";
  const std::size_t place = bytes.find(key) + key.size();
  Digest digest;
  digest.add(std::string_view(bytes).substr(0, place));
  digest.add(std::string_view(bytes).substr(place + 32));
  return bytes.replace(place, 32, digest.hex());
}

inline std::string tensor_file_of(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return with_digest(bytes + header + data);
}

using HeaderEdit = std::function<void(nlohmann::ordered_json& header, std::string& data)>;

// The file with an edited header, padded no more, under the digest of its new bytes.
inline std::string edited(const std::string& bytes, const HeaderEdit& edit) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  auto header = nlohmann::ordered_json::parse(bytes.substr(sizeof length, length));
  std::string data = bytes.substr(sizeof length + length);
  edit(header, data);
  return tensor_file_of(header.dump(), data);
}

// While it lives, the process can take `megabytes` more of memory and no more.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::size_t megabytes) {
    ::getrlimit(RLIMIT_AS, &before_);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit = before_;
    limit.rlim_cur = pages * 4096 + (megabytes << 20);
    ::setrlimit(RLIMIT_AS, &limit);
  }
  ~MemoryLimit() { ::setrlimit(RLIMIT_AS, &before_); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  rlimit before_{};
};

}  // namespace diptych
