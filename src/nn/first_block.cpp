#include "nn/first_block.h"

#include <ATen/Parallel.h>

#include <array>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#define DIPTYCH_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#endif

namespace diptych {

#if defined(__x86_64__)
namespace {

constexpr int kLanes = 16;  // channels of a register
constexpr int kPairs = 5;   // of a row of 3 pixels with 3 channels: nine numbers and a nought
constexpr int kTaps = 27;   // of a filter
constexpr std::uint8_t kNone = 4;  // no pixel of the window is above zero
using Bits = std::uint16_t;        // of a bf16
// With a mask, as without one this compiler warns of what the intrinsic leaves undefined.
constexpr __mmask16 kAll16 = 0xffff;

Bits bits_of(float value) { return at::BFloat16(value).x; }

// One picture, with a border of zeros and room to read a pair beyond its end.
class Padded {
 public:
  Padded(std::int64_t height, std::int64_t width)
      : height_(height), width_(width), stride_(3 * (width + 2) + 4), bits_(size()) {}
  void fill(const Bits* pixels) {
    for (std::int64_t y = 0; y < height_; ++y) {
      std::memcpy(bits_.data() + (y + 1) * stride_ + 3, pixels + y * 3 * width_,
                  static_cast<std::size_t>(3 * width_) * sizeof(Bits));
    }
  }
  // What lies above and left of a pixel, where its filter begins.
  const Bits* above_left_of(std::int64_t y, std::int64_t x) const {
    return bits_.data() + y * stride_ + 3 * x;
  }
  std::int64_t stride() const { return stride_; }

 private:
  std::size_t size() const { return static_cast<std::size_t>((height_ + 2) * stride_); }
  std::int64_t height_, width_, stride_;
  std::vector<Bits> bits_;
};

std::uint32_t pair_of(Bits first, Bits second) {
  return first | static_cast<std::uint32_t>(second) << 16;
}

// [3 rows, kPairs, O] pairs of weights.
std::vector<std::uint32_t> pairs_of(const torch::Tensor& weight) {
  const torch::Tensor rows = weight.detach().permute({2, 3, 1, 0}).contiguous();  // [3,3,3,O]
  const std::int64_t outputs = rows.size(3);
  const float* from = rows.data_ptr<float>();
  std::vector<std::uint32_t> pairs;
  for (int row = 0; row < 3; ++row) {
    for (int pair = 0; pair < kPairs; ++pair) {
      for (std::int64_t o = 0; o < outputs; ++o) {
        const auto tap = [&](int index) {
          return index < 9 ? bits_of(from[(9 * row + index) * outputs + o]) : Bits{0};
        };
        pairs.push_back(pair_of(tap(2 * pair), tap(2 * pair + 1)));
      }
    }
  }
  return pairs;
}

DIPTYCH_BF16 inline __m512i pair_everywhere(const Bits* at) {
  std::uint32_t pair;
  std::memcpy(&pair, at, sizeof pair);
  return _mm512_set1_epi32(static_cast<int>(pair));
}

struct Filters {
  const std::uint32_t* pairs;  // [3 rows, kPairs, O]
  const float* bias;
  std::int64_t outputs;
};

// One row of windows of one block of kLanes channels. from: where the filter of the first pixel
// begins; largest, place: of the block's first channel.
DIPTYCH_BF16 void forward_row(const Bits* from, std::int64_t stride, std::int64_t columns,
                              const Filters& filters, std::int64_t block, Bits* largest,
                              std::uint8_t* place) {
  __m512i weights[3][kPairs];
#pragma GCC unroll 3
  for (int row = 0; row < 3; ++row) {
#pragma GCC unroll 5
    for (int pair = 0; pair < kPairs; ++pair) {
      weights[row][pair] =
          _mm512_loadu_si512(filters.pairs + (row * kPairs + pair) * filters.outputs + block);
    }
  }
  const __m512 bias = _mm512_loadu_ps(filters.bias + block);
  for (std::int64_t column = 0; column < columns; ++column, from += 6) {
    __m512 sums[4] = {bias, bias, bias, bias};
#pragma GCC unroll 3
    for (int row = 0; row < 3; ++row) {
#pragma GCC unroll 5
      for (int pair = 0; pair < kPairs; ++pair) {
        const __m512bh weight = reinterpret_cast<__m512bh>(weights[row][pair]);
#pragma GCC unroll 4
        for (int pixel = 0; pixel < 4; ++pixel) {
          const Bits* at = from + (row + pixel / 2) * stride + 3 * (pixel % 2) + 2 * pair;
          sums[pixel] = _mm512_dpbf16_ps(sums[pixel], weight,
                                         reinterpret_cast<__m512bh>(pair_everywhere(at)));
        }
      }
    }
    // bf16 above zero are ordered as their bits are as integers.
    __m256i best = _mm256_setzero_si256(), which = _mm256_set1_epi16(kNone);
#pragma GCC unroll 4
    for (int pixel = 0; pixel < 4; ++pixel) {
      const __m256i value = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(sums[pixel]));
      const __mmask16 above = _mm256_cmpgt_epi16_mask(value, best);
      best = _mm256_mask_mov_epi16(best, above, value);
      which = _mm256_mask_mov_epi16(which, above, _mm256_set1_epi16(static_cast<short>(pixel)));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(largest + column * filters.outputs), best);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(place + column * filters.outputs),
                     _mm256_maskz_cvtepi16_epi8(kAll16, which));
  }
}

