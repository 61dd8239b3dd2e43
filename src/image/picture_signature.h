// What tells a copy of a picture from another picture, also when it was resized, compressed again,
// made brighter or cut a little: perceptual hashes to find what may be a copy, and a small picture
// to make sure, aligned by Gauss-Newton steps (Lucas and Kanade, IJCAI 1981) with gain and offset.
#pragma once
#include <array>
#include <cstdint>

#include "image/image.h"

namespace diptych {

struct PictureSignature {
  static constexpr int kWindows = 7, kSide = 24;
  // Of the whole, then of parts that a cut by a twentieth may leave: a cut picture's own hash is
  // near to one of these of the picture it was cut from.
  std::array<std::uint64_t, kWindows> hashes{};
  std::array<std::uint8_t, kSide * kSide * 3> thumbnail{};
  bool flat = true;  // nearly of one colour: nothing to know it by

  std::uint64_t hash() const { return hashes[0]; }
};

PictureSignature picture_signature(const Image& image);

// How far the hash of a copy may be from that of the window which it shows.
int window_radius(int window);

// Whether `part` shows the window of `whole`, as well as two small pictures can tell.
bool shows_window(const PictureSignature& part, const PictureSignature& whole, int window);

}  // namespace diptych
