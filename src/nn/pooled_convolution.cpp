#include "nn/pooled_convolution.h"

#include <ATen/Parallel.h>

#include <array>
#include <numeric>

#include "nn/lanes.h"
#include "nn/packed_convolution.h"

namespace diptych {

#if defined(__x86_64__)
namespace {

using lanes::kLanes;
using Bits = std::uint16_t;  // of a bf16

constexpr int kRuns = 3;  // rows of a filter

const Bits* bits_of(const torch::Tensor& tensor) {
  return static_cast<const Bits*>(tensor.const_data_ptr());
}

// filters: [O,3,3,C], any layout.
PackedConvolution packed(const torch::Tensor& filters, const torch::Tensor& bias) {
  const torch::Tensor weight = filters.to(at::kFloat).contiguous();
  const auto span_of = [](const torch::Tensor& tensor) {
    return std::span(tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel()));
  };
  PackedConvolution convolution;
  convolution.weights =
      pack_weights(span_of(weight), span_of(bias),
                   {static_cast<int>(weight.size(0)), kRuns, 3 * weight.size(3)}, Arithmetic::bf16);
  return convolution;
}

void read(const Bits* from, Map& map) {
  const std::int64_t row = map.side() * map.pixel_bytes();
  for (int y = 0; y < map.side(); ++y) {
    std::memcpy(map.at(y, 0), from + y * row / 2, static_cast<std::size_t>(row));
  }
}

void write(const Map& map, Bits* to) {
  const std::int64_t row = map.side() * map.pixel_bytes();
  for (int y = 0; y < map.side(); ++y) {
    std::memcpy(to + y * row / 2, map.at(y, 0), static_cast<std::size_t>(row));
  }
}

// Every gradient at its place in the map before pooling; zero elsewhere.
DIPTYCH_AVX512 void spread(const Bits* gradient, const std::uint8_t* place, Map& map) {
  for (int y = 0; y < map.side(); y += 2) {
    for (int x = 0; x < map.side(); x += 2) {
      for (int channel = 0; channel < map.channels(); channel += kLanes) {
        const __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(gradient));
        const __m128i where = _mm_loadu_si128(reinterpret_cast<const __m128i*>(place));
        for (int pixel = 0; pixel < 4; ++pixel) {
          const __mmask16 mask =
              _mm_cmpeq_epi8_mask(where, _mm_set1_epi8(static_cast<char>(pixel)));
          _mm256_storeu_si256(
              reinterpret_cast<__m256i*>(map.at(y + pixel / 2, x + pixel % 2) + 2 * channel),
              _mm256_maskz_mov_epi16(mask, values));
        }
        gradient += kLanes;
        place += kLanes;
      }
    }
  }
}

template <int Which>  // two quarters of a, two of b
DIPTYCH_LANES __m512i quarters(__m512i a, __m512i b) {
  return _mm512_maskz_shuffle_i32x4(lanes::kAll, a, b, Which);
}

// Rows and columns of 32-bit words change places.
DIPTYCH_LANES void transpose(__m512i (&rows)[kLanes]) {
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

// Adds the gradient of one filter, [3,3,C] fp32: a third of a filter's row of 48 numbers at a time.
DIPTYCH_AVX512 void add_filter(const Entries& entries, const float* map, int side, int channels,
                               float* filter) {
  constexpr int kColumns = 3;
  const std::int64_t row = static_cast<std::int64_t>(side + 2) * channels;
  for (int column = 0; column < 3 * channels; column += kColumns * kLanes) {
    __m512 sums[kRuns][kColumns];
    for (int run = 0; run < kRuns; ++run) {
      for (int i = 0; i < kColumns; ++i) {
        sums[run][i] = _mm512_loadu_ps(filter + 3 * run * channels + column + i * kLanes);
      }
    }
    for (std::int64_t entry = 0; entry < entries.size; ++entry) {
      const float* at = map + entries.from[entry] + column;
      const __m512 value = _mm512_set1_ps(entries.values[entry]);
#pragma GCC unroll 3
      for (int run = 0; run < kRuns; ++run) {
#pragma GCC unroll 3
        for (int i = 0; i < kColumns; ++i) {
          sums[run][i] =
              _mm512_fmadd_ps(value, _mm512_loadu_ps(at + run * row + i * kLanes), sums[run][i]);
        }
      }
    }
    for (int run = 0; run < kRuns; ++run) {
      for (int i = 0; i < kColumns; ++i) {
        _mm512_storeu_ps(filter + 3 * run * channels + column + i * kLanes, sums[run][i]);
      }
    }
  }
}

struct Shape {
  std::int64_t batch;
  int side, channels, outputs;
  std::int64_t pixels() const { return static_cast<std::int64_t>(side) * side * channels; }
  std::int64_t windows() const {
    return static_cast<std::int64_t>(side / 2) * (side / 2) * outputs;
  }
};

Shape shape_of(const torch::Tensor& x, std::int64_t outputs) {
  return {x.size(0), static_cast<int>(x.size(2)), static_cast<int>(x.size(1)),
          static_cast<int>(outputs)};
}

struct Gradients {
  torch::Tensor weight, bias;  // [O,3,3,C], [O] fp32
};

// Pictures one after the other, so that the order of sums is always the same; channels side by
// side.
Gradients weight_gradients(const torch::Tensor& x, const torch::Tensor& place,
                           const torch::Tensor& gradient) {
  const Shape shape = shape_of(x, gradient.size(1));
  const Gradients sums{torch::zeros({shape.outputs, 3, 3, shape.channels}),
                       torch::zeros({shape.outputs})};
  const std::int64_t filter = 9L * shape.channels;
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
          add_filter(entries, map.data(), shape.side, shape.channels,
                     sums.weight.data_ptr<float>() + (output + lane) * filter);
          float& bias = sums.bias.data_ptr<float>()[output + lane];
          bias = std::accumulate(entries.values, entries.values + entries.size, bias);
        }
      }
    }
  });
  return sums;
}