// Of two pixels next to each other, what one tap of the filter sees of both.
// from: [3·W + 6], to: as many but three.
void pair_up(const Bits* from, std::int64_t count, std::uint32_t* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = pair_of(from[i], from[i + 3]);
}

// Adds one row of windows to sums: [kTaps + 1, kLanes], the last of them the bias's. rows: the four
// rows of pairs that the windows' filters reach.
DIPTYCH_BF16 void backward_row(const std::array<const std::uint32_t*, 4>& rows,
                               const Bits* gradient, const std::uint8_t* place,
                               std::int64_t columns, std::int64_t outputs, float* sums) {
  __m512 totals[kTaps + 1];
#pragma GCC unroll 28
  for (int tap = 0; tap <= kTaps; ++tap) totals[tap] = _mm512_loadu_ps(sums + tap * kLanes);
  const __m512i ones = _mm512_set1_epi32(0x3f803f80);
  for (std::int64_t column = 0; column < columns; ++column) {
    const __m512i value = _mm512_maskz_cvtepu16_epi32(
        kAll16, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(gradient + column * outputs)));
    const __m512i which = _mm512_maskz_cvtepu8_epi32(
        kAll16, _mm_loadu_si128(reinterpret_cast<const __m128i*>(place + column * outputs)));
#pragma GCC unroll 2
    for (int below = 0; below < 2; ++below) {  // pixels 0 and 1, then 2 and 3
      const __mmask16 left = _mm512_cmpeq_epi32_mask(which, _mm512_set1_epi32(2 * below));
      const __mmask16 right = _mm512_cmpeq_epi32_mask(which, _mm512_set1_epi32(2 * below + 1));
      const __m512bh both = reinterpret_cast<__m512bh>(_mm512_or_si512(
          _mm512_maskz_mov_epi32(left, value), _mm512_maskz_slli_epi32(right, value, 16)));
#pragma GCC unroll 27
      for (int tap = 0; tap < kTaps; ++tap) {
        const std::uint32_t* at =
            rows[static_cast<std::size_t>(below + tap / 9)] + 6 * column + tap % 9;
        totals[tap] =
            _mm512_dpbf16_ps(totals[tap], both,
                             reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(*at))));
      }
      totals[kTaps] = _mm512_dpbf16_ps(totals[kTaps], both, reinterpret_cast<__m512bh>(ones));
    }
  }
#pragma GCC unroll 28
  for (int tap = 0; tap <= kTaps; ++tap) _mm512_storeu_ps(sums + tap * kLanes, totals[tap]);
}

const Bits* bits_of(const torch::Tensor& tensor) {
  return static_cast<const Bits*>(tensor.data_ptr());
}

// Of one picture: [O / kLanes, kTaps + 1, kLanes].
struct PictureGradient {
  std::int64_t height, width, outputs;

