// Fused multiply-add for processors without such an instruction.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>

namespace fastact::simd {

/// a b + c for floats. The product of two floats is exact in double; let s be the exact sum rounded to double. Rounding
/// is monotonic, and every midpoint of two neighbouring floats is a double. Therefore s lies on the same side of every
/// midpoint as the exact sum, or on the midpoint itself, and unless s is a midpoint, it rounds to the same float as the
/// exact sum. Midpoints of normal floats are the doubles whose last 29 bits are 1 followed by zeros; those of subnormal
/// floats have other bits.
///
/// If s may be a midpoint, it is rounded to odd instead, that is, its last bit is set if it is inexact. The rounding to
/// float then gives the same result as for the exact sum, because 53 >= 24 + 2. Source: Boldo and Melquiond, "Emulation
/// of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008.
inline float fused(float a, float b, float c) {
  const double product = double{a} * double{b};
  const double sum = product + double{c};
  const auto bits = std::bit_cast<std::uint64_t>(sum);
  if ((bits & 0x1FFFFFFFU) != 0x10000000U && std::abs(sum) >= 0x1p-126) [[likely]]
    return static_cast<float>(sum);
  const double back = sum - product;
  const double error = (product - (sum - back)) + (double{c} - back);
  const bool inexact = error > 0 || error < 0;  // false if sum is inf or NaN
  const bool even = (bits & 1U) == 0;
  const std::uint64_t away = (error > 0) == (sum > 0) ? 1U : ~std::uint64_t{0};
  return static_cast<float>(std::bit_cast<double>(bits + (inexact && even ? away : 0U)));
}

/// A finite number other than 0, ±significand 2^exponent.
struct Unpacked {
  std::uint64_t significand;
  int exponent;

  explicit Unpacked(double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const int biased = static_cast<int>(bits >> 52 & 0x7FF);
    significand = (bits & 0xFFFFFFFFFFFFFU) | (biased != 0 ? std::uint64_t{1} << 52 : 0U);
    exponent = (biased != 0 ? biased : 1) - 1075;
    const int shift = std::countl_zero(significand) - 11;  // normalizes subnormal numbers to 53 bits too
    significand <<= shift;
    exponent -= shift;
  }
};

/// 2^exponent, -1022 <= exponent <= 1023.
inline double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

/// a b + c for doubles. The product and c are integers of up to 126 bits. The smaller one is shifted right, and the
/// bits that are shifted out are replaced by one sticky bit. Bits are shifted out only if the larger number is at least
/// 2^20 times as large. The sum then has more than 100 bits, and the sticky bit represents less than half a unit of the
/// place to which it is rounded.
inline double fused(double a, double b, double c) {
  __extension__ using Uint128 = unsigned __int128;
  const double product = a * b;
  if (!std::isfinite(a) || !std::isfinite(b) || a == 0 || b == 0) return product + c;  // no second rounding
  if (!std::isfinite(c)) return c + c;
  if (c == 0) return product;  // keeps the sign of a product that underflows

  const Unpacked ua(a), ub(b), uc(c);
  struct Term {
    Uint128 magnitude;
    int exponent;
    bool negative;
  };
  Term large = {Uint128{ua.significand} * ub.significand << 20, ua.exponent + ub.exponent - 20,
                std::signbit(a) != std::signbit(b)};
  Term small = {Uint128{uc.significand} << 73, uc.exponent - 73, std::signbit(c)};
  if (small.exponent > large.exponent) std::swap(large, small);
  const int distance = large.exponent - small.exponent;
  const Uint128 kept = distance < 128 ? small.magnitude >> distance : 0;
  const bool sticky = distance >= 128 || kept << distance != small.magnitude;
  const Uint128 shifted = kept | Uint128{sticky};
  bool negative = large.negative;
  Uint128 sum;
  if (large.negative == small.negative) {
    sum = large.magnitude + shifted;
  } else if (large.magnitude >= shifted) {
    sum = large.magnitude - shifted;
  } else {
    sum = shifted - large.magnitude;
    negative = small.negative;
  }
  if (sum == 0) return 0.0;

  // The leading 64 bits of the sum; the last one is sticky.
  const auto upper = static_cast<std::uint64_t>(sum >> 64);
  const int zeros = upper != 0 ? std::countl_zero(upper) : 64 + std::countl_zero(static_cast<std::uint64_t>(sum));
  sum <<= zeros;
  auto leading = static_cast<std::uint64_t>(sum >> 64) | (static_cast<std::uint64_t>(sum) != 0 ? 1U : 0U);
  int exponent = large.exponent - zeros + 64;
  const int below = -1076 - exponent;  // the number of bits after the first two below a subnormal result
  if (exponent + 63 < -1022) {
    leading = below < 64 ? leading >> below | (leading << (64 - below) != 0 ? 1U : 0U) : 1U;
    exponent = -1076;
  }
  // There is only one rounding. If the result is normal, the conversion rounds to 53 bits. If it is subnormal, the
  // conversion is exact and the last product rounds.
  const double value = (negative ? -1.0 : 1.0) * static_cast<double>(leading);
  const int half = exponent / 2;
  return value * power_of_two(half) * power_of_two(exponent - half);
}

}  // namespace fastact::simd
