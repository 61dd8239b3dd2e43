#include "base/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

namespace diptych {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Digest::Digest() : state_(XXH3_createState()) {
  XXH3_128bits_reset(static_cast<XXH3_state_t*>(state_));
}

Digest::~Digest() { XXH3_freeState(static_cast<XXH3_state_t*>(state_)); }

void Digest::add(std::string_view bytes) { add(std::span(&bytes, 1)); }

void Digest::add(std::span<const std::string_view> parts) {
  auto* state = static_cast<XXH3_state_t*>(state_);
  std::uint64_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  XXH3_128bits_update(state, &size, sizeof size);
  for (const std::string_view part : parts) XXH3_128bits_update(state, part.data(), part.size());
}

std::string Digest::hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(static_cast<const XXH3_state_t*>(state_));
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace diptych
