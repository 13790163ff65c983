// The tail of the normal distribution, as a pair.
#pragma once

#include "math/exp.hpp"

namespace fastact::math {

/// 1/√(2π), the density of the normal distribution at 0. Max error: 2^-51 (float) or 2^-109 (double). Source:
/// constants.py.
template <class V>
Pair<V> density() {
  using C = Constants<typename V::Element>;
  return {V(C::density_hi), V(C::density_lo)};
}

/// The tail of the normal distribution, Φ(-a) = e^(-a²/2) mills_ratio(), with a = |x|. a² is a pair, because without
/// its low part Φ(-a) would have an error of a hundred units in the last place. Valid range: a <= end; larger a give
/// Φ(-end). Max error: 2^-26 (float) or 2^-55 (double) relative, for each factor. Source: constants.py.
template <class V>
struct NormalTail {
  using C = Constants<typename V::Element>;
  static constexpr double end = C::normal_end;

  V x;
  Exponential<V> e;

  explicit NormalTail(V unbounded) : x(max(V(-end), min(V(end), unbounded))) {
    const Pair<V> square = product(x, x);
    e = exp(-0.5 * square.hi, -0.5 * square.lo);
  }

  /// e^(a²/2) Φ(-a), the Mills ratio Φ(-a)/φ(a) divided by √(2π). It is (shift/2 + (1 + s) p(s))/(a + shift) with
  /// s = (a - centre)/(a + centre). The numerator varies little, from 0.4 to 0.48, and the error of
  /// 1 + s = 2a/(a + centre) is relative, so the contribution of p is accurate everywhere. The two denominators share
  /// one division.
  Pair<V> mills_ratio() const {
    const V a = abs(x);
    const Pair<V> a_plus_centre = sum(a, V(C::mills_centre)), denominator = sum(a, V(C::mills_shift));
    const V inverse = V(1.0) / (denominator.hi * a_plus_centre.hi);
    const V inverse_of_centre = inverse * denominator.hi;
    const V quotient = a * inverse_of_centre;
    const V remainder = fma(-quotient, a_plus_centre.lo, fma(-quotient, a_plus_centre.hi, a));
    const V one_plus_s = 2.0 * fma(remainder, inverse_of_centre, quotient);
    const V varying = one_plus_s * polynomial(one_plus_s - 1.0, C::mills_polynomial);
    return fast_sum(V(0.5 * C::mills_shift), varying) / Divisor<V>(denominator, inverse * a_plus_centre.hi);
  }
};

}  // namespace fastact::math
