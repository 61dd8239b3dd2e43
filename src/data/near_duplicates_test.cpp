#include "data/near_duplicates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/parallel.h"
#include "image/made_up_scenes.h"
#include "image/perceptual_hash.h"

namespace diptych {
namespace {

using made_up::Copying;

PictureIdentity identity(const Image& image, std::uint64_t digest) {
  return {digest, picture_signature(image)};
}

// A hash with a thumbnail that nothing can tell from the others'.
PictureIdentity hashed(std::uint64_t hash, std::uint64_t digest) {
  static const PictureSignature seen = picture_signature(made_up::scene(5));
  PictureIdentity picture{digest, seen};
  picture.signature.hashes.fill(hash);
  return picture;
}

TEST(DisjointSets, AreNamedByTheirLeast) {
  DisjointSets sets(6);
  sets.join(5, 3);
  sets.join(2, 4);
  sets.join(4, 5);
  EXPECT_EQ(sets.find(5), 2u);
  EXPECT_EQ(sets.find(3), 2u);
  EXPECT_EQ(sets.find(0), 0u);
}

TEST(FindDuplicates, NamesTheFirstOfEachCopyByItsBytes) {
  const Image one = made_up::scene(1), two = made_up::scene(2);
  const std::vector<PictureIdentity> pictures{identity(one, 11), identity(two, 22),
                                              identity(one, 11), identity(two, 22),
                                              identity(one, 11)};
  const Duplicates found = find_duplicates(pictures);
  EXPECT_EQ(found.exact, (std::vector<std::size_t>{0, 1, 0, 1, 0}));
  EXPECT_EQ(found.near, found.exact);
}

TEST(FindDuplicates, TakesNoPictureForACopyOfNone) {
  std::vector<PictureIdentity> pictures(3);
  EXPECT_EQ(find_duplicates(pictures).near, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_TRUE(find_duplicates({}).near.empty());
}

TEST(FindDuplicates, OfOneColourAreThoseOfTheSameBytesAlone) {
  const Image grey{40, 40, std::vector<std::uint8_t>(4800, 90)};
  const std::vector<PictureIdentity> pictures{identity(grey, 1), identity(grey, 2),
                                              identity(grey, 1)};
  EXPECT_EQ(find_duplicates(pictures).near, (std::vector<std::size_t>{0, 1, 0}));
}

TEST(FindDuplicates, TellsPicturesOfOneHashApart) {
  std::vector<PictureIdentity> pictures;
  for (std::uint64_t i = 0; i < 12; ++i) {
    pictures.push_back(identity(made_up::scene(50 + i % 3), i + 1));
    pictures.back().signature.hashes.fill(0x5555aaaa5555aaaa);
  }
  const Duplicates found = find_duplicates(pictures);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(found.near[i], i % 3);
}

// Every pattern of up to ten bits must be found, wherever the bits are: against all pairs.
TEST(FindDuplicates, MissesNoHashWithinTheRadius) {
  Rng rng(3);
  std::vector<PictureIdentity> pictures;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const std::uint64_t hash = rng.next();
    pictures.push_back(hashed(hash, 1000 + i));
    std::uint64_t flipped = hash;
    const int bits = 1 + static_cast<int>(i % 12);
    while (hamming_distance(hash, flipped) < bits) flipped ^= std::uint64_t{1} << rng.below(64);
    pictures.push_back(hashed(flipped, 2000 + i));
  }
  const Duplicates found = find_duplicates(pictures);
  for (std::size_t i = 0; i < 60; ++i) {
    const bool near = 1 + i % 12 <= 10;
    EXPECT_EQ(found.near[2 * i + 1], near ? 2 * i : 2 * i + 1) << 1 + i % 12 << " bits";
  }
}

TEST(FindDuplicates, JoinsChainsOfCopies) {
  const std::uint64_t hash = 0x0123456789abcdef;
  const std::vector<PictureIdentity> pictures{hashed(hash, 1), hashed(hash ^ 0xff, 2),
                                              hashed(hash ^ 0xffff, 3)};
  EXPECT_EQ(find_duplicates(pictures).near, (std::vector<std::size_t>{0, 0, 0}));
}

// Ten times as many pictures of one hash must not cost a hundred times the work.
TEST(FindDuplicates, OfOneHashAreJoinedWithoutComparingAll) {
  std::vector<PictureIdentity> pictures;
  for (std::uint64_t i = 0; i < 5000; ++i) pictures.push_back(hashed(0xff00ff00ff00ff00, i + 1));
  const Duplicates found = find_duplicates(pictures);
  EXPECT_EQ(std::count(found.near.begin(), found.near.end(), 0u), 5000);
}

// Copies planted among different pictures. The whole bar, 1,000 among 20,000, is what
// bench/inspect.sh runs.
class Planted : public testing::Test {
 protected:
  static constexpr std::size_t kWays = 4;
  const bool whole_ = std::getenv("DIPTYCH_WHOLE_BARS") != nullptr;
  const std::size_t distinct_ = whole_ ? 20000 : 2000, copies_ = whole_ ? 1000 : 200;

