// Registers of 16 numbers (AVX-512 with BF16 and VNNI) as packed_kernels.h reads them, and
// arithmetic on them. Numbers are multiplied in groups of 32 bits, one fp32, two bf16 or four 8-bit
// integers, each group with one of the other operand: that is all in which the three differ.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>

// Of a function that uses this header.
#define DIPTYCH_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16")))
#define DIPTYCH_AVX512_LANES DIPTYCH_AVX512 __attribute__((always_inline)) inline

namespace diptych::avx512 {

using Floats = __m512;
using Words = __m512i;
using Mask = __mmask16;

constexpr int kLanes = 16;
constexpr int kRegisters = 32;
constexpr int kColumns = 4;  // of a tile of two rows; two registers each are summed together
// With a mask, as without one this compiler warns of what the intrinsic leaves undefined.
constexpr Mask kAll = 0xffff;

DIPTYCH_AVX512_LANES Mask first(std::int64_t count) {
  return static_cast<Mask>(count >= kLanes ? 0xffff : count <= 0 ? 0 : (1U << count) - 1);
}

DIPTYCH_AVX512_LANES Floats all(float value) { return _mm512_set1_ps(value); }
DIPTYCH_AVX512_LANES Floats load(const float* from) { return _mm512_loadu_ps(from); }
// Numbers that lie `step` apart.
DIPTYCH_AVX512_LANES Floats load_apart(const float* from, std::int64_t step) {
  const auto lanes = [&](const float* at) DIPTYCH_AVX512 {
    return _mm256_setr_ps(at[0], at[step], at[2 * step], at[3 * step], at[4 * step], at[5 * step],
                          at[6 * step], at[7 * step]);
  };
  return _mm512_insertf32x8(_mm512_castps256_ps512(lanes(from)), lanes(from + 8 * step), 1);
}
DIPTYCH_AVX512_LANES Floats load(const float* from, Mask mask) {
  return _mm512_maskz_loadu_ps(mask, from);
}
DIPTYCH_AVX512_LANES void store(float* to, Floats values) { _mm512_storeu_ps(to, values); }
DIPTYCH_AVX512_LANES void store(float* to, Mask mask, Floats values) {
  _mm512_mask_storeu_ps(to, mask, values);
}
// Not a number if b is none.
DIPTYCH_AVX512_LANES Floats larger(Floats a, Floats b) { return _mm512_maskz_max_ps(kAll, a, b); }
DIPTYCH_AVX512_LANES Floats smaller(Floats a, Floats b) { return _mm512_maskz_min_ps(kAll, a, b); }
DIPTYCH_AVX512_LANES Floats fused(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
DIPTYCH_AVX512_LANES Floats nearest_whole(Floats x) {
  return _mm512_maskz_roundscale_ps(kAll, x, 0);
}
DIPTYCH_AVX512_LANES Floats times_power_of_two(Floats x, Floats whole) {
  return _mm512_maskz_scalef_ps(kAll, x, whole);
}

DIPTYCH_AVX512_LANES Words all_words(int value) { return _mm512_set1_epi32(value); }
DIPTYCH_AVX512_LANES Words load_words(const std::uint32_t* from) {
  return _mm512_loadu_si512(from);
}
// In lanes where a equals b `then`, elsewhere what was there.
DIPTYCH_AVX512_LANES Words where_equal(Floats a, Floats b, int then, Words otherwise) {
  return _mm512_mask_mov_epi32(otherwise, _mm512_cmpeq_ps_mask(a, b), all_words(then));
}
// Of each word the lowest byte.
DIPTYCH_AVX512_LANES void store_bytes(void* to, Mask mask, Words words) {
  _mm_mask_storeu_epi8(to, mask, _mm512_maskz_cvtepi32_epi8(kAll, words));
}

// Each has: Sum; dot(sum, weights, numbers); value(sum, scale, bias) as fp32; and how fp32 are
// stored as numbers of a map and read back, where `scale` is the map's (int8: steps for each 1).
struct Fp32 {
  using Sum = Floats;
  static constexpr int kBytes = 4;
  DIPTYCH_AVX512_LANES static Sum dot(Sum sum, Words weights, Words numbers) {
    return _mm512_fmadd_ps(_mm512_castsi512_ps(numbers), _mm512_castsi512_ps(weights), sum);
  }
  DIPTYCH_AVX512_LANES static Floats value(Sum sum, Floats, Floats bias) { return sum + bias; }
  DIPTYCH_AVX512_LANES static void store(void* to, Mask mask, Floats values, float) {
    _mm512_mask_storeu_ps(to, mask, values);
  }
  DIPTYCH_AVX512_LANES static Floats load(const void* from, Mask mask, float) {
    return _mm512_maskz_loadu_ps(mask, from);
  }
};

struct Bf16 {
  using Sum = Floats;
  static constexpr int kBytes = 2;
  DIPTYCH_AVX512_LANES static Sum dot(Sum sum, Words weights, Words numbers) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(weights),
                            reinterpret_cast<__m512bh>(numbers));
  }
  DIPTYCH_AVX512_LANES static Floats value(Sum sum, Floats, Floats bias) { return sum + bias; }
  DIPTYCH_AVX512_LANES static void store(void* to, Mask mask, Floats values, float) {
    _mm256_mask_storeu_epi16(to, mask, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(values)));
  }
  DIPTYCH_AVX512_LANES static Floats load(const void* from, Mask mask, float) {
    const Words wide = _mm512_maskz_cvtepu16_epi32(kAll, _mm256_maskz_loadu_epi16(mask, from));
    return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(kAll, wide, 16));
  }
};

struct Int8 {
  using Sum = Words;
  static constexpr int kBytes = 1;
  DIPTYCH_AVX512_LANES static Sum dot(Sum sum, Words weights, Words numbers) {
    return _mm512_dpbusd_epi32(sum, numbers, weights);
  }
  DIPTYCH_AVX512_LANES static Floats value(Sum sum, Floats scale, Floats bias) {
    return _mm512_fmadd_ps(_mm512_maskz_cvtepi32_ps(kAll, sum), scale, bias);
  }
  DIPTYCH_AVX512_LANES static void store(void* to, Mask mask, Floats values, float scale) {
    const Words steps = _mm512_maskz_cvtps_epi32(kAll, values * _mm512_set1_ps(scale));
    const Words positive = _mm512_maskz_max_epi32(kAll, steps, _mm512_setzero_si512());
    _mm_mask_storeu_epi8(to, mask, _mm512_maskz_cvtusepi32_epi8(kAll, positive));
  }
  DIPTYCH_AVX512_LANES static Floats load(const void* from, Mask mask, float scale) {
    const Words steps = _mm512_maskz_cvtepu8_epi32(kAll, _mm_maskz_loadu_epi8(mask, from));
    return _mm512_maskz_cvtepi32_ps(kAll, steps) * _mm512_set1_ps(1 / scale);
  }
};

}  // namespace diptych::avx512
#endif
