// Registers of 8 numbers (AVX2 with FMA) as packed_kernels.h reads them, and arithmetic on them:
// lanes_avx512.h for most processors in use. bf16 are widened and multiplied as fp32; 8-bit
// integers two and two in 16 bits, which gives the same sums as there, to the bit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>

// Of a function that uses this header.
#define DIPTYCH_AVX2 __attribute__((target("avx2,fma")))
#define DIPTYCH_AVX2_LANES DIPTYCH_AVX2 __attribute__((always_inline)) inline

namespace diptych::avx2 {

using Floats = __m256;
using Words = __m256i;
using Mask = int;  // so many lanes from the first on

constexpr int kLanes = 8;
constexpr int kRegisters = 16;
constexpr int kColumns = 2;  // of a tile of two rows; two registers each are summed together

DIPTYCH_AVX2_LANES Mask first(std::int64_t count) {
  return static_cast<Mask>(count >= kLanes ? kLanes : count <= 0 ? 0 : count);
}
DIPTYCH_AVX2_LANES Words lanes_of(Mask mask) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(mask), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

DIPTYCH_AVX2_LANES Floats all(float value) { return _mm256_set1_ps(value); }
DIPTYCH_AVX2_LANES Floats load(const float* from) { return _mm256_loadu_ps(from); }
// Numbers that lie `step` apart.
DIPTYCH_AVX2_LANES Floats load_apart(const float* from, std::int64_t step) {
  return _mm256_setr_ps(from[0], from[step], from[2 * step], from[3 * step], from[4 * step],
                        from[5 * step], from[6 * step], from[7 * step]);
}
DIPTYCH_AVX2_LANES Floats load(const float* from, Mask mask) {
  return mask == kLanes ? load(from) : _mm256_maskload_ps(from, lanes_of(mask));
}
DIPTYCH_AVX2_LANES void store(float* to, Floats values) { _mm256_storeu_ps(to, values); }
DIPTYCH_AVX2_LANES void store(float* to, Mask mask, Floats values) {
  if (mask == kLanes) return store(to, values);
  _mm256_maskstore_ps(to, lanes_of(mask), values);
}
// Not a number if b is none.
DIPTYCH_AVX2_LANES Floats larger(Floats a, Floats b) { return _mm256_max_ps(a, b); }
DIPTYCH_AVX2_LANES Floats smaller(Floats a, Floats b) { return _mm256_min_ps(a, b); }
DIPTYCH_AVX2_LANES Floats fused(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
DIPTYCH_AVX2_LANES Floats nearest_whole(Floats x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// The result is no subnormal number.
DIPTYCH_AVX2_LANES Floats times_power_of_two(Floats x, Floats whole) {
  const Words exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(whole), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), exponent));
}

DIPTYCH_AVX2_LANES Words all_words(int value) { return _mm256_set1_epi32(value); }
DIPTYCH_AVX2_LANES Words load_words(const std::uint32_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
// In lanes where a equals b `then`, elsewhere what was there.
DIPTYCH_AVX2_LANES Words where_equal(Floats a, Floats b, int then, Words otherwise) {
  const Words equal = _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_EQ_OQ));
  return _mm256_blendv_epi8(otherwise, all_words(then), equal);
}

// Of each word the lower half; words are below 2^16.
DIPTYCH_AVX2_LANES __m128i halves_of(Words words) {
  return _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}
template <int Bytes>  // of a lane
DIPTYCH_AVX2_LANES void store_part(void* to, Mask mask, __m128i lanes) {
  if (mask == kLanes) {
    if constexpr (Bytes == 1) return _mm_storel_epi64(static_cast<__m128i*>(to), lanes);
    if constexpr (Bytes == 2) return _mm_storeu_si128(static_cast<__m128i*>(to), lanes);
  }
  std::uint8_t bytes[sizeof lanes];
  std::memcpy(bytes, &lanes, sizeof lanes);
  std::memcpy(to, bytes, static_cast<std::size_t>(Bytes * mask));
}
template <int Bytes>
DIPTYCH_AVX2_LANES __m128i load_part(const void* from, Mask mask) {
  if (mask == kLanes) {
    if constexpr (Bytes == 1) return _mm_loadl_epi64(static_cast<const __m128i*>(from));
    if constexpr (Bytes == 2) return _mm_loadu_si128(static_cast<const __m128i*>(from));
  }
  std::uint8_t bytes[sizeof(__m128i)] = {};
  std::memcpy(bytes, from, static_cast<std::size_t>(Bytes * mask));
  __m128i lanes;
  std::memcpy(&lanes, bytes, sizeof lanes);
  return lanes;
}
// Of each word, below 256, a byte.
DIPTYCH_AVX2_LANES void store_bytes(void* to, Mask mask, Words words) {
  const __m128i halves = halves_of(words);
  store_part<1>(to, mask, _mm_packus_epi16(halves, halves));
}

