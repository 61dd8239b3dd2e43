// Part of packed_code.h: convolutions for training, forward and backward, by patches of 25 outputs
// at the points of packed_lines.h.
#pragma once
#include <vector>

#include "nn/packed_lines.h"

namespace diptych::DIPTYCH_REGISTERS {
namespace {

// Lines down are at their points, [x, point]; lines across go there and are written, a point every
// `apart` numbers.
template <std::size_t Count, typename ToPoints>
DIPTYCH_LANES void store_points(const Floats (&columns)[Count][kSeen], const ToPoints& to_points,
                                float* to, std::int64_t apart) {
  for (int y = 0; y < kSeen; ++y) {
    Floats line[Count];
    Seen points;
#pragma GCC unroll 7
    for (std::size_t x = 0; x < Count; ++x) line[x] = columns[x][y];
    to_points(line, points);
#pragma GCC unroll 7
    for (int x = 0; x < kSeen; ++x, to += apart) store(to, points[x]);
  }
}

// One of the patches of pictures, row by row: its picture and its upper left output.
struct Patch {
  std::int64_t picture, y, x;
};

template <typename Byte>
Patch patch_of(const PicturesOf<Byte>& pictures, std::int64_t index) {
  const std::int64_t across = pictures.patches_across(), of_one = across * across;
  return {index / of_one, index % of_one / across * kPatch, index % across * kPatch};
}

// Asks for memory that patches after this one will see or, ForWriting, be written to: the next row
// of patches. It need not be there.
template <typename Byte>
void expect(const PicturesOf<Byte>& pictures, std::int64_t index) {
  constexpr std::int64_t kCacheLine = 64;
  constexpr int ForWriting = !std::is_const_v<Byte>;
  const std::int64_t across = pictures.patches_across();
  const std::int64_t share = pictures.picture_bytes() / (across * across);
  const std::byte* const from = pictures.numbers + (index + across + 1) * share;
  for (std::int64_t i = 0; i < share; i += kCacheLine) __builtin_prefetch(from + i, ForWriting, 2);
}

// Calls function.operator()<A>() for the numbers of maps, fp32 or bf16.
template <typename Function>
void of_numbers(Arithmetic arithmetic, const Function& function) {
  if (arithmetic == Arithmetic::bf16) return function.template operator()<Bf16>();
  function.template operator()<Fp32>();
}

// A register of channels; at: of their first number.
template <typename A>
DIPTYCH_LANES Floats load_channels(const std::byte* at) {
  return A::load(at, first(kLanes), 1);
}

// What a patch sees, of one register of channels at a time.
template <typename A>
DIPTYCH_KERNEL void see_patch(const Pictures& pictures, const Patch& patch, std::int64_t at,
                              const PatchPoints& to) {
  const std::int64_t side = pictures.side, channels = pictures.channels, row = side * channels;
  const std::int64_t apart = to.apart();
  const std::byte* corner =
      pictures.numbers +
      A::kBytes * (patch.picture * side * row + (patch.y - 1) * row + (patch.x - 1) * channels);
  const std::int64_t top = patch.y > 0 ? 0 : 1, left = patch.x > 0 ? 0 : 1;
  const std::int64_t bottom = side + 1 - patch.y, right = side + 1 - patch.x;
  for (std::int64_t channel = 0; channel < channels; channel += kLanes) {
    Floats columns[kSeen][kSeen];  // [x, point]
#pragma GCC unroll 7
    for (int x = 0; x < kSeen; ++x) {
      if (x < left || x >= right) {
#pragma GCC unroll 7
        for (int y = 0; y < kSeen; ++y) columns[x][y] = all(0);
        continue;
      }
      Seen line;
#pragma GCC unroll 7
      for (int y = 0; y < kSeen; ++y) {
        line[y] = y < top || y >= bottom
                      ? all(0)
                      : load_channels<A>(corner + A::kBytes * (y * row + x * channels + channel));
      }
      seen_at_points(line, columns[x]);
    }
    const auto across = [](const Seen& line, Seen& points)
                            DIPTYCH_KERNEL { seen_at_points(line, points); };
    store_points(columns, across, to.at(0, at, channel, kLanes), apart);
  }
}

// What the gradient of a patch's outputs is.
template <typename A>
DIPTYCH_KERNEL void slope_patch(const Pictures& pictures, const Patch& patch, std::int64_t at,
                                const PatchPoints& to) {
  const std::int64_t side = pictures.side, channels = pictures.channels, row = side * channels;
  const std::int64_t apart = to.apart();
  const std::byte* corner = pictures.numbers + A::kBytes * (patch.picture * side * row +
                                                            patch.y * row + patch.x * channels);
  const std::int64_t bottom = side - patch.y, right = side - patch.x;
  for (std::int64_t channel = 0; channel < channels; channel += kLanes) {
    Floats columns[kPatch][kSeen];  // [x, point]
#pragma GCC unroll 5
    for (int x = 0; x < kPatch; ++x) {
      Outputs line;
#pragma GCC unroll 5
      for (int y = 0; y < kPatch; ++y) {
        line[y] = y >= bottom || x >= right
                      ? all(0)
                      : load_channels<A>(corner + A::kBytes * (y * row + x * channels + channel));
      }
      gradient_at_points(line, columns[x]);
    }
    const auto across = [](const Outputs& line, Seen& points)
                            DIPTYCH_KERNEL { gradient_at_points(line, points); };
    store_points(columns, across, to.at(0, at, channel, kLanes), apart);
  }
}

template <typename A>
void bring_to_points(const Pictures& inputs, const Pictures& slopes, std::int64_t begin,
                     std::int64_t end, const PatchPoints& seen, const PatchPoints& gradients) {
  for (std::int64_t at = begin; at < end; ++at) {
    expect(inputs, at);
    expect(slopes, at);
    see_patch<A>(inputs, patch_of(inputs, at), at, seen);
    slope_patch<A>(slopes, patch_of(slopes, at), at, gradients);
  }
}

void patches_at_points(const Pictures& inputs, const Pictures& slopes, std::int64_t begin,
                       std::int64_t end, const PatchPoints& seen, const PatchPoints& gradients) {
  of_numbers(inputs.arithmetic,
             [&]<typename A> { bring_to_points<A>(inputs, slopes, begin, end, seen, gradients); });
}

// The outputs of a patch; `products` of its first output at its first point, others `apart`.
template <typename A>
DIPTYCH_KERNEL void write_patch(const float* products, std::int64_t apart, const Patch& patch,
                                const WrittenPictures& to) {
  const std::int64_t side = to.side, channels = to.channels, row = side * channels;
  const std::int64_t rows = std::min<std::int64_t>(kPatch, side - patch.y);
  const std::int64_t columns = std::min<std::int64_t>(kPatch, side - patch.x);
  std::byte* const corner =
      to.numbers + A::kBytes * (patch.picture * side * row + patch.y * row + patch.x * channels);
  for (std::int64_t channel = 0; channel < channels; channel += kLanes) {
    Floats lines[kSeen][kPatch];  // [point, y]
#pragma GCC unroll 7
    for (int x = 0; x < kSeen; ++x) {
      Seen line;
#pragma GCC unroll 7
      for (int y = 0; y < kSeen; ++y) line[y] = load(products + (kSeen * y + x) * apart + channel);
      from_points(line, lines[x]);
    }
    for (std::int64_t y = 0; y < rows; ++y) {
      Seen line;
      Outputs outputs;
#pragma GCC unroll 7
      for (int x = 0; x < kSeen; ++x) line[x] = lines[x][y];
      from_points(line, outputs);
      std::byte* pixel = corner + A::kBytes * (y * row + channel);
#pragma GCC unroll 5
      for (int x = 0; x < kPatch; ++x, pixel += A::kBytes * channels) {
        if (x < columns) A::store(pixel, first(kLanes), outputs[x], 1);
      }
    }
  }
}

// Patches, or channels, whose sums are held at a time, two registers each.
constexpr int kHeld = kRegisters < 32 ? 6 : 8;

// Products of a point's filters, [C,kBlock] of one block, with what kHeld patches see there.
DIPTYCH_KERNEL void multiply_patches(const float* seen, std::int64_t group, const float* filters,
                                     std::int64_t channels, float* to, std::int64_t next) {
  Floats sums[kHeld][2];
  clear<Fp32, kHeld>(sums);
  for (std::int64_t channel = 0; channel < channels; channel += kLanes, seen += group) {
#pragma GCC unroll 4
    for (int lane = 0; lane < kLanes; ++lane, filters += kBlock) {
      const Floats low = load(filters), high = load(filters + kLanes);
#pragma GCC unroll 8
      for (int row = 0; row < kHeld; ++row) {
        const Floats number = all(seen[row * kLanes + lane]);
        sums[row][0] = fused(number, low, sums[row][0]);
        sums[row][1] = fused(number, high, sums[row][1]);
      }
    }
  }
#pragma GCC unroll 8
  for (int row = 0; row < kHeld; ++row, to += next) {
    store(to, sums[row][0]);
    store(to + kLanes, sums[row][1]);
  }
}

// Room for so many numbers, of this thread, until it is asked for more.
float* room_for(std::int64_t count) {
  static thread_local std::vector<float, WholeLines<float>> memory;
  if (memory.size() < static_cast<std::size_t>(count)) {
    memory.resize(static_cast<std::size_t>(count));
  }
  return memory.data();
}

// Patches that go through together, so that a point's filters are read once for these while what
// they see stays in the second cache.
constexpr std::int64_t kTogether = 24;

template <typename A>
void convolve_at_points(const PointFilters& filters, const Pictures& inputs,
                        const WrittenPictures& outputs) {
  const std::int64_t patches = inputs.patches();
  const std::int64_t most = std::min(kTogether, patches);
  const std::int64_t room = (most + kHeld - 1) / kHeld * kHeld;  // with what a tile reads beyond
  PatchPoints seen{nullptr, room, inputs.channels};
  const PatchPoints products{nullptr, room, filters.outputs};
  seen.numbers = room_for(seen.size() + products.size());
  float* const sums = seen.numbers + seen.size();
  for (std::int64_t begin = 0; begin < patches; begin += most) {
    const std::int64_t count = std::min(most, patches - begin);
    for (std::int64_t at = 0; at < count; ++at) {
      expect(inputs, begin + at);
      see_patch<A>(inputs, patch_of(inputs, begin + at), at, seen);
    }
    for (int point = 0; point < kPatchPoints; ++point) {
      for (std::int64_t output = 0; output < filters.outputs; output += kBlock) {
        for (std::int64_t at = 0; at < count; at += kHeld) {
          multiply_patches(seen.at(point, at, 0, kLanes), room * kLanes, filters.at(point, output),
                           filters.channels,
                           sums + point * products.apart() + at * filters.outputs + output,
                           filters.outputs);
        }
      }
    }
    for (std::int64_t at = 0; at < count; ++at) {
      expect(outputs, begin + at);
      write_patch<A>(sums + at * filters.outputs, products.apart(), patch_of(inputs, begin + at),
                     outputs);
    }
  }
}

void convolve_pictures(const PointFilters& filters, const Pictures& inputs,
                       const WrittenPictures& outputs) {
  of_numbers(inputs.arithmetic,
             [&]<typename A> { convolve_at_points<A>(filters, inputs, outputs); });
}

// What gradients of one point are multiplied with.
struct Products {
  const PatchPoints &seen, &gradients;
  std::int64_t point;
  bool adds;  // to sums that are there
};

// Of Count channels and one block of outputs.
template <int Count>
DIPTYCH_LANES void add_products(const Products& products, std::int64_t channel, std::int64_t output,
                                float* sums) {
  const std::int64_t next = products.gradients.channels;
  const float* seen[Count];
  Floats totals[Count][2];
#pragma GCC unroll 8
  for (int row = 0; row < Count; ++row) {
    const std::int64_t at = channel + row;
    seen[row] = products.seen.at(products.point, 0, at / kLanes * kLanes, kLanes) + at % kLanes;
    totals[row][0] = products.adds ? load(sums + row * next) : all(0);
    totals[row][1] = products.adds ? load(sums + row * next + kLanes) : all(0);
  }
  const float* const low = products.gradients.at(products.point, 0, output, kLanes);
  const float* const high = products.gradients.at(products.point, 0, output + kLanes, kLanes);
  const std::int64_t end = products.seen.patches * kLanes;
  for (std::int64_t i = 0; i < end; i += kLanes) {
    const Floats both[2] = {load(low + i), load(high + i)};
#pragma GCC unroll 8
    for (int row = 0; row < Count; ++row) {
      const Floats number = all(seen[row][i]);
      totals[row][0] = fused(number, both[0], totals[row][0]);
      totals[row][1] = fused(number, both[1], totals[row][1]);
    }
  }
#pragma GCC unroll 8
  for (int row = 0; row < Count; ++row) {
    store(sums + row * next, totals[row][0]);
    store(sums + row * next + kLanes, totals[row][1]);
  }
}

DIPTYCH_KERNEL void multiply_with_gradients(const Products& products, float* sums) {
  constexpr int kFew = 2;  // divides all that is left over
  const std::int64_t channels = products.seen.channels, outputs = products.gradients.channels;
  for (std::int64_t output = 0; output < outputs; output += kBlock) {
    const auto at = [&](std::int64_t channel) { return sums + channel * outputs + output; };
    std::int64_t channel = 0;
    for (; channel + kHeld <= channels; channel += kHeld) {
      add_products<kHeld>(products, channel, output, at(channel));
    }
    if (channel + 2 * kFew <= channels) {
      add_products<2 * kFew>(products, channel, output, at(channel));
      channel += 2 * kFew;
    }
    if (channel < channels) add_products<kFew>(products, channel, output, at(channel));
  }
}

void add_filter_gradient(const PatchPoints& seen, const PatchPoints& gradients, bool adds,
                         std::int64_t begin, std::int64_t end, float* sums) {
  const std::int64_t apart = points_apart(seen.channels * gradients.channels);
  for (std::int64_t point = begin; point < end; ++point) {
    multiply_with_gradients({seen, gradients, point, adds}, sums + point * apart);
  }
}

// A register's outputs of one channel.
DIPTYCH_KERNEL void pack_taps(const FilterView& filters, const float* from, float* to,
                              std::int64_t apart) {
  Floats columns[3][kSeen];  // [x, point]
#pragma GCC unroll 3
  for (int x = 0; x < 3; ++x, from += filters.column) {
    filter_at_points(
        {load_apart(from, filters.output), load_apart(from + filters.row, filters.output),
         load_apart(from + 2 * filters.row, filters.output)},
        columns[x]);
  }
  const auto across = [](const Taps& line, Seen& points)
                          DIPTYCH_KERNEL { filter_at_points(line, points); };
  store_points(columns, across, to, apart);
}

void pack_filters_at_points(const FilterView& filters, std::int64_t begin, std::int64_t end,
                            const PointFilters& to) {
  for (std::int64_t block = 0; block < filters.outputs; block += kBlock) {
    for (std::int64_t channel = begin; channel < end; ++channel) {
      const float* from = filters.first + block * filters.output + channel * filters.channel;
      float* at = to.at(0, block) + channel * kBlock;
      pack_taps(filters, from, at, to.apart());
      pack_taps(filters, from + kLanes * filters.output, at + kLanes, to.apart());
    }
  }
}

DIPTYCH_KERNEL void unpack_taps(const float* sums, std::int64_t apart, float (&to)[9][kLanes]) {
  Floats columns[kSeen][3];  // [point, y]
#pragma GCC unroll 7
  for (int x = 0; x < kSeen; ++x) {
    Seen line;
#pragma GCC unroll 7
    for (int y = 0; y < kSeen; ++y) line[y] = load(sums + (kSeen * y + x) * apart);
    taps_from_points(line, columns[x]);
  }
#pragma GCC unroll 3
  for (int y = 0; y < 3; ++y) {
    Seen line;
    Taps taps;
#pragma GCC unroll 7
    for (int x = 0; x < kSeen; ++x) line[x] = columns[x][y];
    taps_from_points(line, taps);
#pragma GCC unroll 3
    for (int x = 0; x < 3; ++x) store(to[3 * y + x], taps[x]);
  }
}

void filters_from_points(const float* sums, std::int64_t channels, std::int64_t outputs,
                         std::int64_t begin, std::int64_t end, float* gradient) {
  const std::int64_t apart = points_apart(channels * outputs);
  float taps[9][kLanes];
  for (std::int64_t channel = begin; channel < end; ++channel) {
    for (std::int64_t output = 0; output < outputs; output += kLanes) {
      unpack_taps(sums + channel * outputs + output, apart, taps);
      float* to = gradient + (output * channels + channel) * 9;
      for (int lane = 0; lane < kLanes; ++lane, to += channels * 9) {
        for (int tap = 0; tap < 9; ++tap) to[tap] = taps[tap][lane];
      }
    }
  }
}

}  // namespace
}  // namespace diptych::DIPTYCH_REGISTERS
