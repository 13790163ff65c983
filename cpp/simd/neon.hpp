// Registers of NEON.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "simd/half.hpp"
#include "simd/table.hpp"

namespace fastact::simd {

/// The SIMD unit of every aarch64 processor.
struct Neon {
  static constexpr std::string_view name = "neon";
  static constexpr std::size_t registers = 4;
  static bool supported() { return true; }

  template <class T>
  using Register = std::conditional_t<std::is_same_v<T, float>, float32x4_t, float64x2_t>;
  template <class T>
  using Mask = std::conditional_t<std::is_same_v<T, float>, uint32x4_t, uint64x2_t>;
  template <class T>
  static constexpr std::size_t size = 16 / sizeof(T);

  static float32x4_t broadcast(float x) { return vdupq_n_f32(x); }
  static float64x2_t broadcast(double x) { return vdupq_n_f64(x); }

  static float32x4_t load(const float* p) { return vld1q_f32(p); }
  static float64x2_t load(const double* p) { return vld1q_f64(p); }
  static float64x2_t load_double(const float* p) { return vcvt_f64_f32(vld1_f32(p)); }
  static void store_single(float* p, float64x2_t v) { vst1_f32(p, vcvt_f32_f64(v)); }
  // NEON has no masked access; a partial vector is copied through a buffer.
  template <class S>
  static auto load(const S* p, std::size_t count) {
    S buffer[size<S>] = {};
    std::memcpy(buffer, p, count * sizeof(S));
    return load(buffer);
  }
  static void store(float* p, float32x4_t v) { vst1q_f32(p, v); }
  static void store(double* p, float64x2_t v) { vst1q_f64(p, v); }
  template <class S, class R>
  static void store(S* p, R v, std::size_t count) {
    S buffer[size<S>];
    store(buffer, v);
    std::memcpy(p, buffer, count * sizeof(S));
  }

  // There is no non-temporal store that every compiler offers as an intrinsic.
  template <class S, class R>
  static void stream(S* p, R v) {
    store(p, v);
  }
  static void end_stream() {}

  static float32x4_t load(const Half* p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(&p->bits))); }
  static void store(Half* p, float32x4_t v) { vst1_u16(&p->bits, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
  static float32x4_t load(const Bfloat16* p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(&p->bits), 16)); }
  static void store(Bfloat16* p, float32x4_t v) {
    const uint32x4_t bits = vreinterpretq_u32_f32(v);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7FFF)));
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    vst1_u16(&p->bits, vshrn_n_u32(vbslq_u32(equal(v, v), rounded, quiet), 16));
  }

  static float32x4_t fma(float32x4_t a, float32x4_t b, float32x4_t c) { return vfmaq_f32(c, a, b); }
  static float64x2_t fma(float64x2_t a, float64x2_t b, float64x2_t c) { return vfmaq_f64(c, a, b); }
  // vmaxq and vminq order -0 before +0 and return NaN for either operand; the comparison gives the results of the other
  // instruction sets.
  static float32x4_t max(float32x4_t a, float32x4_t b) { return select(less(b, a), a, b); }
  static float64x2_t max(float64x2_t a, float64x2_t b) { return select(less(b, a), a, b); }
  static float32x4_t min(float32x4_t a, float32x4_t b) { return select(less(a, b), a, b); }
  static float64x2_t min(float64x2_t a, float64x2_t b) { return select(less(a, b), a, b); }
  static float32x4_t abs(float32x4_t x) { return vabsq_f32(x); }
  static float64x2_t abs(float64x2_t x) { return vabsq_f64(x); }
  static float32x4_t sqrt(float32x4_t x) { return vsqrtq_f32(x); }
  static float64x2_t sqrt(float64x2_t x) { return vsqrtq_f64(x); }
  static float32x4_t copysign(float32x4_t x, float32x4_t sign) { return vbslq_f32(vdupq_n_u32(0x80000000U), sign, x); }
  static float64x2_t copysign(float64x2_t x, float64x2_t sign) {
    return vbslq_f64(vdupq_n_u64(0x8000000000000000U), sign, x);
  }
  template <int bits>
  static float32x4_t shift_left(float32x4_t x) {
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(x), bits));
  }
  template <int bits>
  static float64x2_t shift_left(float64x2_t x) {
    return vreinterpretq_f64_u64(vshlq_n_u64(vreinterpretq_u64_f64(x), bits));
  }

  static float64x2_t lower_product(float64x2_t a, float64x2_t b) {
    const auto lower = [](float64x2_t x) { return vmovn_u64(vreinterpretq_u64_f64(x)); };
    return vreinterpretq_f64_u64(vmull_u32(lower(a), lower(b)));
  }

  static uint32x4_t less(float32x4_t a, float32x4_t b) { return vcltq_f32(a, b); }
  static uint64x2_t less(float64x2_t a, float64x2_t b) { return vcltq_f64(a, b); }
  static uint32x4_t less_equal(float32x4_t a, float32x4_t b) { return vcleq_f32(a, b); }
  static uint64x2_t less_equal(float64x2_t a, float64x2_t b) { return vcleq_f64(a, b); }
  static uint32x4_t equal(float32x4_t a, float32x4_t b) { return vceqq_f32(a, b); }
  static uint64x2_t equal(float64x2_t a, float64x2_t b) { return vceqq_f64(a, b); }
  static float32x4_t select(uint32x4_t m, float32x4_t a, float32x4_t b) { return vbslq_f32(m, a, b); }
  static float64x2_t select(uint64x2_t m, float64x2_t a, float64x2_t b) { return vbslq_f64(m, a, b); }
  /// The assembly hides how the mask came about: current LLVM replaces comparisons of several registers with one number
  /// by a comparison of their minimum, FMINNM, which is NaN wherever an operand is a signalling NaN.
  static bool all(uint32x4_t m) {
    asm("" : "+w"(m));
    return vminvq_u32(m) != 0;
  }
  static bool all(uint64x2_t m) { return all(vreinterpretq_u32_u64(m)); }

  // NEON looks up bytes in a table of 32 or 64 bytes.
  static float32x4_t lookup(const Eight& table, float32x4_t i) {
    return vreinterpretq_f32_u8(vqtbl2q_u8({{four(table.numbers), four(table.numbers + 4)}}, bytes<8>(i)));
  }
  static float32x4_t lookup(const Sixteen& table, float32x4_t i) {
    const float* const p = table.numbers;
    return vreinterpretq_f32_u8(vqtbl4q_u8({{four(p), four(p + 4), four(p + 8), four(p + 12)}}, bytes<16>(i)));
  }
  static uint8x16_t four(const float* p) { return vreinterpretq_u8_f32(load(p)); }
  /// The indices of the bytes of number i modulo `count`.
  template <std::uint32_t count>
  static uint8x16_t bytes(float32x4_t i) {
    const uint32x4_t index = vandq_u32(vreinterpretq_u32_f32(i), vdupq_n_u32(count - 1));
    return vreinterpretq_u8_u32(vmlaq_u32(vdupq_n_u32(0x03020100U), index, vdupq_n_u32(0x04040404U)));
  }

  template <std::size_t distance>
  static float32x4_t swap(float32x4_t x) {
    if constexpr (distance == 2) return vextq_f32(x, x, 2);
    return vrev64q_f32(x);
  }
  template <std::size_t>
  static float64x2_t swap(float64x2_t x) {
    return vextq_f64(x, x, 1);
  }
};

}  // namespace fastact::simd
