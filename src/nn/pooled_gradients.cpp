#include "nn/pooled_gradients.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "nn/lanes_avx512.h"
#include "nn/packed_convolution.h"

namespace diptych {

PooledShape pooled_shape(const torch::Tensor& x, std::int64_t outputs) {
  return {x.size(0), static_cast<int>(x.size(2)), static_cast<int>(x.size(1)),
          static_cast<int>(outputs)};
}

#if defined(__x86_64__)
namespace {

namespace lanes = avx512;
using lanes::kLanes;

template <int Which>  // two quarters of a, two of b
DIPTYCH_AVX512_LANES __m512i quarters(__m512i a, __m512i b) {
  return _mm512_maskz_shuffle_i32x4(lanes::kAll, a, b, Which);
}

// Rows and columns of 32-bit words change places.
DIPTYCH_AVX512_LANES void transpose(__m512i (&rows)[kLanes]) {
  __m512i half[kLanes];
  for (int i = 0; i < kLanes; i += 2) {
    half[i] = _mm512_maskz_unpacklo_epi32(lanes::kAll, rows[i], rows[i + 1]);
    half[i + 1] = _mm512_maskz_unpackhi_epi32(lanes::kAll, rows[i], rows[i + 1]);
  }
  for (int i = 0; i < kLanes; i += 4) {  // each quarter has a column's words of four rows
    for (int k = 0; k < 2; ++k) {
      rows[i + 2 * k] = _mm512_maskz_unpacklo_epi64(0xff, half[i + k], half[i + k + 2]);
      rows[i + 2 * k + 1] = _mm512_maskz_unpackhi_epi64(0xff, half[i + k], half[i + k + 2]);
    }
  }
  constexpr int kFirstTwo = 0x44, kLastTwo = 0xee, kEven = 0x88, kOdd = 0xdd;
  for (int k = 0; k < 4; ++k) {
    const __m512i a = quarters<kFirstTwo>(rows[k], rows[k + 4]);
    const __m512i b = quarters<kFirstTwo>(rows[k + 8], rows[k + 12]);
    const __m512i c = quarters<kLastTwo>(rows[k], rows[k + 4]);
    const __m512i d = quarters<kLastTwo>(rows[k + 8], rows[k + 12]);
    rows[k] = quarters<kEven>(a, b);
    rows[k + 4] = quarters<kOdd>(a, b);
    rows[k + 8] = quarters<kEven>(c, d);
    rows[k + 12] = quarters<kOdd>(c, d);
  }
}

// Gradients before pooling, of one channel: what the filter saw of each begins at `from`, in
// numbers of the fp32 map.
struct Entries {
  const std::int32_t* from;
  const float* values;
  std::int64_t size;
};

// Those of kLanes channels of one picture.
class EntryLists {
 public:
  EntryLists(int side, int channels) {  // of the map that the filters see
    const int row = (side + 2) * channels;
    for (int y = 0; y < side; y += 2) {
      for (int x = 0; x < side; x += 2) windows_.push_back(y * row + x * channels);
    }
    room_ = static_cast<std::int64_t>(windows_.size()) + kLanes;  // registers are stored whole
    windows_.resize(static_cast<std::size_t>(room_));
    from_.resize(static_cast<std::size_t>(kLanes * room_));
    values_.resize(from_.size());
    const std::array<std::int32_t, kLanes> offsets = {0, channels, row, row + channels};
    offsets_ = offsets;
  }

