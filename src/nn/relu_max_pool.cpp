#include "nn/relu_max_pool.h"

#include <ATen/Parallel.h>

#include <array>
#include <cstring>

#include "base/vectorised.h"

namespace diptych {
namespace {

constexpr std::uint8_t kNone = 4;  // no pixel of the window is above zero

// bf16 is the upper half of an fp32; its bits are read as such, which compilers vectorise.
float wide(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
float wide(float value) { return value; }
double wide(double value) { return value; }

// The four pixels of a window and what becomes of them, each [C].
template <typename Number>
struct Window {
  std::array<const Number*, 4> pixels;
  Number* largest;
  std::uint8_t* place;
};

template <typename Number>
[[gnu::always_inline]] inline void pool(const Window<Number>& window, std::int64_t begin,
                                        std::int64_t channels) {
  const Number* __restrict a = window.pixels[0];
  const Number* __restrict b = window.pixels[1];
  const Number* __restrict c = window.pixels[2];
  const Number* __restrict d = window.pixels[3];
  Number* __restrict largest = window.largest;
  std::uint8_t* __restrict place = window.place;
  for (std::int64_t i = begin; i < channels; ++i) {
    Number best = 0;
    std::uint8_t from = kNone;
    // Not a number: of nothing is it true that it is at most the best.
    const auto try_one = [&](Number pixel, std::uint8_t index) {
      const bool above = !(wide(pixel) <= wide(best)) && !(wide(best) != wide(best));
      best = above ? pixel : best;
      from = above ? index : from;
    };
    try_one(a[i], 0);
    try_one(b[i], 1);
    try_one(c[i], 2);
    try_one(d[i], 3);
    largest[i] = best;
    place[i] = from;
  }
}

template <typename Number>
[[gnu::always_inline]] inline void unpool(const Number* __restrict gradient,
                                          const std::uint8_t* __restrict place,
                                          const std::array<Number*, 4>& pixels, std::int64_t begin,
                                          std::int64_t channels) {
  for (std::uint8_t index = 0; index < 4; ++index) {
    Number* __restrict pixel = pixels[index];
    for (std::int64_t i = begin; i < channels; ++i) {
      pixel[i] = place[i] == index ? gradient[i] : Number(0);
    }
  }
}

// The two above for kLanes bf16 at once: those above zero are ordered as their bits are as
// integers, with what is not a number on top once its sign is gone. Return how many were done.
constexpr std::int64_t kLanes = 16;
using Shorts [[gnu::vector_size(2 * kLanes)]] = std::int16_t;

[[gnu::always_inline]] inline void load(const std::uint16_t* from, Shorts& lanes) {
  std::memcpy(&lanes, from, sizeof lanes);
}

[[gnu::always_inline]] inline std::int64_t pool_lanes(const Window<std::uint16_t>& window,
                                                      std::int64_t channels) {
  constexpr std::int16_t kMagnitude = 0x7fff, kInfinity = 0x7f80;
  std::int64_t i = 0;
  for (; i + kLanes <= channels; i += kLanes) {
    Shorts best{}, from = Shorts{} + kNone;
    for (std::int16_t index = 0; index < 4; ++index) {
      Shorts pixel;
      load(window.pixels[static_cast<std::size_t>(index)] + i, pixel);
      const Shorts magnitude = pixel & kMagnitude;
      pixel = magnitude > kInfinity ? magnitude : pixel;
      from = pixel > best ? Shorts{} + index : from;
      best = pixel > best ? pixel : best;
    }
    std::memcpy(window.largest + i, &best, sizeof best);
    using Bytes [[gnu::vector_size(2 * kLanes)]] = std::uint8_t;
    constexpr Bytes kLowest = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
    const Bytes places = __builtin_shuffle(reinterpret_cast<Bytes>(from), kLowest);
    std::memcpy(window.place + i, &places, kLanes);
  }
  return i;
}

[[gnu::always_inline]] inline std::int64_t unpool_lanes(const std::uint16_t* gradient,
                                                        const std::uint8_t* place,
                                                        const std::array<std::uint16_t*, 4>& pixels,
                                                        std::int64_t channels) {
  std::int64_t i = 0;
  for (; i + kLanes <= channels; i += kLanes) {
    std::array<std::int16_t, kLanes> wide_places;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      wide_places[lane] = place[static_cast<std::size_t>(i) + lane];
    }
    Shorts from, value;
    std::memcpy(&from, wide_places.data(), sizeof from);
    load(gradient + i, value);
    for (std::int16_t index = 0; index < 4; ++index) {
      const Shorts kept = from == index ? value : Shorts{};
      std::memcpy(pixels[static_cast<std::size_t>(index)] + i, &kept, sizeof kept);
    }
  }
  return i;
}
template <typename Number>
std::int64_t pool_lanes(const Window<Number>&, std::int64_t) {
  return 0;
}
template <typename Number>
std::int64_t unpool_lanes(const Number*, const std::uint8_t*, const std::array<Number*, 4>&,
                          std::int64_t) {
  return 0;
}

// Where things lie in channels-last memory.
struct Extent {
  std::int64_t height, width, channels;
  std::int64_t rows() const { return height / 2; }
  std::int64_t columns() const { return width / 2; }
};

// `row` counts the rows of windows of the whole batch.
template <typename Pixel>
std::array<Pixel*, 4> window_at(Pixel* map, const Extent& extent, std::int64_t row,
                                std::int64_t column) {
  const std::int64_t image = row / extent.rows();
  const std::int64_t y = 2 * (row % extent.rows()), x = 2 * column;
  Pixel* first = map + ((image * extent.height + y) * extent.width + x) * extent.channels;
  Pixel* below = first + extent.width * extent.channels;
  return {first, first + extent.channels, below, below + extent.channels};
}

#define DIPTYCH_POOL_ROWS(Number)                                                                 \
  DIPTYCH_VECTORISED void pool_row(const Number* map, const Extent& extent, std::int64_t row,     \
                                   Number* largest, std::uint8_t* place) {                        \
    for (std::int64_t column = 0; column < extent.columns(); ++column) {                          \
      const std::int64_t at = (row * extent.columns() + column) * extent.channels;                \
      const Window<Number> window{window_at(map, extent, row, column), largest + at, place + at}; \
      pool(window, pool_lanes(window, extent.channels), extent.channels);                         \
    }                                                                                             \
  }                                                                                               \
  DIPTYCH_VECTORISED void unpool_row(const Number* gradient, const std::uint8_t* place,           \
                                     const Extent& extent, std::int64_t row, Number* map) {       \
    for (std::int64_t column = 0; column < extent.columns(); ++column) {                          \
      const std::int64_t at = (row * extent.columns() + column) * extent.channels;                \
      const auto pixels = window_at(map, extent, row, column);                                    \
      const std::int64_t done = unpool_lanes(gradient + at, place + at, pixels, extent.channels); \
      unpool(gradient + at, place + at, pixels, done, extent.channels);                           \
    }                                                                                             \
  }
DIPTYCH_POOL_ROWS(std::uint16_t)
DIPTYCH_POOL_ROWS(float)
DIPTYCH_POOL_ROWS(double)
#undef DIPTYCH_POOL_ROWS

Extent extent_of(at::IntArrayRef sizes) { return {sizes[2], sizes[3], sizes[1]}; }

torch::Tensor like_map(at::IntArrayRef sizes, const torch::TensorOptions& options) {
  return torch::empty(sizes, options.memory_format(at::MemoryFormat::ChannelsLast));
}

// Calls work(row) for every row of windows, in parallel.
template <typename Work>
void for_rows(at::IntArrayRef sizes, const Work& work) {
  const std::int64_t rows = sizes[0] * (sizes[2] / 2);
  constexpr std::int64_t kGrain = 16;
  at::parallel_for(0, rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) work(row);
  });
}

