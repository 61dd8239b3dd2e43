// The 64-bit perceptual hash that COYO and img2dataset's users know as pHash: the signs of the 8×8
// lowest frequencies of a 32×32 grey picture (cosine transform) against their median. The bits are
// those of Python's imagehash.phash for a picture that is upright and has no alpha.
#pragma once
#include <bit>
#include <cstdint>
#include <span>
#include <string>

#include "image/image.h"

namespace diptych {

// The most significant bit is the mean's, then row by row, vertical frequencies slowest.
std::uint64_t perceptual_hash(const Image& image);
std::string hash_text(std::uint64_t hash);  // 16 hex digits, as imagehash prints them

inline int hamming_distance(std::uint64_t a, std::uint64_t b) { return std::popcount(a ^ b); }

}  // namespace diptych
