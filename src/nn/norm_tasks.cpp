#include "nn/norm_tasks.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/vectorised.h"

// Registers go between functions that are all compiled into one.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace diptych {
namespace {

#define DIPTYCH_PART [[gnu::always_inline]] inline

// Registers of 32 bytes, and so many numbers of any kind as these have lanes, wherever they lie.
template <typename Number>
struct Registers {
  using Real = Wide<Number>;
  using Int = std::conditional_t<sizeof(Real) == 4, std::int32_t, std::int64_t>;
  static constexpr int kLanes = 32 / sizeof(Real);
  typedef Real Reals __attribute__((vector_size(32)));
  typedef Int Ints __attribute__((vector_size(32)));
  typedef std::make_unsigned_t<Int> Words __attribute__((vector_size(32)));
  template <typename Stored>
  struct Lanes {
    typedef Stored Few __attribute__((vector_size(kLanes * sizeof(Stored)), aligned(1), may_alias));
  };
};

// Channels of a pixel: as wide as a line of a cache.
template <typename Number>
struct Channels {
  using Reals = typename Registers<Number>::Reals;
  static constexpr int kCount = 2 * Registers<Number>::kLanes;
  Reals at[2];
  DIPTYCH_PART static Channels all(Wide<Number> value) {
    return {{Reals{} + value, Reals{} + value}};
  }
};
template <typename Number>
struct Labels {  // a whole number for each
  typename Registers<Number>::Ints at[2];
};

// One block of channels of one picture, and what is done to it.
template <typename Number, bool Whole>
struct Task {
  using Real = Wide<Number>;
  using Block = Channels<Number>;
  using Reals = typename Registers<Number>::Reals;
  using Ints = typename Registers<Number>::Ints;
  using Int = typename Registers<Number>::Int;
  using Words = typename Registers<Number>::Words;
  template <typename Stored>
  using Few = typename Registers<Number>::template Lanes<Stored>::Few;
  static constexpr std::size_t kCount = Block::kCount;

  const NormBatch<Number>& batch;
  std::int64_t index, channel;
  std::size_t count;  // channels, up to kCount; Whole says that all are there

  // The two registers of what begins at `from`, or a copy with zeros for what is not there.
  template <typename Stored, typename Take>
  DIPTYCH_PART void read(const Stored* from, const Take& take) const {
    Stored copy[kCount];
    if constexpr (!Whole) {
      std::memset(copy, 0, sizeof copy);
      std::memcpy(copy, from, count * sizeof(Stored));
      from = copy;
    }
    const auto* const few = reinterpret_cast<const Few<Stored>*>(from);
    take(0, few[0]);
    take(1, few[1]);
  }
  template <typename Stored, typename Give>
  DIPTYCH_PART void write(Stored* to, const Give& give) const {
    Stored copy[kCount];
    auto* const few = reinterpret_cast<Few<Stored>*>(Whole ? to : copy);
    few[0] = give(0);
    few[1] = give(1);
    if constexpr (!Whole) std::memcpy(to, copy, count * sizeof(Stored));
  }

