#pragma once

#include "math/pair.hpp"
#include "math/tables.hpp"

namespace fastact::math {

/// 2^n for an integer-valued n within the normal exponents: n plus the bias is brought to the low bits of a
/// significand, and shifted from there into the exponent.
template <class V>
V exp2_integer(V n) {
  using C = Constants<typename V::Element>;
  return (n + V(C::to_integer + C::exponent_bias)).template shift_left<C::significand_bits>();
}

/// x = n ln 2 + r, |r| <= ln(2)/2, and e^r - 1 = hi + lo, lo up to a sixth of hi.
template <class V>
struct Reduced {
  V n;
  Pair<V> expm1;
};

/// e^r - 1 = r + r² q(r). n · ln2_hi + x is exact in one fma: both are multiples of the last bit of ln2_hi, or
/// n is at most 1 (Cody and Waite, "Software Manual for the Elementary Functions", 1980, section 6.2). x_lo is the
/// low part of an argument carried as a pair.
template <class V>
Reduced<V> reduce(V x, V x_lo) {
  using C = Constants<typename V::Element>;
  const V n = fma(x, V(C::log2_e), V(C::to_integer)) - V(C::to_integer);
  const V exact = fma(n, V(-C::ln2_hi), x);
  const V low = fma(n, V(-C::ln2_lo), x_lo);
  const Pair<V> r = fast_sum(exact, low);
  return {n, {r.hi, fma(r.hi * r.hi, polynomial(r.hi, C::exp), r.lo)}};
}

/// e^x as significand · tail²; tail is 1 unless e^x is near or below the smallest normal number.
template <class V>
struct Exponential {
  Pair<V> significand;
  V tail;
};

/// e^x for x <= 0, anything below `lowest` as e^lowest, which rounds to zero whatever multiplies it.
/// Max error: float 2^-27, double 2^-56 relative. NaN gives NaN.
template <class V>
Exponential<V> exp(V x, V x_lo = 0.0) {
  using C = Constants<typename V::Element>;
  const Reduced<V> r = reduce(max(V(C::lowest), x), x_lo);
  const V below = min(V(0.0), r.n - V(C::smallest_exponent));
  const V half = fma(below, V(0.5), V(C::to_integer)) - V(C::to_integer);
  const V scale = exp2_integer(fma(half, V(-2.0), r.n));
  const Pair<V> one_plus = fast_sum(V(1.0), r.expm1.hi);
  const Pair<V> sum = fast_sum(one_plus.hi, one_plus.lo + r.expm1.lo);
  return {{sum.hi * scale, sum.lo * scale}, exp2_integer(half)};
}

/// e^x - 1 for x <= 0. Max error: float 2^-27, double 2^-56 relative. NaN gives NaN.
template <class V>
Pair<V> expm1(V x, V x_lo = 0.0) {
  using C = Constants<typename V::Element>;
  const Reduced<V> r = reduce(max(V(C::expm1_lowest), x), x_lo);
  const V scale = exp2_integer(r.n);
  const Pair<V> minus_1 = fast_sum(V(-1.0), scale);
  const Pair<V> s = fast_sum(minus_1.hi, scale * r.expm1.hi);
  return fast_sum(s.hi, fma(scale, r.expm1.lo, s.lo + minus_1.lo));
}

}  // namespace fastact::math
