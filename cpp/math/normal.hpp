#pragma once

#include "math/exp.hpp"

namespace fastact::math {

/// 1/√(2π), the normal density at 0.
template <class V>
Pair<V> density() {
  using C = Constants<typename V::Element>;
  return {V(C::density_hi), V(C::density_lo)};
}

/// The normal distribution's tail, Φ(-a) = e^(-a²/2) · mills(a) for a = |x| up to `end`, both factors to a relative
/// 2^-26 (float) or 2^-55 (double). a² has its low part: without it the tail would lose a hundred units in the last
/// place.
template <class V>
struct NormalTail {
  using C = Constants<typename V::Element>;
  static constexpr double end = C::mills_end;

  V x;
  Exponential<V> e;

  explicit NormalTail(V unbounded) : x(max(V(-end), min(V(end), unbounded))) {
    const Pair<V> square = product(x, x);
    e = exp(-0.5 * square.hi, -0.5 * square.lo);
  }

  /// e^(a²/2) Φ(-a) = (shift/2 + (1 + s) p(s)) / (a + shift), s = (a - centre)/(a + centre). Over a + shift it is
  /// nearly flat, 0.4 to 0.48, and 1 + s = 2a/(a + centre) has a relative error, so that what p adds loses little
  /// anywhere. The two denominators share one division.
  Pair<V> mills() const {
    const V a = abs(x);
    const Pair<V> a_plus_centre = sum(a, V(C::mills_centre)), denominator = sum(a, V(C::mills_shift));
    const V inverse = V(1.0) / (denominator.hi * a_plus_centre.hi);
    const V inverse_of_centre = inverse * denominator.hi;
    const V quotient = a * inverse_of_centre;
    const V remainder = fma(-quotient, a_plus_centre.lo, fma(-quotient, a_plus_centre.hi, a));
    const V one_plus_s = 2.0 * fma(remainder, inverse_of_centre, quotient);
    const V varying = one_plus_s * polynomial(one_plus_s - 1.0, C::mills);
    return fast_sum(V(0.5 * C::mills_shift), varying) / Divisor<V>(denominator, inverse * a_plus_centre.hi);
  }
};

}  // namespace fastact::math
