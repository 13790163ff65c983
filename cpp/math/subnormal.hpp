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
  /// A power of two whose last place is 1.
  static constexpr double power = 1 / std::numeric_limits<T>::epsilon();
  /// Two factors of the inverse of the smallest positive number, and a number that is negligible even times up_2.
  static constexpr double up_1 = is_float ? 0x1p90 : 0x1p537, up_2 = is_float ? 0x1p59 : 0x1p537;
  static constexpr double nothing = is_float ? 0x1p-60 : 0x1p-540;
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

/// y a b. A subnormal result is computed in units of the smallest positive number, and rounded when it is added to a
/// power of two whose last place is 1. Valid range: a and b are powers of two. Max error: one rounding, of subnormal
/// results.
template <class V>
V scale(V y, V a, V b) {
  using S = Subnormal<typename V::Element>;
  const V power = S::power, one = 1.0;
  const V units = max(V(S::nothing), abs(y * (a * S::up_1))) * (b * S::up_2);
  const auto is_small = units < power;
  const V rounded = copysign((units + power).minus_bits(power), y);
  return select(is_small, rounded, y * select(is_small, one, a) * select(is_small, one, b));
}

/// y · half_scale², where half_scale is a power of two and in most cases 1. Max error: that of scale(y, a, b).
template <class V>
V scale(V y, V half_scale) {
  if (all(half_scale == V(1.0))) [[likely]]
    return y;
  return scale(y, half_scale, half_scale);
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
