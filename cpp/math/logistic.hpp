#pragma once

#include "math/exp.hpp"

/// What the functions of the form x σ(w) share. With e = e^-|w|, σ(|w|) = 1/(1 + e) and σ(-|w|) = e/(1 + e): nothing
/// cancels and nothing overflows. Where w < 0, results carry the tail of e.
namespace fastact::math {

/// βx with its rounding error, unless it is beyond any exponential; 0 for β = 0, at infinity too.
template <class V>
Pair<V> argument(V x, V beta) {
  const V zero = 0.0;
  const Pair<V> p = product(x, beta);
  const V hi = select(beta == zero, select(x == x, zero, x), p.hi);
  return {hi, select(abs(p.hi) < V(-Constants<typename V::Element>::lowest), p.lo, zero)};
}

template <class V>
struct Logistic {
  typename V::Mask negative;
  Exponential<V> e;
  Divisor<V> one_plus_e;

  explicit Logistic(V w, V w_lo = 0.0)
      : negative(w < V(0.0)),
        e(exp(-abs(w), select(negative, w_lo, -w_lo))),
        one_plus_e(fast_sum(V(1.0), e.significand)) {}

  /// 1, or tail where w < 0.
  V tail() const { return select(negative, e.tail, V(1.0)); }
  /// σ(w), less its tail.
  Pair<V> sigma() const { return select(negative, e.significand, {1.0, 0.0}) / one_plus_e; }
  /// σ(w) σ(-w), less the tail of e for either sign.
  Pair<V> derivative() const { return e.significand / one_plus_e / one_plus_e; }
  /// σ(w)(1 + z σ(-w)), less its tail; the derivative of x σ(w) with z = x w'. It is (1 + e(1 + z))/(1 + e)² for
  /// w >= 0, e(1 + z + e)/(1 + e)² for w < 0.
  Pair<V> product_derivative(Pair<V> z) const {
    const V one = 1.0;
    const Pair<V> one_plus_z = one + z;
    const Pair<V> product = e.significand * select(negative, one_plus_z + e.significand, one_plus_z);
    return select(negative, product, one + product) / one_plus_e / one_plus_e;
  }
};

/// x σ(w) for x that are finite.
template <class V>
V logistic_product(V x, const Logistic<V>& w) {
  const V tail = w.tail();
  return copysign((x * w.sigma()).value() * tail * tail, x);
}

}  // namespace fastact::math
