// Registers as packed_kernels.h reads them, in plain C++ and of the shape of lanes_avx512.h: what
// those of processors are held against, wherever the tests run.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace diptych::plain {

constexpr int kLanes = 16;
constexpr int kRegisters = 32;
constexpr int kColumns = 4;

struct Floats {
  float lanes[kLanes];
};
struct Words {
  std::int32_t lanes[kLanes];
};
using Mask = int;  // so many lanes from the first on

template <typename Work>
Floats each(const Work& work) {
  Floats result{};
  for (int lane = 0; lane < kLanes; ++lane) result.lanes[lane] = work(lane);
  return result;
}

inline Mask first(std::int64_t count) {
  return static_cast<Mask>(std::clamp<std::int64_t>(count, 0, kLanes));
}
inline Floats all(float value) {
  return each([&](int) { return value; });
}
inline Floats load(const float* from, Mask mask = kLanes) {
  return each([&](int lane) { return lane < mask ? from[lane] : 0; });
}
inline Floats load_apart(const float* from, std::int64_t step) {
  return each([&](int lane) { return from[lane * step]; });
}
inline void store(float* to, Mask mask, const Floats& values) {
  std::copy_n(values.lanes, mask, to);
}
inline void store(float* to, const Floats& values) { store(to, kLanes, values); }

#define DIPTYCH_EACH(name, formula)                             \
  inline Floats name(const Floats& left, const Floats& right) { \
    return each([&](int lane) {                                 \
      const float a = left.lanes[lane], b = right.lanes[lane];  \
      return formula;                                           \
    });                                                         \
  }
DIPTYCH_EACH(operator+, a + b)
DIPTYCH_EACH(operator-, a - b)
DIPTYCH_EACH(operator*, a* b)
DIPTYCH_EACH(operator/, a / b)
DIPTYCH_EACH(larger, a > b ? a : b)
DIPTYCH_EACH(smaller, a < b ? a : b)
DIPTYCH_EACH(times_power_of_two, std::ldexp(a, static_cast<int>(b)))
#undef DIPTYCH_EACH
inline Floats operator-(const Floats& x) { return all(0) - x; }
inline Floats operator*(float factor, const Floats& x) { return all(factor) * x; }
inline Floats operator-(const Floats& x, float less) { return x - all(less); }
inline Floats& operator+=(Floats& sum, const Floats& x) { return sum = sum + x; }
inline Floats fused(const Floats& a, const Floats& b, const Floats& c) {
  return each([&](int i) { return std::fma(a.lanes[i], b.lanes[i], c.lanes[i]); });
}
inline Floats nearest_whole(const Floats& x) {
  return each([&](int lane) { return std::nearbyint(x.lanes[lane]); });
}

inline Words all_words(std::int32_t value) {
  Words words{};
  std::fill_n(words.lanes, kLanes, value);
  return words;
}
inline Words load_words(const std::uint32_t* from) {
  Words words{};
  std::memcpy(words.lanes, from, sizeof words.lanes);
  return words;
}
inline Words where_equal(const Floats& a, const Floats& b, int then, Words otherwise) {
  for (int i = 0; i < kLanes; ++i) {
    if (a.lanes[i] == b.lanes[i]) otherwise.lanes[i] = then;
  }
  return otherwise;
}
inline void store_bytes(void* to, Mask mask, const Words& words) {
  std::copy_n(words.lanes, mask, static_cast<std::uint8_t*>(to));
}

// The numbers of each group of 32 bits, one after the other, of one operand and the other.
template <typename Number, typename Sum, typename Other = Number>
Sum added_products(Sum sum, const Words& weights, const Words& numbers) {
  constexpr int kNumbers = 4 / sizeof(Number);
  for (int lane = 0; lane < kLanes; ++lane) {
    Number these[kNumbers];
    Other those[kNumbers];
    std::memcpy(these, &weights.lanes[lane], sizeof these);
    std::memcpy(those, &numbers.lanes[lane], sizeof those);
    for (int i = 0; i < kNumbers; ++i) {
      if constexpr (sizeof(Number) == sizeof(float)) {
        sum.lanes[lane] = std::fma(these[i], those[i], sum.lanes[lane]);
      } else {
        sum.lanes[lane] += these[i] * those[i];
      }
    }
  }
  return sum;
}

struct Fp32 {
  using Sum = Floats;
  static constexpr int kBytes = 4;
  static Sum dot(const Sum& sum, const Words& weights, const Words& numbers) {
    return added_products<float>(sum, weights, numbers);
  }
  static Floats value(const Sum& sum, const Floats&, const Floats& bias) { return sum + bias; }
  static void store(void* to, Mask mask, const Floats& values, float) {
    plain::store(static_cast<float*>(to), mask, values);
  }
  static Floats load(const void* from, Mask mask, float) {
    return plain::load(static_cast<const float*>(from), mask);
  }
};

struct Bf16 {
  using Sum = Floats;
  static constexpr int kBytes = 2;
  static float wide(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
  static Sum dot(Sum sum, const Words& weights, const Words& numbers) {
    for (int lane = 0; lane < kLanes; ++lane) {
      std::uint16_t these[2], those[2];
      std::memcpy(these, &weights.lanes[lane], sizeof these);
      std::memcpy(those, &numbers.lanes[lane], sizeof those);
      for (int i = 0; i < 2; ++i) sum.lanes[lane] += wide(these[i]) * wide(those[i]);
    }
    return sum;
  }
  static Floats value(const Sum& sum, const Floats&, const Floats& bias) { return sum + bias; }
  static void store(void* to, Mask mask, const Floats& values, float) {
    for (int lane = 0; lane < mask; ++lane) {
      const auto bits = std::bit_cast<std::uint32_t>(values.lanes[lane]);
      static_cast<std::uint16_t*>(to)[lane] =
          static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }
  }
  static Floats load(const void* from, Mask mask, float) {
    return each([&](int lane) {
      return lane < mask ? wide(static_cast<const std::uint16_t*>(from)[lane]) : 0;
    });
  }
};

struct Int8 {
  using Sum = Words;
  static constexpr int kBytes = 1;
  static Sum dot(const Sum& sum, const Words& weights, const Words& numbers) {
    return added_products<std::int8_t, Sum, std::uint8_t>(sum, weights, numbers);
  }
  static Floats value(const Sum& sum, const Floats& scale, const Floats& bias) {
    return each([&](int lane) {
      return std::fma(static_cast<float>(sum.lanes[lane]), scale.lanes[lane], bias.lanes[lane]);
    });
  }
  static void store(void* to, Mask mask, const Floats& values, float scale) {
    constexpr float kLargest = 255;
    for (int lane = 0; lane < mask; ++lane) {
      const float steps = std::nearbyint(values.lanes[lane] * scale);
      static_cast<std::uint8_t*>(to)[lane] =
          static_cast<std::uint8_t>(std::clamp(steps, 0.0F, kLargest));
    }
  }
  static Floats load(const void* from, Mask mask, float scale) {
    return each([&](int lane) {
      return lane < mask ? static_cast<const std::uint8_t*>(from)[lane] * (1 / scale) : 0;
    });
  }
};

}  // namespace diptych::plain