  template <typename Stored>
  DIPTYCH_PART Block load(const Stored* from) const {
    Block block;
    read(
        from, [&](int i, const Few<Stored>& few) __attribute__((always_inline)) {
          if constexpr (std::is_same_v<Stored, Bits>) {
            block.at[i] = reinterpret_cast<Reals>(__builtin_convertvector(few, Words) << 16);
          } else {
            block.at[i] = few;
          }
        });
    return block;
  }
  // Of a map; the same place of the next picture is asked for, which need not be there.
  DIPTYCH_PART Block load_pixel(const Number* map, std::int64_t at) const {
    __builtin_prefetch(map + at + batch.picture(), 0, 2);
    return load(map + at);
  }
  template <typename Stored>
  DIPTYCH_PART void store(const Block& block, Stored* to) const {
    write(
        to, [&](int i) __attribute__((always_inline))->Few<Stored> {
          if constexpr (std::is_same_v<Stored, Bits>) {
            // To the nearest, ties to even; what is not a number stays none.
            const Words bits = reinterpret_cast<Words>(block.at[i]);
            const Words rounded = bits + 0x7fff + (bits >> 16 & 1), none = bits | 0x400000;
            const Words chosen = block.at[i] == block.at[i] ? rounded : none;
            return __builtin_convertvector(chosen >> 16, Few<Stored>);
          } else {
            return block.at[i];
          }
        });
  }
  template <typename Stored>
  DIPTYCH_PART Labels<Number> load_labels(const Stored* from) const {
    Labels<Number> labels;
    read(
        from, [&](int i, const Few<Stored>& few) __attribute__((always_inline)) {
          labels.at[i] = __builtin_convertvector(few, Ints);
        });
    return labels;
  }
  template <typename Stored>
  DIPTYCH_PART void store_labels(const Labels<Number>& labels, Stored* to) const {
    write(
        to, [&](int i) __attribute__((always_inline)) {
          return __builtin_convertvector(labels.at[i], Few<Stored>);
        });
  }

  DIPTYCH_PART std::int64_t pixel(std::int64_t y, std::int64_t x) const {
    return index * batch.picture() + (y * batch.width + x) * batch.channels + channel;
  }
  DIPTYCH_PART std::int64_t window(std::int64_t y, std::int64_t x) const {
    return index * batch.windows() + (y / 2 * (batch.width / 2) + x / 2) * batch.channels + channel;
  }
  // The first and the second row of what is [B,2,C].
  DIPTYCH_PART Real* pair(Real* numbers, int row) const {
    return numbers + (2 * index + row) * batch.channels + channel;
  }
  DIPTYCH_PART Block of_channel(const std::vector<Real>& numbers) const {
    return load(numbers.data() + channel);
  }

  // Distances from the first row's mean are of the size of the deviation that is looked for: a
  // picture's rows differ by no more than the root of their number of it.
  DIPTYCH_PART void take_moments() const {
    Block about = Block::all(0), sum = Block::all(0), squares = Block::all(0);
    for (std::int64_t x = 0; x < batch.width; ++x) {
      const Block value = load(batch.x + pixel(0, x));
      for (int i = 0; i < 2; ++i) about.at[i] += value.at[i];
    }
    const auto wide_count = static_cast<Real>(batch.width);
    const auto count = static_cast<Real>(batch.height * batch.width);
    for (int i = 0; i < 2; ++i) about.at[i] /= wide_count;
    for (std::int64_t at = 0; at < batch.height * batch.width; ++at) {
      const Block value = load_pixel(batch.x, pixel(0, at));
      for (int i = 0; i < 2; ++i) {
        const auto distance = value.at[i] - about.at[i];
        sum.at[i] += distance;
        squares.at[i] += distance * distance;
      }
    }
    for (int i = 0; i < 2; ++i) {
      const auto mean = sum.at[i] / count;
      const auto rest = squares.at[i] - sum.at[i] * mean;
      squares.at[i] = rest < 0 ? Reals{} : rest;
      about.at[i] += mean;
    }
    store(about, pair(batch.sums, 0));
    store(squares, pair(batch.sums, 1));
  }

  struct Most {
    Block value;
    Labels<Number> where;
  };
  // Where a number is larger than the most so far, it takes its place; of nothing is it true that
  // it is at most what is not a number, which stays.
  DIPTYCH_PART static void take_larger(const Block& value, std::int64_t label, Most& most) {
    for (int i = 0; i < 2; ++i) {
      auto& so_far = most.value.at[i];
      const Ints above = ~(value.at[i] <= so_far) & (so_far == so_far);
      so_far = above ? value.at[i] : so_far;
      most.where.at[i] = above ? Ints{} + static_cast<Int>(label) : most.where.at[i];
    }
  }

