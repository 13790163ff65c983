// The logistic function, as pairs.
#pragma once

#include <type_traits>

#include "math/exp.hpp"

/// Building blocks for functions of the form x σ(w). With e = e^-|w|, σ(|w|) = 1/(1 + e) and σ(-|w|) = e/(1 + e), which
/// neither cancel nor overflow. Where w < 0, results have the half_scale of e.
namespace fastact::math {

/// βx and its rounding error; it is 0 where one factor is 0, even if the other is infinite. The low part is 0 where
/// e^-|βx| rounds to 0. Valid range: all numbers. Max error: 0 unless the low part underflows. Source: product.
template <class V>
Pair<V> argument(V x, V beta) {
  const V zero = 0.0;
  const Pair<V> p = product(x, beta);
  const V hi = select(x == zero, x, select(beta == zero, select(x == x, zero, x), p.hi));
  return {hi, select(abs(p.hi) < V(-Constants<typename V::Element>::lowest), p.lo, zero)};
}

/// σ(w) and its derivatives, where w = w.hi + w_lo. Valid range: all numbers. Max error: that of exp. Source: the
/// formulas above.
template <class V>
struct Logistic {
  typename V::Mask negative;
  Exponential<V> e;
  Divisor<V> one_plus_e;

  explicit Logistic(V w, V w_lo = 0.0) : Logistic(w < V(0.0), exp(-abs(w), select(w < V(0.0), w_lo, -w_lo))) {}
  Logistic(typename V::Mask is_negative, Exponential<V> exponential)
      : negative(is_negative), e(exponential), one_plus_e(fast_sum(V(1.0), e.significand)) {}

  /// The half_scale of e where w < 0, else 1.
  V half_scale() const { return select(negative, e.half_scale, V(1.0)); }
  /// σ(w), divided by half_scale()².
  Pair<V> sigma() const { return select(negative, e.significand, {1.0, 0.0}) / one_plus_e; }
  /// σ(w) σ(-w), divided by the square of e's half_scale for both signs of w.
  Pair<V> derivative() const { return e.significand / one_plus_e / one_plus_e; }
  /// σ(w)(1 + z σ(-w)), divided by half_scale()²; this is the derivative of x σ(w) with z = x w'. It equals
  /// (1 + e(1 + z))/(1 + e)² for w >= 0 and e(1 + z + e)/(1 + e)² for w < 0. Near its root the error is relative to the
  /// terms of the sum, not to the result.
  Pair<V> product_derivative(Pair<V> z) const {
    const V one = 1.0;
    const Pair<V> one_plus_z = one + z;
    const Pair<V> product = e.significand * select(negative, one_plus_z + e.significand, one_plus_z);
    return select(negative, product, one + product) / one_plus_e / one_plus_e;
  }
};

/// σ(-|w|) = 1/(1 + e^|w|) and σ(|w|) = 1 - σ(-|w|) for floats. Valid range: |w| <= 80. Max error: 2^-27 relative.
/// Source: one_plus_large_exp.
template <class V>
struct BothLogistics {
  Pair<V> smaller, larger;
  V excess;  // the relative error of smaller.hi
  explicit BothLogistics(V w) : BothLogistics(one_plus_large_exp(abs(w))) {}
  BothLogistics(V w, V w_lo) : BothLogistics(one_plus_large_exp(abs(w), select(w < V(0.0), -w_lo, w_lo))) {}
  explicit BothLogistics(const Divisor<V>& by) {
    const V h = by.inverse;
    excess = fma(h, by.d.lo, fma(h, by.d.hi, V(-1.0)));
    smaller = {h, -excess * h};
    larger.hi = 1.0 - h;
    larger.lo = ((1.0 - larger.hi) - h) - smaller.lo;
  }
  /// h² is normal if |w| is at most `near`. Beyond, it is negligible in the low part of the derivative.
  static constexpr double near = is_single<V> ? 43.0 : 350.0;
  /// The product of both, times a power of two. With h = smaller, it is p = h - h²; the difference h - p is exact, and
  /// h dp/dh = h - 2h² = p - (h - p).
  template <bool is_near = false>
  Pair<V> derivative(V times = 1.0) const {
    const V h = times * smaller.hi, p = fma(-h, smaller.hi, h), square = h - p;
    constexpr double negligible = is_single<V> ? 0x1p-62 : 0x1p-506;
    const V other = is_near ? smaller.hi : select(smaller.hi > V(negligible), smaller.hi, V(0.0));
    return {p, fma(-excess, p - square, fma(-h, other, square))};
  }
  /// The derivative of w σ(w), σ(w)(1 + w σ(-w)).
  Pair<V> product_derivative(Pair<V> w) const {
    const auto negative = w.hi < V(0.0);
    return select(negative, smaller, larger) * (V(1.0) + w * select(negative, larger, smaller));
  }
};

/// g s² σ'(s x), the derivative of s σ(s x) with s = `scale`. Valid range: all numbers. Max error: that of `general`,
/// and one rounding. Source: BothLogistics; general(x, g) where |s x| > 68 (float) or 640 (double).
template <class V, class General>
V logistic_gradient(V x, V g, double scale, General general) {
  const auto product = [scale](auto is_near) {
    return [scale, is_near]<class W>(W v, W once) {
      return multiply(once, BothLogistics<W>(scale * v).template derivative<is_near>(scale * scale));
    };
  };
  if (all(abs(nan_unless_finite(g, scale * x)) <= V(BothLogistics<V>::near))) [[likely]]
    return product(std::true_type{})(x, g);
  const auto far = [=](V v, V once) {
    return moderate_or_general(nan_unless_finite(once, scale * v), product(std::false_type{}), general, v, once);
  };
  return cold_path(far, x, g);
}

/// x σ(w), rounded. Valid range: finite x. Max error: that of exp and one rounding. Source: Logistic.
template <class V>
Scaled<V> logistic_product(V x, const Logistic<V>& w) {
  return {x * w.sigma(), w.half_scale()};
}

/// f, a function of x that has its sign.
template <class V>
V rounded(Scaled<V> f, V x) {
  return copysign(scale(f.value.value(), f.half_scale), x);
}

}  // namespace fastact::math
