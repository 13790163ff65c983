// Registers of AVX2.
#pragma once

#include <immintrin.h>

#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "simd/half.hpp"
#include "simd/processor.hpp"
#include "simd/table.hpp"

namespace fastact::simd {

/// AVX2 with FMA3 and F16C.
struct Avx2 {
  static constexpr std::string_view name = "avx2";
  static constexpr std::size_t registers = 2;
  static bool supported() { return has_avx2(); }

  template <class T>
  using Register = std::conditional_t<std::is_same_v<T, float>, __m256, __m256d>;
  template <class T>
  using Mask = Register<T>;
  template <class T>
  static constexpr std::size_t size = 32 / sizeof(T);

  static __m256 broadcast(float x) { return _mm256_set1_ps(x); }
  static __m256d broadcast(double x) { return _mm256_set1_pd(x); }

  static __m256i first(const float*, std::size_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static __m256i first(const double*, std::size_t count) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(static_cast<long long>(count)), _mm256_setr_epi64x(0, 1, 2, 3));
  }
  static __m256 load(const float* p) { return _mm256_loadu_ps(p); }
  static __m256d load(const double* p) { return _mm256_loadu_pd(p); }
  static __m256d load_double(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
  static void store_single(float* p, __m256d v) { _mm_storeu_ps(p, _mm256_cvtpd_ps(v)); }
  static __m256 load(const float* p, std::size_t count) { return _mm256_maskload_ps(p, first(p, count)); }
  static __m256d load(const double* p, std::size_t count) { return _mm256_maskload_pd(p, first(p, count)); }
  static void store(float* p, __m256 v) { _mm256_storeu_ps(p, v); }
  static void store(double* p, __m256d v) { _mm256_storeu_pd(p, v); }
  static void store(float* p, __m256 v, std::size_t count) { _mm256_maskstore_ps(p, first(p, count), v); }
  static void store(double* p, __m256d v, std::size_t count) { _mm256_maskstore_pd(p, first(p, count), v); }

  static void stream(float* p, __m256 v) { _mm256_stream_ps(p, v); }
  static void stream(double* p, __m256d v) { _mm256_stream_pd(p, v); }
  static void end_stream() { _mm_sfence(); }

  template <HalfPrecision S>
  static __m256 load(const S* p) {
    return widen(p, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  template <HalfPrecision S>
  static void store(S* p, __m256 v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), narrow(p, v));
  }
  // AVX2 has masked access only for elements of 32 and 64 bits; a partial vector is copied through a buffer.
  template <HalfPrecision S>
  static __m256 load(const S* p, std::size_t count) {
    S buffer[size<float>] = {};
    std::memcpy(buffer, p, count * sizeof(S));
    return load(buffer);
  }
  template <HalfPrecision S>
  static void store(S* p, __m256 v, std::size_t count) {
    S buffer[size<float>];
    store(buffer, v);
    std::memcpy(p, buffer, count * sizeof(S));
  }
  static __m256 widen(const Half*, __m128i h) { return _mm256_cvtph_ps(h); }
  static __m128i narrow(const Half*, __m256 v) { return _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT); }
  static __m256 widen(const Bfloat16*, __m128i h) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
  }
  static __m128i narrow(const Bfloat16*, __m256 v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i upper = _mm256_srli_epi32(_mm256_blendv_epi8(quiet, rounded, _mm256_castps_si256(equal(v, v))), 16);
    return _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256(upper, 1));
  }

  static __m256 fma(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
  static __m256d fma(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
  static __m256 max(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
  static __m256d max(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }
  static __m256 min(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
  static __m256d min(__m256d a, __m256d b) { return _mm256_min_pd(a, b); }
  static __m256 abs(__m256 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), x); }
  static __m256d abs(__m256d x) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), x); }
  static __m256 sqrt(__m256 x) { return _mm256_sqrt_ps(x); }
  static __m256d sqrt(__m256d x) { return _mm256_sqrt_pd(x); }
  static __m256 copysign(__m256 x, __m256 sign) {
    return _mm256_or_ps(abs(x), _mm256_and_ps(_mm256_set1_ps(-0.0F), sign));
  }
  static __m256d copysign(__m256d x, __m256d sign) {
    return _mm256_or_pd(abs(x), _mm256_and_pd(_mm256_set1_pd(-0.0), sign));
  }
  template <int bits>
  static __m256 shift_left(__m256 x) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x), bits));
  }
  template <int bits>
  static __m256d shift_left(__m256d x) {
    return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(x), bits));
  }

  static __m256d lower_product(__m256d a, __m256d b) {
    return _mm256_castsi256_pd(_mm256_mul_epu32(_mm256_castpd_si256(a), _mm256_castpd_si256(b)));
  }

  // Compared by operators: GCC would test the lanes of a mask from an intrinsic once more before it selects by them.
  static __m256 less(__m256 a, __m256 b) { return std::bit_cast<__m256>(a < b); }
  static __m256d less(__m256d a, __m256d b) { return std::bit_cast<__m256d>(a < b); }
  static __m256 less_equal(__m256 a, __m256 b) { return std::bit_cast<__m256>(a <= b); }
  static __m256d less_equal(__m256d a, __m256d b) { return std::bit_cast<__m256d>(a <= b); }
  static __m256 equal(__m256 a, __m256 b) { return std::bit_cast<__m256>(a == b); }
  static __m256d equal(__m256d a, __m256d b) { return std::bit_cast<__m256d>(a == b); }
  static __m256 select(__m256 m, __m256 a, __m256 b) { return _mm256_blendv_ps(b, a, m); }
  static __m256d select(__m256d m, __m256d a, __m256d b) { return _mm256_blendv_pd(b, a, m); }
  static bool all(__m256 m) { return _mm256_movemask_ps(m) == 0xFF; }
  static bool all(__m256d m) { return _mm256_movemask_pd(m) == 0xF; }

  static __m256 lookup(const Eight& table, __m256 i) { return eight(table.numbers, i); }
  static __m256 lookup(const Sixteen& table, __m256 i) {
    return select(shift_left<28>(i), eight(table.numbers + 8, i), eight(table.numbers, i));
  }
  /// A permutation with an operand in memory takes twice as long as two instructions on Zen 3, so the compiler must not
  /// combine them.
  static __m256 eight(const float* numbers, __m256 i) {
    __m256 table = _mm256_load_ps(numbers);
    asm("" : "+x"(table));
    return _mm256_permutevar8x32_ps(table, _mm256_castps_si256(i));
  }

  template <std::size_t distance>
  static __m256 swap(__m256 x) {
    if constexpr (distance == 4) return _mm256_permute2f128_ps(x, x, 1);
    return _mm256_permute_ps(x, distance == 2 ? 0x4E : 0xB1);
  }
  template <std::size_t distance>
  static __m256d swap(__m256d x) {
    if constexpr (distance == 2) return _mm256_permute2f128_pd(x, x, 1);
    return _mm256_permute_pd(x, 0x5);
  }
};

}  // namespace fastact::simd
