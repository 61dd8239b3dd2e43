// Content names: XXH3, 64 bits for feature hashing, 128 bits in hexadecimal for digests.
// Stable since xxHash 0.8: a digest or bucket is the same on every machine.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace diptych {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

// Streams bytes into a 128-bit digest. Not for security: names content, detects change.
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void add(std::string_view bytes);  // length-prefixed, so that ("ab","c") differs from ("a","bc")
  void add(std::span<const std::string_view> parts);  // as one, put together
  std::string hex() const;                            // 32 characters

 private:
  void* state_;
};

}  // namespace diptych
