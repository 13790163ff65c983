// Products that avoid subnormal operands and results.
#pragma once

#include <limits>
#include <type_traits>

/// A product that is subnormal or has a subnormal factor takes a hundred cycles on some processors. On others it takes
/// some tens of cycles, unless it is fused with a sum. A sum is slow only if two normal numbers have a subnormal sum.
namespace fastact::math {

template <class T>
struct Subnormal {
  static constexpr bool is_float = std::is_same_v<T, float>;
  static constexpr double least_normal = std::numeric_limits<T>::min();
  /// Subnormal factors are lifted to numbers below 1: half_scale_of_one² is the ratio of the smallest normal number and
  /// 1. Subnormal arguments are lifted to numbers below `small`, whose squares round to 0 and whose low
  /// parts are normal: half_scale_of_small² is the ratio of the smallest normal number and `small`.
  static constexpr double half_scale_of_one = is_float ? 0x1p-63 : 0x1p-511;
  static constexpr double small = is_float ? 0x1p-82 : 0x1p-550, half_scale_of_small = is_float ? 0x1p-22 : 0x1p-236;
  /// A factor that makes low parts normal, and the square root of its inverse.
  static constexpr double up = is_float ? 0x1p40 : 0x1p60, down = is_float ? 0x1p-20 : 0x1p-30;
};

/// a b. It is fused with the sum of -0, because a fused product with a subnormal result is faster on some processors.
/// Valid range: all numbers. Max error: half a unit in the last place.
template <class V>
V fused_product(V a, V b) {
  return fma(a, b, V(-0.0));
}

/// y 2^n as times_power(y), where `least` is the smallest normal number times 2^-n. A subnormal result is rounded
/// without a subnormal operand: the last place of |y| + least is the smallest positive number times 2^-n, and the
/// difference of the bit patterns of this sum and of `least` is the pattern of the result. Max error: one rounding, of
/// subnormal results.
template <class V>
V scale(V y, V least, auto times_power) {
  const V size = abs(y);
  const auto is_small = size < least;
  return select(is_small, copysign((size + least).minus_bits(least), y), times_power(select(is_small, V(0.0), y)));
}

/// y · half_scale², where half_scale is a power of two and in most cases 1. Max error: that of the function above.
template <class V>
V scale(V y, V half_scale) {
  const V one = 1.0, least_normal = Subnormal<typename V::Element>::least_normal;
  if (all(half_scale == one)) [[likely]]
    return y;
  const V exponent = one.minus_bits(half_scale);
  return scale(y, least_normal.plus_bits(exponent).plus_bits(exponent),
               [half_scale](V v) { return v * half_scale * half_scale; });
}

/// x, multiplied by the ratio of `power` and the smallest normal number where x is subnormal: its bit pattern is the
/// number of units in the last place of a power of two. Valid range: `power` is a power of two. Max error: 0.
template <class V>
V lifted(V x, V power) {
  const V least_normal = Subnormal<typename V::Element>::least_normal;
  return select(abs(x) < least_normal, copysign(abs(x).plus_bits(power) - power, x), x);
}

/// x power, without a subnormal factor. Valid range: `power` is a power of two. Max error: 0 if the product is normal.
template <class V>
V raised(V x, V power) {
  const V least_normal = Subnormal<typename V::Element>::least_normal;
  return lifted(x, power * least_normal) * select(abs(x) < least_normal, V(1.0), power);
}

}  // namespace fastact::math