  DIPTYCH_PART void bring_forward() const {
    const Block scale = of_channel(batch.scale), shift = of_channel(batch.shift);
    Block sum = Block::all(0);
    Most most{Block::all(-std::numeric_limits<Real>::infinity()), {}};
    const auto value_at = [&](std::int64_t y, std::int64_t x) __attribute__((always_inline)) {
      const std::int64_t at = pixel(y, x);
      Block value = load_pixel(batch.x, at);
      for (int i = 0; i < 2; ++i) {
        value.at[i] = value.at[i] * scale.at[i] + shift.at[i];
        // What is not a number stays so.
        if (batch.rectifies) value.at[i] = value.at[i] <= 0 ? Reals{} : value.at[i];
      }
      if (batch.added) {
        const Block added = load_pixel(batch.added, at);
        for (int i = 0; i < 2; ++i) value.at[i] += added.at[i];
      }
      if (batch.measures) {
        for (int i = 0; i < 2; ++i) sum.at[i] += value.at[i];
        take_larger(value, y * batch.width + x, most);
      }
      return value;
    };
    if (batch.pools) {
      pool(value_at);
    } else {
      for (std::int64_t y = 0; y < batch.height; ++y) {
        for (std::int64_t x = 0; x < batch.width; ++x) {
          const Block value = value_at(y, x);
          if (!batch.measures) store(value, batch.map + pixel(y, x));
        }
      }
    }
    if (!batch.measures) return;
    for (int i = 0; i < 2; ++i) sum.at[i] /= static_cast<Real>(batch.height * batch.width);
    store(sum, pair(batch.measured, 0));
    store(most.value, pair(batch.measured, 1));
    store_labels(most.where, batch.highest + index * batch.channels + channel);
  }

  template <typename ValueAt>
  DIPTYCH_PART void pool(const ValueAt& value_at) const {
    for (std::int64_t y = 0; y < batch.height; y += 2) {
      for (std::int64_t x = 0; x < batch.width; x += 2) {
        Most most{value_at(y, x), {}};
        const bool right = x + 1 < batch.width, below = y + 1 < batch.height;
        if (right) take_larger(value_at(y, x + 1), 1, most);
        if (below) take_larger(value_at(y + 1, x), 2, most);
        if (right && below) {
          take_larger(value_at(y + 1, x + 1), 3, most);
          store(most.value, batch.map + window(y, x));
          store_labels(most.where, batch.place + window(y, x));
        }
      }
    }
  }

  // Calls take(y, x, gradient of what came out there) for each pixel.
  template <typename Take>
  DIPTYCH_PART void each_slope(const Take& take) const {
    Block mean = Block::all(0), most = mean;
    Labels<Number> highest{};
    if (batch.measures) {
      mean = load(pair(batch.measured, 0));
      for (int i = 0; i < 2; ++i) mean.at[i] /= static_cast<Real>(batch.height * batch.width);
      most = load(pair(batch.measured, 1));
      highest = load_labels(batch.highest + index * batch.channels + channel);
    }
    const auto measured = [&](std::int64_t y, std::int64_t x) __attribute__((always_inline)) {
      Block slope = mean;
      if (!batch.measures) return slope;
      const auto label = static_cast<Int>(y * batch.width + x);
      for (int i = 0; i < 2; ++i) {
        slope.at[i] += highest.at[i] == label ? most.at[i] : Reals{};
      }
      return slope;
    };
    if (batch.pools) return unpool(measured, take);
    for (std::int64_t y = 0; y < batch.height; ++y) {
      for (std::int64_t x = 0; x < batch.width; ++x) {
        take(y, x, batch.measures ? measured(y, x) : load_pixel(batch.map, pixel(y, x)));
      }
    }
  }

  template <typename Measured, typename Take>
  DIPTYCH_PART void unpool(const Measured& measured, const Take& take) const {
    for (std::int64_t y = 0; y < batch.height; y += 2) {
      for (std::int64_t x = 0; x < batch.width; x += 2) {
        const std::int64_t rows = std::min<std::int64_t>(2, batch.height - y);
        const std::int64_t columns = std::min<std::int64_t>(2, batch.width - x);
        Block slope = Block::all(0);
        Labels<Number> place{};
        if (rows * columns == 4) {
          slope = load(batch.map + window(y, x));
          place = load_labels(batch.place + window(y, x));
        }
        for (std::int64_t row = 0; row < rows; ++row) {
          for (std::int64_t column = 0; column < columns; ++column) {
            Block all = measured(y + row, x + column);
            const auto label = static_cast<Int>(2 * row + column);
            for (int i = 0; i < 2; ++i) {
              all.at[i] += place.at[i] == label ? slope.at[i] : Reals{};
            }
            take(y + row, x + column, all);
          }
        }
      }
    }
  }

