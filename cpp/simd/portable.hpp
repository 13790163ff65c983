// Registers of one element, for processors without SIMD instructions.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "simd/fused.hpp"
#include "simd/half.hpp"
#include "simd/table.hpp"

namespace fastact::simd {

// Translation units that are compiled with FMA use a separate class, so that the linker does not merge its functions.
#ifdef __FMA__
inline namespace with_fma {
#endif

/// Registers of one element in plain C++, for processors that support no other instruction set.
struct Portable {
  static constexpr std::string_view name = "portable";
  static constexpr std::size_t registers = 1;
  static bool supported() { return true; }

  template <class T>
  using Register = T;
  template <class T>
  using Mask = bool;
  template <class T>
  static constexpr std::size_t size = 1;
  template <class T>
  using Bits = std::conditional_t<std::is_same_v<T, float>, std::uint32_t, std::uint64_t>;

  // clang-format off
  template <class T> static T broadcast(T x) { return x; }
  template <class T> static T load(const T* p) { return *p; }
  static double load_double(const float* p) { return *p; }
  static void store_single(float* p, double v) { *p = static_cast<float>(v); }
  template <class T> static T load(const T* p, std::size_t count) { return count != 0 ? *p : T{}; }
  template <class T> static void store(T* p, std::type_identity_t<T> v) { *p = v; }
  template <class T> static void store(T* p, std::type_identity_t<T> v, std::size_t count) { if (count != 0) *p = v; }
  template <class T> static void stream(T* p, std::type_identity_t<T> v) { *p = v; }
  static void end_stream() {}
  template <class T> static T max(T a, T b) { return a > b ? a : b; }
  template <class T> static T min(T a, T b) { return a < b ? a : b; }
  template <class T> static T abs(T x) { return std::abs(x); }
  template <class T> static T sqrt(T x) { return std::sqrt(x); }
  template <class T> static T copysign(T x, T sign) { return std::copysign(x, sign); }
  template <int bits, class T> static T shift_left(T x) { return std::bit_cast<T>(std::bit_cast<Bits<T>>(x) << bits); }
  static double lower_product(double a, double b) {
    const auto lower = [](double x) { return std::bit_cast<std::uint64_t>(x) & 0xFFFFFFFFU; };
    return std::bit_cast<double>(lower(a) * lower(b));
  }
  template <class T> static bool less(T a, T b) { return a < b; }
  template <class T> static bool less_equal(T a, T b) { return a <= b; }
  template <class T> static bool equal(T a, T b) { return a == b; }
  template <class T> static T select(bool m, T a, T b) { return m ? a : b; }
  static bool all(bool m) { return m; }
  template <class Table> static float lookup(const Table& t, float i) { return t.numbers[std::bit_cast<std::uint32_t>(i) % 16]; }
  // clang-format on

  template <HalfPrecision S>
  static float load(const S* p) {
    return widen(*p);
  }
  template <HalfPrecision S>
  static float load(const S* p, std::size_t count) {
    return count != 0 ? widen(*p) : 0.0F;
  }
  template <HalfPrecision S>
  static void store(S* p, float v) {
    narrow(v, *p);
  }
  template <HalfPrecision S>
  static void store(S* p, float v, std::size_t count) {
    if (count != 0) narrow(v, *p);
  }
  static float widen(Bfloat16 h) { return std::bit_cast<float>(std::uint32_t{h.bits} << 16); }
  static void narrow(float v, Bfloat16& h) {
    const auto bits = std::bit_cast<std::uint32_t>(v);
    const std::uint32_t rounded = bits + 0x7FFF + (bits >> 16 & 1U), quiet = bits | 0x400000;
    h.bits = static_cast<std::uint16_t>((v == v ? rounded : quiet) >> 16);
  }
  /// The bits of a finite half, shifted into place, are those of the float 2^-112 times as large, also if it is
  /// subnormal.
  static float widen(Half h) {
    const std::uint32_t sign = (h.bits & 0x8000U) << 16, magnitude = (h.bits & 0x7FFFU) << 13;
    const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
    return std::bit_cast<float>(sign | (magnitude < 0x7C00U << 13 ? finite : magnitude | 0x7F800000U));
  }
  /// A sum with 1/2 is rounded to the spacing of subnormal halves, and its lowest bits are those of the result.
  static void narrow(float v, Half& h) {
    const auto bits = std::bit_cast<std::uint32_t>(v);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    std::uint32_t rounded = (magnitude - (112U << 23) + 0xFFF + (magnitude >> 13 & 1U)) >> 13;
    if (magnitude < 113U << 23) rounded = std::bit_cast<std::uint32_t>(std::abs(v) + 0.5F) - (126U << 23);
    if (magnitude >= 143U << 23) rounded = v == v ? 0x7C00U : 0x7E00U;
    h.bits = static_cast<std::uint16_t>((bits >> 16 & 0x8000U) | rounded);
  }

#if defined(__FMA__) || defined(__aarch64__)
  static float fma(float a, float b, float c) { return std::fma(a, b, c); }
  static double fma(double a, double b, double c) { return std::fma(a, b, c); }
#else
  static float fma(float a, float b, float c) { return fused(a, b, c); }
  static double fma(double a, double b, double c) {
#ifdef _WIN32
    return fused(a, b, c);  // because MinGW's fma rounds twice
#else
#ifndef __GLIBC__
    if (c == 0 && a != 0 && b != 0) return a * b;  // musl's fma may lose the sign of a product that underflows
#endif
    return std::fma(a, b, c);
#endif
  }
#endif
};

#ifdef __FMA__
}  // namespace with_fma
#endif

}  // namespace fastact::simd
