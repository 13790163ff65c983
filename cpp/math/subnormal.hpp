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
  /// Subnormal arguments are lifted to numbers below `small`, whose squares round to 0 and whose low parts are normal.
  static constexpr double small = is_float ? 0x1p-82 : 0x1p-550;
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

/// y, divided by 2^lift where down = 2^(lift - bias), bias being that of exponents, and y itself where down is 0. The
/// bit pattern of down has lift in the place of the exponent. `toward` is down with the sign of y. (|y| + 2 down)/2
/// exceeds |y| if the quotient is subnormal; its last place is then that of a subnormal number, and the difference of
/// its bit pattern and that of down is the quotient in such units. Max error: one rounding, of subnormal results.
template <class V>
V unlifted(V y, V down, V toward) {
  if (all(down == V(0.0))) return y;
  return max_bits(y, fma(y, V(0.5), toward)).minus_bits(down);
}

/// The same without the test. Valid range: finite y, and every y where down is 0.
template <class V>
V always_unlifted(V y, V down) {
  const V size = abs(y);
  return max(size, fma(size, V(0.5), down)).minus_bits(down).xor_bits(y.xor_bits(size));
}

/// y b, where y is divided as by `unlifted`, but only after the multiplication unless |b| > most. Valid range: finite
/// y most. Max error: one rounding, and another of subnormal results.
template <class V>
V unlifted_product(V y, V down, V b, V most) {
  const V product = y * b;
  if (all(down == V(0.0))) [[likely]]
    return product;
  const V result = unlifted(product, down, copysign(down, product));
  if (all(abs(b) <= most)) [[likely]]
    return result;
  return select(abs(b) <= most, result, unlifted(y, down, copysign(down, y)) * b);
}

/// x, multiplied by the ratio of `power` and the smallest normal number: the bit pattern of x is the number of units in
/// the last place of a power of two. Valid range: subnormal x and zeros; `power` is a power of two. Max error: 0.
template <class V>
V lifted_subnormal(V x, V power) {
  const V size = abs(x);
  return (size.plus_bits(power) - power).xor_bits(x.xor_bits(size));
}
/// The same where x is subnormal, and x elsewhere.
template <class V>
V lifted(V x, V power) {
  return select(abs(x) < V(Subnormal<typename V::Element>::least_normal), lifted_subnormal(x, power), x);
}

/// x power, without a subnormal factor. Valid range: `power` is a power of two. Max error: 0 if the product is normal.
template <class V>
V raised(V x, V power) {
  const V least_normal = Subnormal<typename V::Element>::least_normal;
  return lifted(x, power * least_normal) * select(abs(x) < least_normal, V(1.0), power);
}

}  // namespace fastact::math
