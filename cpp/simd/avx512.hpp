// Registers of AVX-512.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <string_view>
#include <type_traits>

#include "simd/half.hpp"
#include "simd/processor.hpp"
#include "simd/table.hpp"

namespace fastact::simd {

struct Avx512 {
  static constexpr std::string_view name = "avx512";
  static constexpr std::size_t registers = 2;
  static bool supported() { return has_avx512(); }

  template <class T>
  using Register = std::conditional_t<std::is_same_v<T, float>, __m512, __m512d>;
  template <class T>
  using Mask = std::conditional_t<std::is_same_v<T, float>, __mmask16, __mmask8>;
  template <class T>
  static constexpr std::size_t size = 64 / sizeof(T);

  static __m512 broadcast(float x) { return _mm512_set1_ps(x); }
  static __m512d broadcast(double x) { return _mm512_set1_pd(x); }

  template <class T>
  static Mask<T> first(std::size_t count) {
    return static_cast<Mask<T>>((1ULL << count) - 1U);
  }
  static __m512 load(const float* p) { return _mm512_loadu_ps(p); }
  static __m512d load(const double* p) { return _mm512_loadu_pd(p); }
  static __m512d load_double(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
  static void store_single(float* p, __m512d v) { _mm256_storeu_ps(p, _mm512_cvtpd_ps(v)); }
  static __m512 load(const float* p, std::size_t count) { return _mm512_maskz_loadu_ps(first<float>(count), p); }
  static __m512d load(const double* p, std::size_t count) { return _mm512_maskz_loadu_pd(first<double>(count), p); }
  static void store(float* p, __m512 v) { _mm512_storeu_ps(p, v); }
  static void store(double* p, __m512d v) { _mm512_storeu_pd(p, v); }
  static void store(float* p, __m512 v, std::size_t count) { _mm512_mask_storeu_ps(p, first<float>(count), v); }
  static void store(double* p, __m512d v, std::size_t count) { _mm512_mask_storeu_pd(p, first<double>(count), v); }

  static void stream(float* p, __m512 v) { _mm512_stream_ps(p, v); }
  static void stream(double* p, __m512d v) { _mm512_stream_pd(p, v); }
  static void end_stream() { _mm_sfence(); }

  template <HalfPrecision S>
  static __m512 load(const S* p) {
    return widen(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  template <HalfPrecision S>
  static __m512 load(const S* p, std::size_t count) {
    return widen(p, _mm256_maskz_loadu_epi16(first<float>(count), p));
  }
  template <HalfPrecision S>
  static void store(S* p, __m512 v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(p, v));
  }
  template <HalfPrecision S>
  static void store(S* p, __m512 v, std::size_t count) {
    _mm256_mask_storeu_epi16(p, first<float>(count), narrow(p, v));
  }
  static __m512 widen(const Half*, __m256i h) { return _mm512_cvtph_ps(h); }
  static __m256i narrow(const Half*, __m512 v) { return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT); }
  static __m512 widen(const Bfloat16*, __m256i h) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
  }
  // The processor's instruction for this conversion would flush subnormal numbers to zero.
  static __m256i narrow(const Bfloat16*, __m512 v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_blend_epi32(equal(v, v), quiet, rounded), 16));
  }

  static __m512 fma(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
  static __m512d fma(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
  static __m512 max(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
  static __m512d max(__m512d a, __m512d b) { return _mm512_max_pd(a, b); }
  static __m512 min(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
  static __m512d min(__m512d a, __m512d b) { return _mm512_min_pd(a, b); }
  static __m512 abs(__m512 x) { return _mm512_abs_ps(x); }
  static __m512d abs(__m512d x) { return _mm512_abs_pd(x); }
  static __m512 sqrt(__m512 x) { return _mm512_sqrt_ps(x); }
  static __m512d sqrt(__m512d x) { return _mm512_sqrt_pd(x); }
  static __m512 copysign(__m512 x, __m512 sign) {
    const __m512 bit = _mm512_set1_ps(-0.0F);
    return _mm512_or_ps(_mm512_andnot_ps(bit, x), _mm512_and_ps(bit, sign));
  }
  static __m512d copysign(__m512d x, __m512d sign) {
    const __m512d bit = _mm512_set1_pd(-0.0);
    return _mm512_or_pd(_mm512_andnot_pd(bit, x), _mm512_and_pd(bit, sign));
  }
  template <int bits>
  static __m512 shift_left(__m512 x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(x), bits));
  }
  template <int bits>
  static __m512d shift_left(__m512d x) {
    return _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(x), bits));
  }

  static __m512d lower_product(__m512d a, __m512d b) {
    return _mm512_castsi512_pd(_mm512_mul_epu32(_mm512_castpd_si512(a), _mm512_castpd_si512(b)));
  }

  static __mmask16 less(__m512 a, __m512 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static __mmask8 less(__m512d a, __m512d b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
  static __mmask16 less_equal(__m512 a, __m512 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
  static __mmask8 less_equal(__m512d a, __m512d b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
  static __mmask16 equal(__m512 a, __m512 b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
  static __mmask8 equal(__m512d a, __m512d b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
  static __m512 select(__mmask16 m, __m512 a, __m512 b) { return _mm512_mask_blend_ps(m, b, a); }
  static __m512d select(__mmask8 m, __m512d a, __m512d b) { return _mm512_mask_blend_pd(m, b, a); }
  static bool all(__mmask16 m) { return m == 0xFFFF; }
  static bool all(__mmask8 m) { return m == 0xFF; }

  template <class Table>
  static __m512 lookup(const Table& table, __m512 i) {
    return _mm512_permutexvar_ps(_mm512_castps_si512(i), _mm512_load_ps(table.numbers));
  }

  template <std::size_t distance>
  static __m512 swap(__m512 x) {
    if constexpr (distance >= 4) return _mm512_shuffle_f32x4(x, x, distance == 8 ? 0x4E : 0xB1);
    return _mm512_permute_ps(x, distance == 2 ? 0x4E : 0xB1);
  }
  template <std::size_t distance>
  static __m512d swap(__m512d x) {
    if constexpr (distance >= 2) return _mm512_shuffle_f64x2(x, x, distance == 4 ? 0x4E : 0xB1);
    return _mm512_permute_pd(x, 0x55);
  }
};

}  // namespace fastact::simd