  // gradient, place: of the first window and channel; outputs: channels of a window.
  DIPTYCH_AVX512 void collect(const Bits* gradient, const std::uint8_t* place,
                              std::int64_t outputs) {
    const __m512i offsets = _mm512_loadu_si512(offsets_.data());
    const std::int64_t count = room_ - kLanes;
    sizes_.fill(0);
    for (std::int64_t window = 0; window < count; window += kLanes) {
      __m512i words[kLanes];  // a gradient in the upper half, its place in the lower
      for (int i = 0; i < kLanes; ++i) {
        const __mmask16 there = window + i < count ? lanes::kAll : 0;
        const std::int64_t at = (window + i) * outputs;
        const __m512 value = lanes::Bf16::load(gradient + at, there, 1);
        words[i] = _mm512_castps_si512(value) |
                   _mm512_maskz_cvtepu8_epi32(lanes::kAll, _mm_maskz_loadu_epi8(there, place + at));
      }
      transpose(words);
      const __m512i begin = _mm512_loadu_si512(windows_.data() + window);
      const __mmask16 inside = lanes::first(count - window);
      for (int lane = 0; lane < kLanes; ++lane) {
        const __m512i where = words[lane] & _mm512_set1_epi32(0xffff);
        const __mmask16 chosen =
            _mm512_mask_cmplt_epu32_mask(inside, where, _mm512_set1_epi32(kNoPlace));
        const std::int64_t end = lane * room_ + sizes_[static_cast<std::size_t>(lane)];
        const __m512i value = words[lane] & _mm512_set1_epi32(~0xffff);
        const __m512i offset = _mm512_maskz_permutexvar_epi32(lanes::kAll, where, offsets);
        const __m512i from = _mm512_maskz_add_epi32(lanes::kAll, begin, offset);
        _mm512_storeu_si512(from_.data() + end, _mm512_maskz_compress_epi32(chosen, from));
        _mm512_storeu_si512(values_.data() + end, _mm512_maskz_compress_epi32(chosen, value));
        sizes_[static_cast<std::size_t>(lane)] += __builtin_popcount(chosen);
      }
    }
  }

  Entries of(int lane) const {
    return {from_.data() + lane * room_, values_.data() + lane * room_,
            sizes_[static_cast<std::size_t>(lane)]};
  }

 private:
  std::vector<std::int32_t> windows_;  // where each begins, in numbers
  std::array<std::int32_t, kLanes> offsets_;
  std::int64_t room_;  // of a list
  std::vector<std::int32_t> from_;
  std::vector<float> values_;
  std::array<std::int64_t, kLanes> sizes_{};
};

// One picture as fp32 with its border: [side+2, side+2, C].
DIPTYCH_AVX512 void widen(const Bits* from, int side, int channels, std::vector<float>& map) {
  const std::int64_t row = static_cast<std::int64_t>(side) * channels;
  for (int y = 0; y < side; ++y, from += row) {
    float* to = map.data() + (y + 1) * (row + 2 * channels) + channels;
    for (std::int64_t i = 0; i < row; i += kLanes) {
      _mm512_storeu_ps(to + i, lanes::Bf16::load(from + i, lanes::kAll, 1));
    }
  }
}

// Adds to the gradient of one filter, [3,3,C] fp32: so many registers of each of its rows at a
// time.
template <int Registers>
DIPTYCH_AVX512 void add_filter(const Entries& entries, const float* map, int side, int channels,
                               float* filter) {
  const std::int64_t row = static_cast<std::int64_t>(side + 2) * channels;
  for (int column = 0; column < 3 * channels; column += Registers * kLanes) {
    __m512 sums[kRuns][Registers];
    for (int run = 0; run < kRuns; ++run) {
      for (int i = 0; i < Registers; ++i) {
        sums[run][i] = _mm512_loadu_ps(filter + 3 * run * channels + column + i * kLanes);
      }
    }
    for (std::int64_t entry = 0; entry < entries.size; ++entry) {
      const float* at = map + entries.from[entry] + column;
      const __m512 value = _mm512_set1_ps(entries.values[entry]);
#pragma GCC unroll 3
      for (int run = 0; run < kRuns; ++run) {
#pragma GCC unroll 6
        for (int i = 0; i < Registers; ++i) {
          sums[run][i] =
              _mm512_fmadd_ps(value, _mm512_loadu_ps(at + run * row + i * kLanes), sums[run][i]);
        }
      }
    }
    for (int run = 0; run < kRuns; ++run) {
      for (int i = 0; i < Registers; ++i) {
        _mm512_storeu_ps(filter + 3 * run * channels + column + i * kLanes, sums[run][i]);
      }
    }
  }
}

// Gradients before pooling, pixel by pixel: of each those pairs of channels of which one at least
// is not zero.
class PixelLists {
 public:
  PixelLists(int side, int channels)  // of the map before pooling
      : side_(side), channels_(channels), pixels_(static_cast<std::size_t>(side * side)) {
    const std::size_t room = pixels_.size() / 4 * static_cast<std::size_t>(channels) + kLanes;
    pairs_.resize(room);  // registers are stored whole
    numbers_.resize(room);
  }