// As those of lanes_avx512.h.
struct Fp32 {
  using Sum = Floats;
  static constexpr int kBytes = 4;
  DIPTYCH_AVX2_LANES static Sum dot(Sum sum, Words weights, Words numbers) {
    return _mm256_fmadd_ps(_mm256_castsi256_ps(numbers), _mm256_castsi256_ps(weights), sum);
  }
  DIPTYCH_AVX2_LANES static Floats value(Sum sum, Floats, Floats bias) { return sum + bias; }
  DIPTYCH_AVX2_LANES static void store(void* to, Mask mask, Floats values, float) {
    avx2::store(static_cast<float*>(to), mask, values);
  }
  DIPTYCH_AVX2_LANES static Floats load(const void* from, Mask mask, float) {
    return avx2::load(static_cast<const float*>(from), mask);
  }
};

struct Bf16 {
  using Sum = Floats;
  static constexpr int kBytes = 2;
  DIPTYCH_AVX2_LANES static Floats even(Words pairs) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
  }
  DIPTYCH_AVX2_LANES static Floats odd(Words pairs) {
    return _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32(~0xffff)));
  }
  DIPTYCH_AVX2_LANES static Sum dot(Sum sum, Words weights, Words numbers) {
    return _mm256_fmadd_ps(odd(numbers), odd(weights),
                           _mm256_fmadd_ps(even(numbers), even(weights), sum));
  }
  DIPTYCH_AVX2_LANES static Floats value(Sum sum, Floats, Floats bias) { return sum + bias; }
  // To the nearest, ties to even; what arithmetic gives as not a number stays none.
  DIPTYCH_AVX2_LANES static void store(void* to, Mask mask, Floats values, float) {
    const Words bits = _mm256_castps_si256(values);
    const Words last = _mm256_and_si256(_mm256_srli_epi32(bits, 16), all_words(1));
    const Words rounded = _mm256_add_epi32(_mm256_add_epi32(bits, all_words(0x7fff)), last);
    store_part<2>(to, mask, halves_of(_mm256_srli_epi32(rounded, 16)));
  }
  DIPTYCH_AVX2_LANES static Floats load(const void* from, Mask mask, float) {
    return even(_mm256_cvtepu16_epi32(load_part<2>(from, mask)));
  }
};

struct Int8 {
  using Sum = Words;
  static constexpr int kBytes = 1;
  DIPTYCH_AVX2_LANES static Sum dot(Sum sum, Words weights, Words numbers) {
    const Words even_weights = _mm256_srai_epi16(_mm256_slli_epi16(weights, 8), 8);
    const Words odd_weights = _mm256_srai_epi16(weights, 8);
    const Words even = _mm256_and_si256(numbers, _mm256_set1_epi16(0xff));
    const Words odd = _mm256_srli_epi16(numbers, 8);
    return _mm256_add_epi32(_mm256_add_epi32(sum, _mm256_madd_epi16(even, even_weights)),
                            _mm256_madd_epi16(odd, odd_weights));
  }
  DIPTYCH_AVX2_LANES static Floats value(Sum sum, Floats scale, Floats bias) {
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), scale, bias);
  }
  DIPTYCH_AVX2_LANES static void store(void* to, Mask mask, Floats values, float scale) {
    constexpr int kLargest = 255;
    const Words steps = _mm256_cvtps_epi32(values * _mm256_set1_ps(scale));
    const Words positive = _mm256_max_epi32(steps, _mm256_setzero_si256());
    store_bytes(to, mask, _mm256_min_epi32(positive, all_words(kLargest)));
  }
  DIPTYCH_AVX2_LANES static Floats load(const void* from, Mask mask, float scale) {
    const Words steps = _mm256_cvtepu8_epi32(load_part<1>(from, mask));
    return _mm256_cvtepi32_ps(steps) * _mm256_set1_ps(1 / scale);
  }
};

}  // namespace diptych::avx2
#endif
