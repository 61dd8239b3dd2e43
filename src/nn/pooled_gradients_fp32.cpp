// The sums of pooled_gradients.h in fp32, on registers of 8 numbers (AVX2 with FMA).
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <vector>

#include "nn/lanes_avx2.h"
#include "nn/packed_convolution.h"
#include "nn/pooled_gradients.h"

namespace diptych {

#if defined(__x86_64__)
namespace {

using avx2::Floats;
using avx2::kLanes;

constexpr int kChannels = 16;  // whose lists are made together: their gradients are a cache line

// A gradient before pooling, and where what belongs to it begins.
struct Entry {
  std::int32_t at;
  float value;
};

// Some rows of windows of one picture: the pixels that their filters see, and of kChannels channels
// at a time the gradients that there are.
class Strip {
 public:
  explicit Strip(const PooledShape& shape)
      : shape_(shape),
        rows_(std::min(kRows, shape.side / 2)),
        row_(static_cast<std::int64_t>(shape.side + 2) * shape.channels),
        map_(static_cast<std::size_t>((2 * rows_ + 2) * row_) + kBeyond),
        room_(static_cast<std::int64_t>(rows_) * shape.side / 2),
        entries_(static_cast<std::size_t>(kChannels * room_)) {}

  int rows() const { return rows_; }
  std::int64_t row() const { return row_; }
  const float* map() const { return map_.data(); }

  // pixels: of the picture; first: row of windows.
  void read(const float* pixels, int first) {
    const std::int64_t width = static_cast<std::int64_t>(shape_.side) * shape_.channels;
    for (int i = 0; i < 2 * rows_ + 2; ++i) {
      const int y = 2 * first + i - 1;
      float* to = map_.data() + i * row_ + shape_.channels;
      if (y >= 0 && y < shape_.side) std::copy_n(pixels + y * width, width, to);
      if (y < 0 || y >= shape_.side) std::fill_n(to, width, 0.0F);
    }
  }

  // gradient, place: of the strip's first window and the first of the channels.
  void collect(const float* gradient, const std::uint8_t* place, int rows) {
    const auto row = static_cast<std::int32_t>(row_), channels = shape_.channels;
    const std::array<std::int32_t, 5> offsets = {0, channels, row, row + channels, 0};
    sizes_.fill(0);
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < shape_.side / 2; ++x) {
        const std::int32_t window = 2 * (y * row + x * channels);
        for (std::size_t lane = 0; lane < kChannels; ++lane) {
          const std::uint8_t pixel = place[lane];
          std::int64_t& size = sizes_[lane];
          entries_[lane * static_cast<std::size_t>(room_) + static_cast<std::size_t>(size)] = {
              window + offsets[pixel], gradient[lane]};
          size += pixel != kNoPlace;
        }
        gradient += shape_.outputs;
        place += shape_.outputs;
      }
    }
  }
  std::span<const Entry> of(int lane) const {
    return {entries_.data() + lane * room_,
            static_cast<std::size_t>(sizes_[static_cast<std::size_t>(lane)])};
  }

 private:
  static constexpr int kRows = 2;             // as many as lie in the first two caches
  static constexpr std::size_t kBeyond = 64;  // read beyond the last pixel, to no effect

  const PooledShape& shape_;
  int rows_;
  std::int64_t row_;
  std::vector<float> map_;  // with its border, [2·rows + 2, side + 2, C]
  std::int64_t room_;       // of a list
  std::vector<Entry> entries_;
  std::array<std::int64_t, kChannels> sizes_{};
};

// Adds to so many registers of each of the three rows of a filter.
template <int Registers>
DIPTYCH_AVX2 void add_columns(std::span<const Entry> entries, const float* map, std::int64_t row,
                              float* filter, std::int64_t width) {
  Floats sums[kRuns][Registers];
  for (int run = 0; run < kRuns; ++run) {
    for (int i = 0; i < Registers; ++i)
      sums[run][i] = avx2::load(filter + run * width + i * kLanes);
  }
  for (const Entry& entry : entries) {
    const float* at = map + entry.at;
    const Floats value = avx2::all(entry.value);
#pragma GCC unroll 3
    for (int run = 0; run < kRuns; ++run) {
#pragma GCC unroll 4
      for (int i = 0; i < Registers; ++i) {
        sums[run][i] = avx2::fused(value, avx2::load(at + run * row + i * kLanes), sums[run][i]);
      }
    }
  }
  for (int run = 0; run < kRuns; ++run) {
    for (int i = 0; i < Registers; ++i)
      avx2::store(filter + run * width + i * kLanes, sums[run][i]);
  }
}