  std::vector<PictureIdentity> pictures() const {
    std::vector<PictureIdentity> all(distinct_ + copies_);
    parallel_for(all.size(), available_threads(), [&](std::size_t i) {
      Rng rng(9, {i});
      const Image scene = made_up::scene(100 + original(i));
      all[i] = identity(i < distinct_ ? scene : copied(scene, way(i), rng), i + 1);
    });
    return all;
  }
  std::size_t original(std::size_t i) const { return i < distinct_ ? i : (i - distinct_) * 7; }
  static Copying way(std::size_t i) { return static_cast<Copying>(i % kWays); }
};

TEST_F(Planted, CopiesAreFoundAndDifferentPicturesKeptApart) {
  const std::vector<PictureIdentity> all = pictures();
  const Duplicates found = find_duplicates(all, available_threads());
  EXPECT_EQ(find_duplicates(all, 1).near, found.near);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < distinct_; ++i) wrong += found.near[i] != i;
  std::map<Copying, std::size_t> hits;
  std::size_t sum = 0;
  for (std::size_t i = distinct_; i < all.size(); ++i) {
    const bool hit = found.near[i] == found.near[original(i)];
    hits[way(i)] += hit;
    sum += hit;
  }
  EXPECT_LE(wrong, distinct_ / 1000);
  EXPECT_GE(sum, copies_ * 95 / 100);
  for (const auto& [way, count] : hits) {
    EXPECT_GE(count, copies_ / kWays * 9 / 10) << static_cast<int>(way);
  }
  RecordProperty("recall", std::to_string(sum));
  if (whole_)
    std::printf("%zu of %zu copies found, %zu of %zu different pictures joined\n", sum, copies_,
                wrong, distinct_);
}

TEST(FindDuplicates, FindsCopiesOfPhotos) {
  const char* folder = std::getenv("DIPTYCH_DATA");
  if (!folder) GTEST_SKIP() << "set DIPTYCH_DATA to the folder of photos/";
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder + std::string("/photos"))) {
    if (entry.path().extension() == ".JPEG") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Image> photos;
  for (std::size_t i = 0; i < paths.size(); i += 3) {
    photos.push_back(resize(decode_image(read_file(paths[i]), {}), 320, 240));
  }
  std::vector<PictureIdentity> all;
  for (const Image& photo : photos) all.push_back(identity(photo, all.size() + 1));
  Rng rng(2);
  for (std::size_t i = 0; i < 4 * photos.size(); ++i) {
    const Image& photo = photos[i % photos.size()];
    all.push_back(identity(copied(photo, static_cast<Copying>(i / photos.size()), rng), 1000 + i));
  }
  const Duplicates found = find_duplicates(all, available_threads());
  std::size_t hits = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i < photos.size()) {
      EXPECT_EQ(found.near[i], i);
    }
    hits += i >= photos.size() && found.near[i] == i % photos.size();
  }
  EXPECT_GE(hits, 4 * photos.size() * 98 / 100);
}

}  // namespace
}  // namespace diptych