  // gradient, place: [side/2, side/2, C].
  DIPTYCH_AVX512 void collect(const Bits* gradient, const std::uint8_t* place) {
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    std::int32_t size = 0;
    for (int y = 0; y < side_; y += 2) {
      for (int x = 0; x < side_; x += 2, gradient += channels_, place += channels_) {
        for (int pixel = 0; pixel < 4; ++pixel) {
          List& list = pixels_[static_cast<std::size_t>((y + pixel / 2) * side_ + x + pixel % 2)];
          list.begin = size;
          for (int channel = 0; channel < channels_; channel += 2 * kLanes) {
            const __mmask32 there = channels_ - channel > kLanes ? 0xffffffff : 0xffff;
            const __mmask32 here =
                _mm256_mask_cmpeq_epi8_mask(there, _mm256_maskz_loadu_epi8(there, place + channel),
                                            _mm256_set1_epi8(static_cast<char>(pixel)));
            const __m512i numbers = _mm512_maskz_loadu_epi16(here, gradient + channel);
            const __mmask16 chosen = _mm512_test_epi32_mask(numbers, numbers);
            const __m512i pairs =
                _mm512_maskz_add_epi32(lanes::kAll, first, _mm512_set1_epi32(channel / 2));
            _mm512_storeu_si512(pairs_.data() + size, _mm512_maskz_compress_epi32(chosen, pairs));
            _mm512_storeu_si512(numbers_.data() + size,
                                _mm512_maskz_compress_epi32(chosen, numbers));
            size += __builtin_popcount(chosen);
          }
          list.end = size;
        }
      }
    }
  }

  // Adds to the gradients of the pixels of a row of the map that the filters see, [side, C] fp32,
  // in Registers × 16 of its channels. weights: [O/2, 3, Registers × 16] pairs, of one row of the
  // filters; y: the row that these see there.
  template <int Registers>
  DIPTYCH_AVX512_LANES void add_row(int y, const std::uint32_t* weights, float* to,
                                    std::int64_t channels) const {
    constexpr int kColumns = 3;
    __m512 sums[kColumns][Registers];  // of the pixels left of, at and right of x
    for (int i = 0; i < Registers; ++i) {
      sums[0][i] = _mm512_setzero_ps();
      sums[1][i] = _mm512_loadu_ps(to + i * kLanes);
    }
    for (int x = 0; x < side_; ++x) {
      for (int i = 0; i < Registers; ++i) {
        sums[2][i] = x + 1 < side_ ? _mm512_loadu_ps(to + (x + 1) * channels + i * kLanes)
                                   : _mm512_setzero_ps();
      }
      const List& list = pixels_[static_cast<std::size_t>(y * side_ + x)];
      for (std::int32_t entry = list.begin; entry < list.end; ++entry) {
        const auto numbers = reinterpret_cast<__m512bh>(_mm512_set1_epi32(numbers_[entry]));
        const std::uint32_t* at = weights + pairs_[entry] * kColumns * Registers * kLanes;
#pragma GCC unroll 3
        for (int column = 0; column < kColumns; ++column) {
#pragma GCC unroll 2
          for (int i = 0; i < Registers; ++i) {
            const __m512i those = _mm512_loadu_si512(at + (column * Registers + i) * kLanes);
            sums[column][i] =
                _mm512_dpbf16_ps(sums[column][i], reinterpret_cast<__m512bh>(those), numbers);
          }
        }
      }
      for (int i = 0; i < Registers; ++i) {
        if (x > 0) _mm512_storeu_ps(to + (x - 1) * channels + i * kLanes, sums[0][i]);
        sums[0][i] = sums[1][i];
        sums[1][i] = sums[2][i];
      }
    }
    for (int i = 0; i < Registers; ++i) {
      _mm512_storeu_ps(to + (side_ - 1) * channels + i * kLanes, sums[0][i]);
    }
  }