// Calls work with a null pointer of the type that numbers of x's precision are handled as.
template <typename Work>
void with_number(at::ScalarType type, const Work& work) {
  switch (type) {
    case at::kBFloat16:
      return work(static_cast<std::uint16_t*>(nullptr));
    case at::kFloat:
      return work(static_cast<float*>(nullptr));
    case at::kDouble:
      return work(static_cast<double*>(nullptr));
    default:
      TORCH_CHECK(false, "relu_max_pool: no such precision");
  }
}

class ReluMaxPool : public torch::autograd::Function<ReluMaxPool> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x) {
    const torch::Tensor map = x.contiguous(at::MemoryFormat::ChannelsLast);
    const Extent extent = extent_of(map.sizes());
    const std::vector<std::int64_t> sizes{map.size(0), map.size(1), extent.rows(),
                                          extent.columns()};
    torch::Tensor largest = like_map(sizes, map.options());
    torch::Tensor place = like_map(sizes, map.options().dtype(at::kByte));
    with_number(map.scalar_type(), [&](auto* type) {
      using Number = std::remove_pointer_t<decltype(type)>;
      const auto* from = static_cast<const Number*>(map.data_ptr());
      auto* to = static_cast<Number*>(largest.data_ptr());
      auto* places = place.data_ptr<std::uint8_t>();
      for_rows(map.sizes(), [&](std::int64_t row) { pool_row(from, extent, row, to, places); });
    });
    context->saved_data["sizes"] = map.sizes().vec();
    context->save_for_backward({place});
    return largest;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const torch::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const torch::Tensor place = context->get_saved_variables()[0];
    const std::vector<std::int64_t> sizes = context->saved_data["sizes"].toIntVector();
    const Extent extent = extent_of(sizes);
    torch::Tensor map = like_map(sizes, gradient.options());
    // Pixels that no window reaches.
    if (extent.height % 2) map.select(2, extent.height - 1).zero_();
    if (extent.width % 2) map.select(3, extent.width - 1).zero_();
    with_number(gradient.scalar_type(), [&](auto* type) {
      using Number = std::remove_pointer_t<decltype(type)>;
      const auto* from = static_cast<const Number*>(gradient.data_ptr());
      const auto* places = place.data_ptr<std::uint8_t>();
      auto* to = static_cast<Number*>(map.data_ptr());
      for_rows(sizes, [&](std::int64_t row) { unpool_row(from, places, extent, row, to); });
    });
    return {map};
  }
};

}  // namespace

torch::Tensor relu_max_pool(const torch::Tensor& x) {
  return x.is_cpu() ? ReluMaxPool::apply(x) : torch::max_pool2d(torch::relu(x), 2);
}

}  // namespace diptych