// A convolution of the spread gradients with each filter turned by half a turn.
torch::Tensor input_gradient(const torch::Tensor& x, const torch::Tensor& weight,
                             const torch::Tensor& place, const torch::Tensor& gradient) {
  const Shape shape = shape_of(x, gradient.size(1));
  PackedConvolution convolution =
      packed(weight.flip({2, 3}).permute({1, 2, 3, 0}), torch::zeros({0}));
  convolution.rectifies = false;
  const torch::Tensor result = torch::empty_like(x);
  at::parallel_for(0, shape.batch, 1, [&](std::int64_t begin, std::int64_t end) {
    Map before(shape.side, shape.outputs, Arithmetic::bf16);
    Map after(shape.side, shape.channels, Arithmetic::bf16);
    Measured none;
    for (std::int64_t picture = begin; picture < end; ++picture) {
      spread(bits_of(gradient) + picture * shape.windows(),
             place.const_data_ptr<std::uint8_t>() + picture * shape.windows(), before);
      convolve(convolution, before, {0, convolution.pairs(shape.side)}, after, none);
      write(after, static_cast<Bits*>(result.data_ptr()) + picture * shape.pixels());
    }
  });
  return result;
}

class PooledConvolution : public torch::autograd::Function<PooledConvolution> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight, const torch::Tensor& bias) {
    const Shape shape = shape_of(x, weight.size(0));
    PackedConvolution convolution = packed(weight.detach().permute({0, 2, 3, 1}), bias.detach());
    convolution.pools = true;
    torch::Tensor largest =
        torch::empty({shape.batch, shape.outputs, shape.side / 2, shape.side / 2},
                     x.options().memory_format(at::MemoryFormat::ChannelsLast));
    torch::Tensor place = torch::empty_like(largest, largest.options().dtype(at::kByte));
    at::parallel_for(0, shape.batch, 1, [&](std::int64_t begin, std::int64_t end) {
      Map input(shape.side, shape.channels, Arithmetic::bf16);
      Map output(shape.side / 2, shape.outputs, Arithmetic::bf16);
      Measured measured;
      for (std::int64_t picture = begin; picture < end; ++picture) {
        read(bits_of(x) + picture * shape.pixels(), input);
        measured.places = place.data_ptr<std::uint8_t>() + picture * shape.windows();
        convolve(convolution, input, {0, convolution.pairs(shape.side)}, output, measured);
        write(output, static_cast<Bits*>(largest.data_ptr()) + picture * shape.windows());
      }
    });
    context->save_for_backward({x, weight, place});
    return largest;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], weight = saved[1].detach(), &place = saved[2];
    const torch::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const Gradients sums = weight_gradients(x, place, gradient);
    return {
        context->needs_input_grad(0) ? input_gradient(x, weight, place, gradient) : torch::Tensor(),
        sums.weight.permute({0, 3, 1, 2}).contiguous(), sums.bias};
  }
};

}  // namespace

bool fits_pooled_convolution(const torch::Tensor& x, const torch::Tensor& weight) {
  return packs_here() && x.scalar_type() == at::kBFloat16 &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast) && x.size(1) % kLanes == 0 &&
         x.size(2) == x.size(3) && x.size(2) % 2 == 0 && weight.size(0) % kLanes == 0;
}

torch::Tensor pooled_convolution(const torch::Tensor& x, const torch::Tensor& weight,
                                 const torch::Tensor& bias) {
  return PooledConvolution::apply(x, weight, bias);
}

#else

bool fits_pooled_convolution(const torch::Tensor&, const torch::Tensor&) { return false; }
torch::Tensor pooled_convolution(const torch::Tensor&, const torch::Tensor&, const torch::Tensor&) {
  TORCH_CHECK(false, "pooled_convolution: another processor");
}

#endif

}  // namespace diptych
