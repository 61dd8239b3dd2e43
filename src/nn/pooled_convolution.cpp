#include "nn/pooled_convolution.h"

#include <ATen/Parallel.h>

#include <array>

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

// One gradient before pooling: what its filter saw begins at `from`, in numbers of the fp32 map.
struct Entry {
  std::int32_t from;
  float value;
};

// Those of kLanes channels of one picture, a list for each.
class Entries {
 public:
  Entries(int side, int channels)  // of the map that the filters see
      : windows_(side / 2),
        channels_(channels),
        row_((side + 2) * channels),
        offsets_{0, channels, row_, row_ + channels},
        room_(static_cast<std::size_t>(windows_) * static_cast<std::size_t>(windows_)),
        entries_(room_ * kLanes) {}

  // gradient, place: of the first window and channel; outputs: channels of a window.
  DIPTYCH_AVX512 void collect(const Bits* gradient, const std::uint8_t* place,
                              std::int64_t outputs) {
    std::array<Entry*, kLanes> end;
    for (std::size_t lane = 0; lane < kLanes; ++lane) end[lane] = entries_.data() + lane * room_;
    for (int y = 0; y < windows_; ++y) {
      for (int x = 0; x < windows_; ++x, gradient += outputs, place += outputs) {
        const __m128i where = _mm_loadu_si128(reinterpret_cast<const __m128i*>(place));
        alignas(64) std::array<float, kLanes> values;
        _mm512_store_ps(values.data(), lanes::Bf16::load(gradient, lanes::kAll, 1));
        const std::int32_t window = 2 * y * row_ + 2 * x * channels_;
        for (unsigned there = _mm_cmplt_epu8_mask(where, _mm_set1_epi8(kNoPlace)); there;
             there &= there - 1) {
          const auto lane = static_cast<std::size_t>(__builtin_ctz(there));
          *end[lane]++ = {window + offsets_[place[lane]], values[lane]};
        }
      }
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const Entry* begin = entries_.data() + lane * room_;
      lists_[lane] = {begin, static_cast<std::size_t>(end[lane] - begin)};
    }
  }
  std::span<const Entry> of(std::size_t lane) const { return lists_[lane]; }

 private:
  int windows_;                  // in a row of them
  std::int32_t channels_, row_;  // numbers from a pixel to the next, and from a row of them
  std::array<std::int32_t, 4> offsets_;
  std::size_t room_;
  std::vector<Entry> entries_;
  std::array<std::span<const Entry>, kLanes> lists_;
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
DIPTYCH_AVX512 void add_filter(std::span<const Entry> entries, const float* map, int side,
                               int channels, float* filter) {
  constexpr int kColumns = 3;
  const std::int64_t row = static_cast<std::int64_t>(side + 2) * channels;
  for (int column = 0; column < 3 * channels; column += kColumns * kLanes) {
    __m512 sums[kRuns][kColumns];
    for (int run = 0; run < kRuns; ++run) {
      for (int i = 0; i < kColumns; ++i) {
        sums[run][i] = _mm512_loadu_ps(filter + 3 * run * channels + column + i * kLanes);
      }
    }
    for (const Entry& entry : entries) {
      const float* at = map + entry.from + column;
      const __m512 value = _mm512_set1_ps(entry.value);
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
    Entries entries(shape.side, shape.channels);
    for (std::int64_t picture = 0; picture < shape.batch; ++picture) {
      widen(bits_of(x) + picture * shape.pixels(), shape.side, shape.channels, map);
      for (std::int64_t output = begin * kLanes; output < end * kLanes; output += kLanes) {
        const std::int64_t first = picture * shape.windows() + output;
        entries.collect(bits_of(gradient) + first, place.const_data_ptr<std::uint8_t>() + first,
                        shape.outputs);
        for (int lane = 0; lane < kLanes; ++lane) {
          const std::span<const Entry> list = entries.of(static_cast<std::size_t>(lane));
          add_filter(list, map.data(), shape.side, shape.channels,
                     sums.weight.data_ptr<float>() + (output + lane) * filter);
          float& bias = sums.bias.data_ptr<float>()[output + lane];
          for (const Entry& entry : list) bias += entry.value;
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