  void add(const Bits* pixels, const Bits* gradient, const std::uint8_t* place, float* sums) const {
    Padded padded(height, width);
    padded.fill(pixels);
    const std::int64_t pairs = 3 * width + 3;
    std::vector<std::uint32_t> rows(static_cast<std::size_t>(pairs * (height + 2)));
    for (std::int64_t y = 0; y < height + 2; ++y) {
      pair_up(padded.above_left_of(y, 0), pairs, rows.data() + y * pairs);
    }
    const std::int64_t columns = width / 2;
    for (std::int64_t block = 0; block < outputs; block += kLanes, sums += (kTaps + 1) * kLanes) {
      for (std::int64_t y = 0; y < height / 2; ++y) {
        const std::uint32_t* first = rows.data() + 2 * y * pairs;
        const std::int64_t at = y * columns * outputs + block;
        backward_row({first, first + pairs, first + 2 * pairs, first + 3 * pairs}, gradient + at,
                     place + at, columns, outputs, sums);
      }
    }
  }
};

class FirstBlock : public torch::autograd::Function<FirstBlock> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& pixels, const torch::Tensor& weight,
                               const torch::Tensor& bias) {
    const std::int64_t batch = pixels.size(0), height = pixels.size(2), width = pixels.size(3);
    const std::int64_t outputs = weight.size(0), rows = height / 2, columns = width / 2;
    torch::Tensor largest =
        torch::empty({batch, outputs, rows, columns},
                     pixels.options().memory_format(at::MemoryFormat::ChannelsLast));
    torch::Tensor place = torch::empty_like(largest, largest.options().dtype(at::kByte));
    const std::vector<std::uint32_t> pairs = pairs_of(weight);
    const torch::Tensor biases = bias.detach().contiguous();
    const Filters filters{pairs.data(), biases.data_ptr<float>(), outputs};
    auto* const to = static_cast<Bits*>(largest.data_ptr());
    auto* const places = place.data_ptr<std::uint8_t>();
    at::parallel_for(0, batch, 1, [&](std::int64_t begin, std::int64_t end) {
      Padded padded(height, width);
      for (std::int64_t image = begin; image < end; ++image) {
        padded.fill(bits_of(pixels) + image * height * width * 3);
        for (std::int64_t y = 0; y < rows; ++y) {
          for (std::int64_t block = 0; block < outputs; block += kLanes) {
            const std::int64_t at = (image * rows + y) * columns * outputs + block;
            forward_row(padded.above_left_of(2 * y, 0), padded.stride(), columns, filters, block,
                        to + at, places + at);
          }
        }
      }
    });
    context->save_for_backward({pixels, place});
    return largest;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &pixels = saved[0], &place = saved[1];
    const torch::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const std::int64_t batch = pixels.size(0), outputs = gradient.size(1);
    const PictureGradient picture{pixels.size(2), pixels.size(3), outputs};
    const std::int64_t windows = gradient.size(2) * gradient.size(3) * outputs;
    torch::Tensor sums = torch::zeros({batch, outputs / kLanes, kTaps + 1, kLanes});
    at::parallel_for(0, batch, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t image = begin; image < end; ++image) {
        picture.add(bits_of(pixels) + image * picture.height * picture.width * 3,
                    bits_of(gradient) + image * windows,
                    place.data_ptr<std::uint8_t>() + image * windows,
                    sums.data_ptr<float>() + image * outputs * (kTaps + 1));
      }
    });
    const torch::Tensor all = sums.sum(0).permute({0, 2, 1}).reshape({outputs, kTaps + 1});
    const torch::Tensor weight =
        all.slice(1, 0, kTaps).reshape({outputs, 3, 3, 3}).permute({0, 3, 1, 2}).contiguous();
    return {torch::Tensor(), weight, all.select(1, kTaps).contiguous()};
  }
};

}  // namespace

bool fits_first_block(const torch::Tensor& pixels, const torch::Tensor& weight) {
  return __builtin_cpu_supports("avx512bf16") && pixels.scalar_type() == at::kBFloat16 &&
         pixels.is_contiguous(at::MemoryFormat::ChannelsLast) && pixels.size(1) == 3 &&
         pixels.size(2) % 2 == 0 && pixels.size(3) % 2 == 0 && !pixels.requires_grad() &&
         weight.size(0) % kLanes == 0;
}

torch::Tensor first_block(const torch::Tensor& pixels, const torch::Tensor& weight,
                          const torch::Tensor& bias) {
  return FirstBlock::apply(pixels, weight, bias);
}

#else

bool fits_first_block(const torch::Tensor&, const torch::Tensor&) { return false; }
torch::Tensor first_block(const torch::Tensor&, const torch::Tensor&, const torch::Tensor&) {
  TORCH_CHECK(false, "first_block: another processor");
}

#endif

}  // namespace diptych
