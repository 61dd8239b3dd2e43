#include "data/near_duplicates.h"

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/parallel.h"
#include "image/perceptual_hash.h"

namespace diptych {
namespace {

constexpr std::size_t kTables = 4;
constexpr std::uint32_t kBuckets = 1 << 16;
// Of the pictures that share one hash so many are looked at: they are mostly copies of each other,
// which are joined already.
constexpr std::size_t kMostOfOneHash = 64;

// The bits of one table: every fourth, so that each table has its share of low frequencies.
std::uint32_t bits_of(std::uint64_t hash, std::size_t table) {
  std::uint32_t bits = 0;
  for (std::size_t i = table; i < 64; i += kTables) {
    bits = bits << 1 | static_cast<std::uint32_t>(hash >> i & 1);
  }
  return bits;
}

// What to flip in one table's bits: hashes at a distance of at most 4 · 2 + 3 agree in one of the
// four tables but for two bits or fewer.
const std::vector<std::uint32_t>& flips() {
  static const std::vector<std::uint32_t> masks = [] {
    std::vector<std::uint32_t> found;
    for (std::uint32_t mask = 0; mask < kBuckets; ++mask) {
      if (std::popcount(mask) <= 2) found.push_back(mask);
    }
    return found;
  }();
  return masks;
}

// The distinct hashes of some pictures, each with the pictures that have it.
class HashIndex {
 public:
  // pictures: those to be found, by their hashes[0].
  HashIndex(std::span<const PictureIdentity> all, std::vector<std::size_t> pictures)
      : pictures_(std::move(pictures)) {
    const auto hash = [&](std::size_t i) { return all[i].signature.hash(); };
    std::stable_sort(pictures_.begin(), pictures_.end(),
                     [&](std::size_t a, std::size_t b) { return hash(a) < hash(b); });
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
      if (i > 0 && hash(pictures_[i]) == hashes_.back()) continue;
      hashes_.push_back(hash(pictures_[i]));
      begins_.push_back(i);
    }
    begins_.push_back(pictures_.size());
    for (std::size_t table = 0; table < kTables; ++table) fill(table);
  }

  std::size_t size() const { return hashes_.size(); }

  // Visits each hash within `radius`, once; marks: size() numbers, none of them `mark`.
  template <typename Visit>
  void search(std::uint64_t hash, int radius, std::vector<std::uint64_t>& marks, std::uint64_t mark,
              Visit visit) const {
    for (std::size_t table = 0; table < kTables; ++table) {
      const std::uint32_t bits = bits_of(hash, table);
      for (std::uint32_t flip : flips()) {
        const std::uint32_t bucket = bits ^ flip;
        for (std::uint32_t at = starts_[table][bucket]; at < starts_[table][bucket + 1]; ++at) {
          const std::uint32_t found = entries_[table][at];
          if (hamming_distance(hash, hashes_[found]) > radius) continue;
          if (std::exchange(marks[found], mark) == mark) continue;
          const std::size_t count = begins_[found + 1] - begins_[found];
          visit(std::span(pictures_).subspan(begins_[found], std::min(count, kMostOfOneHash)));
        }
      }
    }
  }

 private:
  void fill(std::size_t table) {
    auto& starts = starts_[table];
    starts.assign(kBuckets + 1, 0);
    for (std::uint64_t hash : hashes_) ++starts[bits_of(hash, table) + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<std::uint32_t> next(starts.begin(), starts.end() - 1);
    entries_[table].resize(hashes_.size());
    for (std::uint32_t i = 0; i < hashes_.size(); ++i) {
      entries_[table][next[bits_of(hashes_[i], table)]++] = i;
    }
  }

  std::vector<std::size_t> pictures_;  // by hash
  std::vector<std::uint64_t> hashes_;  // distinct
  std::vector<std::size_t> begins_;    // in pictures_, and the end
  std::array<std::vector<std::uint32_t>, kTables> starts_, entries_;
};

// Joins what a verified pair connects. Pairs that are connected already are not verified, which
// changes no set, whatever the order.
class Joiner {
 public:
  Joiner(std::span<const PictureIdentity> pictures, DisjointSets& sets)
      : pictures_(pictures), sets_(sets) {}

  void join_copies(std::size_t picture, const HashIndex& index, std::vector<std::uint64_t>& marks) {
    const PictureSignature& whole = pictures_[picture].signature;
    for (int window = 0; window < PictureSignature::kWindows; ++window) {
      const auto of_window = static_cast<std::size_t>(window);
      const std::uint64_t mark = picture * PictureSignature::kWindows + of_window + 1;
      index.search(whole.hashes[of_window], window_radius(window), marks, mark,
                   [&](std::span<const std::size_t> found) {
                     for (std::size_t other : found) {
                       if (connected(picture, other)) continue;
                       if (!shows_window(pictures_[other].signature, whole, window)) continue;
                       const std::lock_guard lock(mutex_);
                       sets_.join(picture, other);
                     }
                   });
    }
  }

 private:
  bool connected(std::size_t a, std::size_t b) {
    const std::lock_guard lock(mutex_);
    return sets_.find(a) == sets_.find(b);
  }

  std::span<const PictureIdentity> pictures_;
  DisjointSets& sets_;
  std::mutex mutex_;
};

std::vector<std::size_t> representatives(DisjointSets& sets, std::size_t count) {
  std::vector<std::size_t> result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = sets.find(i);
  return result;
}

}  // namespace

DisjointSets::DisjointSets(std::size_t count) : parents_(count) {
  std::iota(parents_.begin(), parents_.end(), 0);
}

std::size_t DisjointSets::find(std::size_t element) {
  while (parents_[element] != element) {
    parents_[element] = parents_[parents_[element]];
    element = parents_[element];
  }
  return element;
}

void DisjointSets::join(std::size_t a, std::size_t b) {
  a = find(a);
  b = find(b);
  parents_[std::max(a, b)] = std::min(a, b);
}

Duplicates find_duplicates(std::span<const PictureIdentity> pictures, int threads) {
  DisjointSets sets(pictures.size());
  std::unordered_map<std::uint64_t, std::size_t> first;
  std::vector<std::size_t> searched;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (pictures[i].digest == 0) continue;
    const auto [found, is_new] = first.emplace(pictures[i].digest, i);
    if (!is_new) sets.join(found->second, i);
    if (is_new && !pictures[i].signature.flat) searched.push_back(i);
  }
  Duplicates result{representatives(sets, pictures.size()), {}};

  const HashIndex index(pictures, searched);
  Joiner joiner(pictures, sets);
  const auto parts = static_cast<std::size_t>(std::max(threads, 1));
  parallel_for(parts, threads, [&](std::size_t part) {
    std::vector<std::uint64_t> marks(index.size());
    for (std::size_t i = part; i < searched.size(); i += parts) {
      joiner.join_copies(searched[i], index, marks);
    }
  });
  result.near = representatives(sets, pictures.size());
  return result;
}

}  // namespace diptych