  // Where the ReLU lets a gradient through, what there is.
  DIPTYCH_PART void rectify(const Block& x, const Block& scale, const Block& shift,
                            Block& slope) const {
    if (!batch.rectifies) return;
    for (int i = 0; i < 2; ++i) {
      const auto value = x.at[i] * scale.at[i] + shift.at[i];
      slope.at[i] = value <= 0 ? Reals{} : slope.at[i];
    }
  }

  DIPTYCH_PART void add_up_slopes() const {
    const Block scale = of_channel(batch.scale), shift = of_channel(batch.shift);
    const Block mean = of_channel(batch.mean);
    Block first = Block::all(0), second = first;
    each_slope([&](std::int64_t y, std::int64_t x, Block slope) __attribute__((always_inline)) {
      const std::int64_t at = pixel(y, x);
      if (batch.slope) store(slope, batch.slope + at);
      const Block value = load_pixel(batch.x, at);
      rectify(value, scale, shift, slope);
      for (int i = 0; i < 2; ++i) {
        first.at[i] += slope.at[i];
        second.at[i] += slope.at[i] * (value.at[i] - mean.at[i]);
      }
    });
    store(first, pair(batch.sums, 0));
    store(second, pair(batch.sums, 1));
  }

  DIPTYCH_PART void bring_backward() const {
    const Block scale = of_channel(batch.scale), shift = of_channel(batch.shift);
    const Block by_x = of_channel(batch.by_x), constant = of_channel(batch.constant);
    each_slope([&](std::int64_t y, std::int64_t x, Block slope) __attribute__((always_inline)) {
      const std::int64_t at = pixel(y, x);
      const Block value = load_pixel(batch.x, at);
      rectify(value, scale, shift, slope);
      for (int i = 0; i < 2; ++i) {
        slope.at[i] = slope.at[i] * scale.at[i] + (value.at[i] * by_x.at[i] + constant.at[i]);
      }
      store(slope, batch.of_x + at);
    });
  }

  DIPTYCH_PART void run(NormTask task) const {
    switch (task) {
      case NormTask::moments:
        return take_moments();
      case NormTask::forward:
        return bring_forward();
      case NormTask::sums:
        return add_up_slopes();
      case NormTask::backward:
        return bring_backward();
    }
  }
};

template <typename Number>
DIPTYCH_PART void run_task(NormTask task, const NormBatch<Number>& batch, std::int64_t begin,
                           std::int64_t end) {
  constexpr std::int64_t kCount = Channels<Number>::kCount;
  for (std::int64_t index = begin; index < end; ++index) {
    std::int64_t channel = 0;
    for (; channel + kCount <= batch.channels; channel += kCount) {
      Task<Number, true>{batch, index, channel, kCount}.run(task);
    }
    const auto left = static_cast<std::size_t>(batch.channels - channel);
    if (left > 0) Task<Number, false>{batch, index, channel, left}.run(task);
  }
}

#undef DIPTYCH_PART

}  // namespace

DIPTYCH_VECTORISED void run(NormTask task, const NormBatch<float>& batch, std::int64_t begin,
                            std::int64_t end) {
  run_task(task, batch, begin, end);
}
DIPTYCH_VECTORISED void run(NormTask task, const NormBatch<double>& batch, std::int64_t begin,
                            std::int64_t end) {
  run_task(task, batch, begin, end);
}
DIPTYCH_VECTORISED void run(NormTask task, const NormBatch<Bits>& batch, std::int64_t begin,
                            std::int64_t end) {
  run_task(task, batch, begin, end);
}

}  // namespace diptych