constexpr int kMost = 4;  // registers of a row of a filter that are summed together

// filter: [3, width], of which 3·C numbers are meant.
void add_filter(std::span<const Entry> entries, const float* map, std::int64_t row, float* filter,
                std::int64_t width) {
  std::int64_t column = 0;
  for (; column + kMost * kLanes <= width; column += kMost * kLanes) {
    add_columns<kMost>(entries, map + column, row, filter + column, width);
  }
  if (column < width) add_columns<kMost / 2>(entries, map + column, row, filter + column, width);
}

// Gradients before pooling, pixel by pixel: where the weights of each channel begin, and its value.
class PixelLists {
 public:
  PixelLists(int side, int channels, int step)  // of the map before pooling; floats of a channel
      : side_(side),
        channels_(channels),
        step_(step),
        ends_(static_cast<std::size_t>(side * side)) {
    entries_.resize(ends_.size() / 4 * static_cast<std::size_t>(channels));
  }

  // gradient, place: [side/2, side/2, C].
  DIPTYCH_AVX2 void collect(const float* gradient, const std::uint8_t* place) {
    Entry* to = entries_.data();
    for (int y = 0; y < side_; y += 2) {
      for (int x = 0; x < side_; x += 2, gradient += channels_, place += channels_) {
        for (int pixel = 0; pixel < 4; ++pixel) {
          List& list = ends_[static_cast<std::size_t>((y + pixel / 2) * side_ + x + pixel % 2)];
          list.begin = to;
          for (int channel = 0; channel < channels_; channel += kChannels) {
            const __m128i places =
                _mm_loadu_si128(reinterpret_cast<const __m128i*>(place + channel));
            const __m128i equal = _mm_cmpeq_epi8(places, _mm_set1_epi8(static_cast<char>(pixel)));
            for (auto here = static_cast<unsigned>(_mm_movemask_epi8(equal)); here;
                 here &= here - 1) {
              const int at = channel + __builtin_ctz(here);
              *to++ = {at * step_, gradient[at]};
            }
          }
          list.end = to;
        }
      }
    }
  }

  // Adds to the gradients of the pixels of a row of the map that the filters see, [side, C], in
  // Registers × 8 of its channels. weights: [O, 3, Registers × 8], of one row of the filters; y:
  // the row that these see there.
  template <int Registers>
  DIPTYCH_AVX2 void add_row(int y, const float* weights, float* to, std::int64_t channels) const {
    constexpr int kColumns = 3;
    Floats sums[kColumns][Registers];  // of the pixels left of, at and right of x
    for (int i = 0; i < Registers; ++i) {
      sums[0][i] = avx2::all(0);
      sums[1][i] = avx2::load(to + i * kLanes);
    }
    for (int x = 0; x < side_; ++x) {
      for (int i = 0; i < Registers; ++i) {
        sums[2][i] =
            x + 1 < side_ ? avx2::load(to + (x + 1) * channels + i * kLanes) : avx2::all(0);
      }
      const List& list = ends_[static_cast<std::size_t>(y * side_ + x)];
      for (const Entry* entry = list.begin; entry < list.end; ++entry) {
        const Floats value = avx2::all(entry->value);
        const float* at = weights + entry->at;
#pragma GCC unroll 3
        for (int column = 0; column < kColumns; ++column) {
#pragma GCC unroll 4
          for (int i = 0; i < Registers; ++i) {
            sums[column][i] = avx2::fused(value, avx2::load(at + (column * Registers + i) * kLanes),
                                          sums[column][i]);
          }
        }
      }
      for (int i = 0; i < Registers; ++i) {
        if (x > 0) avx2::store(to + (x - 1) * channels + i * kLanes, sums[0][i]);
        sums[0][i] = sums[1][i];
        sums[1][i] = sums[2][i];
      }
    }
    for (int i = 0; i < Registers; ++i) {
      avx2::store(to + (side_ - 1) * channels + i * kLanes, sums[0][i]);
    }
  }

 private:
  struct List {
    const Entry *begin = nullptr, *end = nullptr;
  };
  int side_, channels_, step_;
  std::vector<List> ends_;
  std::vector<Entry> entries_;
};

