// Logarithms of 1 + e, as pairs.
#pragma once

#include "math/constants.hpp"
#include "math/exp.hpp"
#include "math/pair.hpp"

namespace fastact::math {

/// log(1 + e). For floats above √2 - 1, 1 + e is halved: log(1 + e) = ln 2 + log(1 + f) with f = (e - 1)/2. In both
/// cases log(1 + f) = f - f²/2 + f³ p(f), with the first two terms as pairs. For doubles, where p would be long, it is
/// 2 artanh s = 2s + s³ p(s²) with s = e/(2 + e). The formulas use e and never 1 + e, so the result has full relative
/// accuracy for e near 0. Valid range: 0 <= e <= 1. Max error: 2^-27 (float) or 2^-56 (double) relative. Source:
/// constants.py.
template <class V>
Pair<V> log1p(Pair<V> e) {
  using C = Constants<typename V::Element>;
  if constexpr (!is_single<V>) {
    const Pair<V> s = e / Divisor<V>(fast_sum(V(2.0), e));
    const V square = s.hi * s.hi;
    return {2.0 * s.hi, fma(s.hi * square, polynomial(square, C::artanh), 2.0 * s.lo)};
  } else {
    const auto halve = e.hi > V(0.41421356237309503);
    const Pair<V> minus_1 = fast_sum(V(-1.0), e);
    const Pair<V> f = select(halve, {0.5 * minus_1.hi, 0.5 * minus_1.lo}, e);
    const V half = 0.5 * f.hi;
    const Pair<V> square = product(f.hi, half);
    const V cubic = f.hi * f.hi * f.hi * polynomial(f.hi, C::log1p);
    const Pair<V> two = fast_sum(f.hi, -square.hi);
    const Pair<V> three = fast_sum(two.hi, cubic);
    const V lo = three.lo + (two.lo + (fma(-f.hi, f.lo, f.lo) - square.lo));
    const V zero = 0.0;
    const Pair<V> whole = fast_sum(select(halve, V(C::ln2_hi), zero), three.hi);
    return {whole.hi, whole.lo + (lo + select(halve, V(C::ln2_lo), zero))};
  }
}

/// log(1 + e). 1 + e is divided by a power of two first. Valid range: 0 <= e < 2^100. Max error: that of log1p. Source:
/// log1p.
template <class V>
Pair<V> log1p_of_sum(Pair<V> e) {
  using C = Constants<typename V::Element>;
  const V one = 1.0;
  Pair<V> s = one + e;
  const V biased = s.hi.template shift_right<C::significand_bits>().plus_bits(V(C::to_integer));
  const V exponent = biased - V(C::to_integer + C::exponent_bias), scale = exp2_integer(-exponent);
  s = {s.hi * scale, s.lo * scale};
  const Pair<V> l = log1p(select(exponent == V(0.0), e, fast_sum(s.hi - one, s.lo)));
  const Pair<V> powers = exponent * Pair<V>{C::ln2_hi, C::ln2_lo};
  const Pair<V> whole = fast_sum(powers.hi, l.hi);
  return {whole.hi, whole.lo + (powers.lo + l.lo)};
}

}  // namespace fastact::math
