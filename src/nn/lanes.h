// Arithmetic on registers of 16 sums (AVX-512) for what a trained network answers with. Numbers are
// multiplied in groups of 32 bits, one fp32, two bf16 or four 8-bit integers, each group with one
// of the other operand: that is all in which the three differ. Included by packed_*.cpp alone.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>

// Of a function that uses this header; it may be called where packs_here().
#define DIPTYCH_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16")))
#define DIPTYCH_LANES DIPTYCH_AVX512 __attribute__((always_inline)) inline

namespace diptych::lanes {

constexpr int kLanes = 16;
constexpr int kBlock = 32;  // outputs that are summed together: two registers
constexpr int kTile = 8;    // positions or rows that are summed together
// With a mask, as without one this compiler warns of what the intrinsic leaves undefined.
constexpr __mmask16 kAll = 0xffff;

DIPTYCH_LANES __m512 larger(__m512 a, __m512 b) { return _mm512_maskz_max_ps(kAll, a, b); }

DIPTYCH_LANES __mmask16 first(std::int64_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffff : count <= 0 ? 0 : (1U << count) - 1);
}

// Each has: Sum; dot(sum, weights, numbers); value(sum, scale, bias) as fp32; and how fp32 are
// stored as numbers of a map and read back, where `scale` is the map's (int8: steps for each 1).
struct Fp32 {
  using Sum = __m512;
  static constexpr int kBytes = 4;
  DIPTYCH_LANES static Sum dot(Sum sum, __m512i weights, __m512i numbers) {
    return _mm512_fmadd_ps(_mm512_castsi512_ps(numbers), _mm512_castsi512_ps(weights), sum);
  }
  DIPTYCH_LANES static __m512 value(Sum sum, __m512, __m512 bias) { return sum + bias; }
  DIPTYCH_LANES static void store(void* to, __mmask16 mask, __m512 values, float) {
    _mm512_mask_storeu_ps(to, mask, values);
  }
  DIPTYCH_LANES static __m512 load(const void* from, __mmask16 mask, float) {
    return _mm512_maskz_loadu_ps(mask, from);
  }
};

struct Bf16 {
  using Sum = __m512;
  static constexpr int kBytes = 2;
  DIPTYCH_LANES static Sum dot(Sum sum, __m512i weights, __m512i numbers) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(weights),
                            reinterpret_cast<__m512bh>(numbers));
  }
  DIPTYCH_LANES static __m512 value(Sum sum, __m512, __m512 bias) { return sum + bias; }
  DIPTYCH_LANES static void store(void* to, __mmask16 mask, __m512 values, float) {
    _mm256_mask_storeu_epi16(to, mask, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(values)));
  }
  DIPTYCH_LANES static __m512 load(const void* from, __mmask16 mask, float) {
    const __m512i wide = _mm512_maskz_cvtepu16_epi32(kAll, _mm256_maskz_loadu_epi16(mask, from));
    return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(kAll, wide, 16));
  }
};

struct Int8 {
  using Sum = __m512i;
  static constexpr int kBytes = 1;
  DIPTYCH_LANES static Sum dot(Sum sum, __m512i weights, __m512i numbers) {
    return _mm512_dpbusd_epi32(sum, numbers, weights);
  }
  DIPTYCH_LANES static __m512 value(Sum sum, __m512 scale, __m512 bias) {
    return _mm512_fmadd_ps(_mm512_maskz_cvtepi32_ps(kAll, sum), scale, bias);
  }
  DIPTYCH_LANES static void store(void* to, __mmask16 mask, __m512 values, float scale) {
    const __m512i steps = _mm512_maskz_cvtps_epi32(kAll, values * _mm512_set1_ps(scale));
    const __m512i positive = _mm512_maskz_max_epi32(kAll, steps, _mm512_setzero_si512());
    _mm_mask_storeu_epi8(to, mask, _mm512_maskz_cvtusepi32_epi8(kAll, positive));
  }
  DIPTYCH_LANES static __m512 load(const void* from, __mmask16 mask, float scale) {
    const __m512i steps = _mm512_maskz_cvtepu8_epi32(kAll, _mm_maskz_loadu_epi8(mask, from));
    return _mm512_maskz_cvtepi32_ps(kAll, steps) * _mm512_set1_ps(1 / scale);
  }
};

DIPTYCH_LANES __m512i everywhere(const std::byte* group) {
  int bits = 0;
  std::memcpy(&bits, group, sizeof bits);
  return _mm512_set1_epi32(bits);
}

// Adds, for each of Rows runs of groups that begin at `from`, the products with the weights of one
// block of outputs, [steps, kBlock].
template <class A, int Rows>
DIPTYCH_LANES void accumulate(typename A::Sum (&sums)[Rows][2], const std::byte* const* from,
                              const std::uint32_t* weights, std::int64_t steps) {
  const std::byte* at[Rows];
  for (int row = 0; row < Rows; ++row) at[row] = from[row];
  for (std::int64_t step = 0; step < steps; ++step, weights += kBlock) {
    const __m512i low = _mm512_loadu_si512(weights), high = _mm512_loadu_si512(weights + kLanes);
#pragma GCC unroll 8
    for (int row = 0; row < Rows; ++row) {
      const __m512i numbers = everywhere(at[row] + 4 * step);
      sums[row][0] = A::dot(sums[row][0], low, numbers);
      sums[row][1] = A::dot(sums[row][1], high, numbers);
    }
  }
}

// e to the power of x, within 2 units of the last place for what fp32 can hold.
DIPTYCH_LANES __m512 exponential(__m512 x) {
  x = larger(_mm512_maskz_min_ps(kAll, x, _mm512_set1_ps(88.0F)), _mm512_set1_ps(-87.0F));
  const __m512 whole = _mm512_maskz_roundscale_ps(kAll, x * _mm512_set1_ps(1.44269504F), 0);
  const __m512 rest = _mm512_fnmadd_ps(whole, _mm512_set1_ps(-2.12194440e-4F),
                                       _mm512_fnmadd_ps(whole, _mm512_set1_ps(0.693359375F), x));
  constexpr float kTaylor[] = {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1, 1};
  __m512 sum = _mm512_set1_ps(1.0F / 5040);
  for (const float term : kTaylor) sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(term));
  return _mm512_maskz_scalef_ps(kAll, sum, whole);
}

DIPTYCH_LANES __m512 sigmoid(__m512 x) {
  const __m512 one = _mm512_set1_ps(1);
  return one / (one + exponential(-x));
}

DIPTYCH_LANES __m512 tanh(__m512 x) { return 2 * sigmoid(2 * x) - 1; }

}  // namespace diptych::lanes
#endif