// Registers of channels of the input that are summed together: the weights of one row of the
// filters stay in the first cache, with which 64 × 3 × 32 numbers leave a little room.
int registers_of(const PooledShape& shape) {
  constexpr int kFew = 64;
  return shape.outputs <= kFew && shape.channels % (kMost * kLanes) == 0 ? kMost : kMost / 2;
}

// map: [side, side, C], zero before.
void add_picture(const PixelLists& lists, const float* weights, const PooledShape& shape,
                 float* map) {
  const int registers = registers_of(shape), width = registers * kLanes;
  for (int first = 0; first < shape.channels; first += width) {
    for (int row = 0; row < kRuns; ++row) {
      for (int y = std::max(0, 1 - row); y < std::min(shape.side, shape.side + 1 - row); ++y) {
        float* to = map + static_cast<std::int64_t>(y + row - 1) * shape.side * shape.channels;
        if (registers == kMost) lists.add_row<kMost>(y, weights, to + first, shape.channels);
        if (registers < kMost) lists.add_row<kMost / 2>(y, weights, to + first, shape.channels);
      }
      weights += static_cast<std::int64_t>(shape.outputs) * 3 * width;
    }
  }
}

}  // namespace

// Pictures one after the other, so that the order of sums is always the same; channels side by
// side.
PooledGradients pooled_weight_gradients_fp32(const torch::Tensor& x, const torch::Tensor& place,
                                             const torch::Tensor& gradient) {
  const PooledShape shape = pooled_shape(x, gradient.size(1));
  constexpr std::int64_t kStep = kMost / 2 * kLanes;
  const std::int64_t width = (3 * shape.channels + kStep - 1) / kStep * kStep;
  const torch::Tensor weight = torch::zeros({shape.outputs, kRuns, width});
  const torch::Tensor bias = torch::zeros({shape.outputs});
  float *const filters = weight.data_ptr<float>(), *const biases = bias.data_ptr<float>();
  const auto add_strip = [&](Strip& strip, std::int64_t window, int rows, std::int64_t first) {
    strip.collect(gradient.const_data_ptr<float>() + window * shape.outputs + first,
                  place.const_data_ptr<std::uint8_t>() + window * shape.outputs + first, rows);
    for (int lane = 0; lane < kChannels; ++lane) {
      const std::span<const Entry> entries = strip.of(lane);
      const std::int64_t output = first + lane;
      add_filter(entries, strip.map(), strip.row(), filters + output * kRuns * width, width);
      for (const Entry& entry : entries) biases[output] += entry.value;
    }
  };
  at::parallel_for(0, shape.outputs / kChannels, 1, [&](std::int64_t begin, std::int64_t end) {
    Strip strip(shape);
    const int half = shape.side / 2;
    for (std::int64_t picture = 0; picture < shape.batch; ++picture) {
      for (int y = 0; y < half; y += strip.rows()) {
        strip.read(x.const_data_ptr<float>() + picture * shape.pixels(), y);
        for (std::int64_t group = begin; group < end; ++group) {
          add_strip(strip, (picture * half + y) * half, std::min(strip.rows(), half - y),
                    group * kChannels);
        }
      }
    }
  });
  return {weight.slice(2, 0, 3 * shape.channels).reshape({shape.outputs, 3, 3, shape.channels}),
          bias};
}

torch::Tensor pooled_input_gradient_fp32(const torch::Tensor& x, const torch::Tensor& weight,
                                         const torch::Tensor& place,
                                         const torch::Tensor& gradient) {
  const PooledShape shape = pooled_shape(x, gradient.size(1));
  const int width = registers_of(shape) * kLanes;
  // [C / width, 3 rows, O, 3 columns, width]
  const torch::Tensor weights =
      weight.view({shape.outputs, -1, width, 3, 3}).permute({1, 3, 0, 4, 2}).contiguous();
  const torch::Tensor result = torch::empty_like(x);
  at::parallel_for(0, shape.batch, 1, [&](std::int64_t begin, std::int64_t end) {
    PixelLists lists(shape.side, shape.outputs, 3 * width);
    for (std::int64_t picture = begin; picture < end; ++picture) {
      const std::int64_t first = picture * shape.windows();
      lists.collect(gradient.const_data_ptr<float>() + first,
                    place.const_data_ptr<std::uint8_t>() + first);
      float* map = result.data_ptr<float>() + picture * shape.pixels();
      std::fill_n(map, shape.pixels(), 0.0F);
      add_picture(lists, weights.const_data_ptr<float>(), shape, map);
    }
  });
  return result;
}

#endif

}  // namespace diptych
