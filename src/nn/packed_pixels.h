// Part of packed_code.h: the first convolution for training, of the bytes of pictures (3×3, three
// channels, same padding, stride 2). A picture is standardised into a border of zeros that stays in
// the cache, and nothing of it is kept.
#pragma once
#include "nn/packed_patches.h"

namespace diptych::DIPTYCH_REGISTERS {
namespace {

constexpr int kColours = 3;
constexpr int kWindow = 3 * kColours;  // numbers that an output sees of a row
constexpr int kStep = 2 * kColours;    // from what an output sees to what the next one does

// [side+2,side+2,3] of one picture, with what a tile reads beyond.
struct Bordered {
  explicit Bordered(std::int64_t picture_side) : side(picture_side), row((side + 2) * kColours) {
    const std::int64_t size = (side + 2) * row + kStep * kHeld;
    numbers = room_for(size);
    std::fill_n(numbers, size, 0.0F);
  }
  float* line(std::int64_t y) const { return numbers + y * row; }  // 0: of the border

  std::int64_t side, row;
  float* numbers;
};

DIPTYCH_KERNEL void standardise(const BytePictures& pictures, std::int64_t index,
                                const Bordered& to) {
  constexpr std::int64_t kTogether = kColours * kLanes;  // numbers, until channels repeat
  float scales[kTogether], shifts[kTogether];
  for (std::size_t i = 0; i < kTogether; ++i) {
    scales[i] = pictures.scale[i % kColours];
    shifts[i] = pictures.shift[i % kColours];
  }
  const std::int64_t count = kColours * to.side;
  const std::uint8_t* bytes = pictures.bytes + index * to.side * count;
  for (std::int64_t y = 0; y < to.side; ++y, bytes += count) {
    float* const row = to.line(y + 1) + kColours;
    std::int64_t done = 0;
    for (; done + kTogether <= count; done += kTogether) {
#pragma GCC unroll 3
      for (std::int64_t i = 0; i < kTogether; i += kLanes) {
        const Floats value = Int8::load(bytes + done + i, first(kLanes), 1);
        store(row + done + i, fused(value, load(scales + i), load(shifts + i)));
      }
    }
    for (std::int64_t i = 0; done + i < count; i += kLanes) {
      const Mask mask = first(count - done - i);
      const Floats value = Int8::load(bytes + done + i, mask, 1);
      store(row + done + i, mask, fused(value, load(scales + i), load(shifts + i)));
    }
  }
}

// Some neighbours of a row, of Width registers of outputs from the first of `filters` on.
template <typename A, int Width>
DIPTYCH_KERNEL void convolve_tile(const float* seen, std::int64_t row, const float* filters,
                                  std::int64_t outputs, std::int64_t count, std::byte* to) {
  Floats sums[kHeld][Width];
#pragma GCC unroll 8
  for (int at = 0; at < kHeld; ++at) {
    for (int i = 0; i < Width; ++i) sums[at][i] = all(0);
  }
  for (int y = 0; y < 3; ++y, seen += row) {
#pragma GCC unroll 9
    for (int tap = 0; tap < kWindow; ++tap, filters += outputs) {
      Floats weights[Width];
      for (int i = 0; i < Width; ++i) weights[i] = load(filters + i * kLanes);
#pragma GCC unroll 8
      for (int at = 0; at < kHeld; ++at) {
        const Floats number = all(seen[kStep * at + tap]);
        for (int i = 0; i < Width; ++i) sums[at][i] = fused(number, weights[i], sums[at][i]);
      }
    }
  }
#pragma GCC unroll 8
  for (int at = 0; at < kHeld; ++at, to += outputs * A::kBytes) {
    if (at >= count) break;
    for (int i = 0; i < Width; ++i) {
      A::store(to + i * kLanes * A::kBytes, first(kLanes), sums[at][i], 1);
    }
  }
}

template <typename A, int Width>
void convolve_picture(const Bordered& picture, const float* filters, const WrittenPictures& outputs,
                      std::byte* to) {
  for (std::int64_t y = 0; y < outputs.side; ++y) {
    for (std::int64_t x = 0; x < outputs.side; x += kHeld) {
      std::byte* const pixel = to + (y * outputs.side + x) * outputs.channels * A::kBytes;
      for (std::int64_t output = 0; output < outputs.channels; output += Width * kLanes) {
        convolve_tile<A, Width>(picture.line(2 * y) + kStep * x, picture.row, filters + output,
                                outputs.channels, outputs.side - x, pixel + output * A::kBytes);
      }
    }
  }
}

// Calls function.operator()<A, Width>() for the numbers and channels of maps.
template <typename Byte, typename Function>
void of_maps(const PicturesOf<Byte>& maps, const Function& function) {
  of_numbers(maps.arithmetic, [&]<typename A> {
    if (maps.channels % (2 * kLanes) == 0) return function.template operator()<A, 2>();
    function.template operator()<A, 1>();
  });
}

void convolve_pixels(const BytePictures& pictures, const float* filters,
                     const WrittenPictures& outputs) {
  const Bordered picture(pictures.side);
  std::byte* to = outputs.numbers;
  for (std::int64_t index = 0; index < pictures.count; ++index, to += outputs.picture_bytes()) {
    standardise(pictures, index, picture);
    of_maps(outputs, [&]<typename A, int Width> {
      convolve_picture<A, Width>(picture, filters, outputs, to);
    });
  }
}

// Of so many taps of a row of filters, from the first of `seen` and `to` on.
template <typename A, int Width, int Taps>
DIPTYCH_KERNEL void add_up_taps(const float* seen, std::int64_t row, const Pictures& slopes,
                                const std::byte* slope, float* to) {
  Floats sums[Taps][Width];
  for (int tap = 0; tap < Taps; ++tap) {
    for (int i = 0; i < Width; ++i) sums[tap][i] = all(0);
  }
  for (std::int64_t y = 0; y < slopes.side; ++y, seen += 2 * row) {
    const float* at = seen;
    for (std::int64_t x = 0; x < slopes.side; ++x, at += kStep) {
      Floats those[Width];
      for (int i = 0; i < Width; ++i) {
        those[i] = load_channels<A>(slope + i * kLanes * A::kBytes);
      }
      slope += slopes.channels * A::kBytes;
#pragma GCC unroll 5
      for (int tap = 0; tap < Taps; ++tap) {
        const Floats number = all(at[tap]);
        for (int i = 0; i < Width; ++i) sums[tap][i] = fused(number, those[i], sums[tap][i]);
      }
    }
  }
  for (int tap = 0; tap < Taps; ++tap, to += slopes.channels) {
    for (int i = 0; i < Width; ++i) store(to + i * kLanes, sums[tap][i]);
  }
}

void pixel_gradients(const BytePictures& pictures, const Pictures& slopes, float* sums) {
  constexpr int kFirst = 5;  // of a row's nine taps; as many sums as there are registers for
  const Bordered picture(pictures.side);
  const std::byte* slope = slopes.numbers;
  for (std::int64_t index = 0; index < pictures.count; ++index, slope += slopes.picture_bytes()) {
    standardise(pictures, index, picture);
    of_maps(slopes, [&]<typename A, int Width> {
      for (std::int64_t output = 0; output < slopes.channels; output += Width * kLanes) {
        const std::byte* const those = slope + output * A::kBytes;
        for (int y = 0; y < 3; ++y) {
          const float* const seen = picture.line(y);
          float* const to = sums + y * kWindow * slopes.channels + output;
          add_up_taps<A, Width, kFirst>(seen, picture.row, slopes, those, to);
          add_up_taps<A, Width, kWindow - kFirst>(seen + kFirst, picture.row, slopes, those,
                                                  to + kFirst * slopes.channels);
        }
      }
    });
    sums += 3 * kWindow * slopes.channels;
  }
}

}  // namespace
}  // namespace diptych::DIPTYCH_REGISTERS
