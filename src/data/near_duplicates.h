// Pictures that are there more than once: byte for byte, or as near-duplicates. Candidates are
// found by multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012), whose work per picture does
// not grow with the square of their number, and each is verified (image/picture_signature.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "image/picture_signature.h"

namespace diptych {

// Sets that are joined; the representative of a set is its least element.
class DisjointSets {
 public:
  explicit DisjointSets(std::size_t count);
  std::size_t find(std::size_t element);
  void join(std::size_t a, std::size_t b);

 private:
  std::vector<std::size_t> parents_;
};

struct PictureIdentity {
  std::uint64_t digest = 0;  // of the bytes; 0: no picture
  PictureSignature signature;
};

// For each picture the first one, in order, that it is a copy of by some chain of copies; itself
// when there is none.
struct Duplicates {
  std::vector<std::size_t> exact;  // the same bytes
  std::vector<std::size_t> near;   // those, and near-duplicates
};

// The result does not depend on the number of threads. Pictures nearly of one colour are duplicates
// by their bytes alone.
Duplicates find_duplicates(std::span<const PictureIdentity> pictures, int threads = 1);

}  // namespace diptych
