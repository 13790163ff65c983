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

  explicit Logistic(V w, V w_lo = 0.0) : Logistic(w < V(0.0), exp(-abs(w), select(w < V(0.0), w_lo, -w_lo))) {}
  Logistic(typename V::Mask is_negative, Exponential<V> exponential)
      : negative(is_negative), e(exponential), one_plus_e(fast_sum(V(1.0), e.significand)) {}

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

/// For floats with |w| <= 80: σ(-|w|) = 1/(1 + e^|w|), and what it lacks to 1, σ(|w|).
template <class V>
struct BothLogistics {
  Pair<V> smaller, larger;
  V excess;  // of smaller.hi, relative
  explicit BothLogistics(V w) : BothLogistics(one_plus_exp(abs(w))) {}
  BothLogistics(V w, V w_lo) : BothLogistics(one_plus_exp(abs(w), select(w < V(0.0), -w_lo, w_lo))) {}
  explicit BothLogistics(const Divisor<V>& by) {
    const V h = by.inverse;
    excess = fma(h, by.d.lo, fma(h, by.d.hi, V(-1.0)));
    smaller = {h, -excess * h};
    larger.hi = 1.0 - h;
    larger.lo = ((1.0 - larger.hi) - h) - smaller.lo;
  }
  /// Their product times a power of two: d(h - h²)/dh = 1 - 2h.
  Pair<V> derivative(V times = 1.0) const {
    const V h = smaller.hi, rest = larger.hi, rest_lo = (1.0 - rest) - h;
    const Pair<V> p = product(times * h, rest);
    return {p.hi, fma(times * h, fma(excess, h - rest, rest_lo), p.lo)};
  }
  /// The derivative of w σ(w), σ(w)(1 + w σ(-w)).
  Pair<V> product_derivative(Pair<V> w) const {
    const auto negative = w.hi < V(0.0);
    return select(negative, smaller, larger) * (V(1.0) + w * select(negative, larger, smaller));
  }
};

/// x σ(w) for x that are finite.
template <class V>
V logistic_product(V x, const Logistic<V>& w) {
  return copysign(scale((x * w.sigma()).value(), w.tail()), x);
}

}  // namespace fastact::math
