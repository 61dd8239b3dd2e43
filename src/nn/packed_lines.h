// Part of packed_code.h: lines of pixels, gradients and filters to their points and back.
//
// Winograd's minimal filtering F(5×5, 3×3) (Lavin and Gray, CVPR 2016; points chosen as Barabasz et
// al., ACM TOMS 2020, do): the 25 outputs of a patch are made of products at 49 points instead of
// 225. A line of seven pixels is a polynomial that is multiplied with the filter's at 0, 1, -1, 2,
// -2, 1/2 and infinity.
#pragma once
#include "nn/packed_tiles.h"
#include "nn/patch_points.h"

namespace diptych::DIPTYCH_REGISTERS {
namespace {

using Seen = Floats[kSeen];      // a line at its points, or of what a patch sees
using Outputs = Floats[kPatch];  // a line of outputs

// What each product is multiplied with, on the filter's side.
constexpr float kShares[kSeen] = {1.0F / 4,   1.0F / 6,   -1.0F / 18, -1.0F / 72,
                                  1.0F / 120, 32.0F / 45, -1.0F / 2};

DIPTYCH_LANES void seen_at_points(const Seen& d, Seen& to) {
  const Floats two = all(2), four = all(4), five = all(5);
  Floats v[kSeen - 1];  // times 1 - 2x
#pragma GCC unroll 6
  for (int i = 0; i < kSeen - 1; ++i) v[i] = d[i] - two * d[i + 1];
  to[0] = fused(four, v[0], v[4] - five * v[2]);
  to[6] = fused(four, v[1], v[5] - five * v[3]);
  to[5] = fused(four, d[1], d[5] - five * d[3]);
  const Floats even = v[4] - four * v[2], odd = v[3] - four * v[1];
  to[1] = even + odd;
  to[2] = even - odd;
  const Floats far_even = v[4] - v[2], far_odd = v[3] - v[1];
  to[3] = far_even + two * far_odd;
  to[4] = far_even - two * far_odd;
}

DIPTYCH_LANES void from_points(const Seen& m, Outputs& to) {
  const Floats even = m[1] + m[2], odd = m[1] - m[2];
  const Floats far_even = m[3] + m[4], far_odd = m[3] - m[4];
  to[0] = m[0] + even + (far_even + m[5]);
  to[1] = odd + fused(all(2), far_odd, all(0.5F) * m[5]);
  to[2] = even + fused(all(4), far_even, all(0.25F) * m[5]);
  to[3] = odd + fused(all(8), far_odd, all(0.125F) * m[5]);
  to[4] = even + fused(all(16), far_even, fused(all(0.0625F), m[5], m[6]));
}

// The transposed of from_points.
DIPTYCH_LANES void gradient_at_points(const Outputs& g, Seen& to) {
  const Floats half = all(0.5F), four = all(4);
  const Floats even = g[0] + g[2] + g[4], odd = g[1] + g[3];
  to[0] = g[0];
  to[1] = even + odd;
  to[2] = even - odd;
  const Floats far_even = fused(four, fused(four, g[4], g[2]), g[0]);
  const Floats far_odd = all(2) * fused(four, g[3], g[1]);
  to[3] = far_even + far_odd;
  to[4] = far_even - far_odd;
  to[5] = fused(half, fused(half, fused(half, fused(half, g[4], g[3]), g[2]), g[1]), g[0]);
  to[6] = g[4];
}

using Taps = Floats[3];

DIPTYCH_LANES void filter_at_points(const Taps& g, Seen& to) {
  const Floats even = g[0] + g[2], far_even = fused(all(4), g[2], g[0]), far_odd = all(2) * g[1];
  const Floats sums[kSeen] = {g[0],
                              even + g[1],
                              even - g[1],
                              far_even + far_odd,
                              far_even - far_odd,
                              fused(all(0.25F), g[2], fused(all(0.5F), g[1], g[0])),
                              g[2]};
#pragma GCC unroll 7
  for (int i = 0; i < kSeen; ++i) to[i] = sums[i] * all(kShares[i]);
}

// The transposed of filter_at_points.
DIPTYCH_LANES void taps_from_points(const Seen& sums, Taps& to) {
  Floats s[kSeen];
#pragma GCC unroll 7
  for (int i = 0; i < kSeen; ++i) s[i] = sums[i] * all(kShares[i]);
  const Floats even = s[1] + s[2], odd = s[1] - s[2];
  const Floats far_even = s[3] + s[4], far_odd = s[3] - s[4];
  to[0] = s[0] + even + far_even + s[5];
  to[1] = odd + fused(all(2), far_odd, all(0.5F) * s[5]);
  to[2] = even + fused(all(4), far_even, fused(all(0.25F), s[5], s[6]));
}

}  // namespace
}  // namespace diptych::DIPTYCH_REGISTERS
