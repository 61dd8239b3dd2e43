// What normed_map.h does, one picture at a time. Free of torch.
#pragma once
#include <bit>
#include <cstdint>
#include <vector>

namespace diptych {

// bf16 are the upper halves of fp32 and read as their bits, which compilers vectorise. Arithmetic
// is in fp32, of fp64 in itself.
using Bits = std::uint16_t;
[[gnu::always_inline]] inline float wide(Bits bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
[[gnu::always_inline]] inline float wide(float value) { return value; }
[[gnu::always_inline]] inline double wide(double value) { return value; }
template <typename Number>
using Wide = decltype(wide(Number()));

enum class NormTask { moments, forward, sums, backward };

// A map of a batch, [B,H,W,C], and what is done to it, one picture at a time.
template <typename Number>
struct NormBatch {
  using Real = Wide<Number>;
  std::int64_t height = 0, width = 0, channels = 0;
  bool rectifies = false, measures = false, pools = false;
  const Number *x = nullptr, *added = nullptr;
  Number* map = nullptr;            // what comes out, or its gradient
  Real* measured = nullptr;         // [B,2,C]: mean and maximum, or their gradients
  std::uint8_t* place = nullptr;    // [B,H/2,W/2,C]: of a window's maximum, 0 to 3
  std::int32_t* highest = nullptr;  // [B,C]: the pixel of a map's maximum
  Real* sums = nullptr;     // [B,2,C]: mean and sum of squares from it; or the two of the gradient
  Number* slope = nullptr;  // gradient of what was added
  Number* of_x = nullptr;
  std::vector<Real> scale, shift, mean;  // [C]: normed is x·scale + shift
  std::vector<Real> by_x, constant;      // and its gradient slope·scale + x·by_x + constant

  std::int64_t picture() const { return height * width * channels; }
  std::int64_t windows() const { return height / 2 * (width / 2) * channels; }
};

// For the pictures from begin to end.
void run(NormTask task, const NormBatch<float>& batch, std::int64_t begin, std::int64_t end);
void run(NormTask task, const NormBatch<double>& batch, std::int64_t begin, std::int64_t end);
void run(NormTask task, const NormBatch<Bits>& batch, std::int64_t begin, std::int64_t end);

}  // namespace diptych