 private:
  struct List {
    std::int32_t begin = 0, end = 0;
  };
  int side_, channels_;
  std::vector<List> pixels_;
  std::vector<std::int32_t> pairs_, numbers_;  // which pair; its two bf16
};

constexpr int kChunk = 2 * kLanes;  // channels of the input that are summed together

// [chunks, 3 rows, O/2, 3 columns, channels of the chunk] pairs of bf16.
std::vector<std::uint32_t> paired(const torch::Tensor& weight) {
  const std::int64_t outputs = weight.size(0), channels = weight.size(1);
  std::vector<std::uint32_t> pairs;
  for (std::int64_t first = 0; first < channels; first += kChunk) {
    const torch::Tensor chunk = weight.slice(1, first, std::min(first + kChunk, channels))
                                    .view({outputs / 2, 2, -1, 3, 3})
                                    .permute({3, 0, 4, 2, 1})
                                    .to(at::kBFloat16)
                                    .contiguous();
    const auto* begin = static_cast<const std::uint32_t*>(chunk.const_data_ptr());
    pairs.insert(pairs.end(), begin, begin + chunk.numel() / 2);
  }
  return pairs;
}

// map: [side, side, C] fp32, zero before.
DIPTYCH_AVX512 void add_picture(const PixelLists& lists, const std::uint32_t* weights,
                                const PooledShape& shape, float* map) {
  for (int first = 0; first < shape.channels; first += kChunk) {
    const int width = std::min(kChunk, shape.channels - first);
    for (int row = 0; row < kRuns; ++row) {
      for (int y = std::max(0, 1 - row); y < std::min(shape.side, shape.side + 1 - row); ++y) {
        float* to = map + static_cast<std::int64_t>(y + row - 1) * shape.side * shape.channels;
        if (width == kChunk) lists.add_row<2>(y, weights, to + first, shape.channels);
        if (width == kLanes) lists.add_row<1>(y, weights, to + first, shape.channels);
      }
      weights += shape.outputs / 2 * 3 * width;
    }
  }
}

DIPTYCH_AVX512 void narrow(const std::vector<float>& from, Bits* to) {
  for (std::size_t i = 0; i < from.size(); i += kLanes) {
    lanes::Bf16::store(to + i, lanes::kAll, _mm512_loadu_ps(from.data() + i), 1);
  }
}

}  // namespace

// Pictures one after the other, so that the order of sums is always the same; channels side by
// side.
PooledGradients pooled_weight_gradients(const torch::Tensor& x, const torch::Tensor& place,
                                        const torch::Tensor& gradient) {
  if (x.scalar_type() == at::kFloat) return pooled_weight_gradients_fp32(x, place, gradient);
  const PooledShape shape = pooled_shape(x, gradient.size(1));
  const PooledGradients sums{torch::zeros({shape.outputs, 3, 3, shape.channels}),
                             torch::zeros({shape.outputs})};
  const std::int64_t filter = 9L * shape.channels;
  const auto add = shape.channels % (2 * kLanes) == 0 ? add_filter<6> : add_filter<3>;
  at::parallel_for(0, shape.outputs / kLanes, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> map(
        static_cast<std::size_t>((shape.side + 2) * (shape.side + 2) * shape.channels));
    EntryLists lists(shape.side, shape.channels);
    for (std::int64_t picture = 0; picture < shape.batch; ++picture) {
      widen(bits_of(x) + picture * shape.pixels(), shape.side, shape.channels, map);
      for (std::int64_t output = begin * kLanes; output < end * kLanes; output += kLanes) {
        const std::int64_t first = picture * shape.windows() + output;
        lists.collect(bits_of(gradient) + first, place.const_data_ptr<std::uint8_t>() + first,
                      shape.outputs);
        for (int lane = 0; lane < kLanes; ++lane) {
          const Entries entries = lists.of(lane);
          add(entries, map.data(), shape.side, shape.channels,
              sums.weight.data_ptr<float>() + (output + lane) * filter);
          float& bias = sums.bias.data_ptr<float>()[output + lane];
          bias = std::accumulate(entries.values, entries.values + entries.size, bias);
        }
      }
    }
  });
  return sums;
}

torch::Tensor pooled_input_gradient(const torch::Tensor& x, const torch::Tensor& weight,
                                    const torch::Tensor& place, const torch::Tensor& gradient) {
  if (x.scalar_type() == at::kFloat) return pooled_input_gradient_fp32(x, weight, place, gradient);
  const PooledShape shape = pooled_shape(x, gradient.size(1));
  const std::vector<std::uint32_t> weights = paired(weight);
  const torch::Tensor result = torch::empty_like(x);
  at::parallel_for(0, shape.batch, 1, [&](std::int64_t begin, std::int64_t end) {
    PixelLists lists(shape.side, shape.outputs);
    std::vector<float> map(static_cast<std::size_t>(shape.pixels()));
    for (std::int64_t picture = begin; picture < end; ++picture) {
      const std::int64_t first = picture * shape.windows();
      lists.collect(bits_of(gradient) + first, place.const_data_ptr<std::uint8_t>() + first);
      std::fill(map.begin(), map.end(), 0.0F);
      add_picture(lists, weights.data(), shape, map.data());
      narrow(map, static_cast<Bits*>(result.data_ptr()) + picture * shape.pixels());
    }
  });
  return result;
}

#endif

}  // namespace diptych
