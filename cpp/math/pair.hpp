// Unevaluated sums of two numbers.
#pragma once

#include <cstddef>
#include <limits>

#include "math/subnormal.hpp"

/// Unevaluated sums of two numbers ("double-float", "double-double"). Formulas compute with them, so that the final
/// rounding is almost the only error.
///
/// Errors are relative to the exact result unless another magnitude is named, with u = 2^-24 for float and u = 2^-53
/// for double. They are valid for pairs with |lo| <= u |hi|, without overflow and underflow. Sources: Dekker, "A
/// floating-point technique for extending the available precision", 1971; Muller et al., "Handbook of Floating-Point
/// Arithmetic", 2nd ed., chapter 4, whose algorithms are cited by number.
namespace fastact::math {

/// The low part of a number that has none. It is -0, because compilers can omit the addition of -0, but not that of 0.
constexpr double none = -0.0;

template <class V>
struct Pair {
  V hi, lo;
  V value() const { return hi + lo; }
  /// The value, also if hi is infinite and lo is NaN.
  V value_or_infinity() const { return select(lo == lo, hi + lo, hi); }
};

/// x, or NaN where g is infinite or NaN, so that every comparison with the result is false there. Max error: 0.
template <class V>
V nan_unless_finite(V g, V x) {
  return fma(g, V(0.0), x);
}

/// a + b. Valid range: |a| >= |b| or a = 0. Max error: 0. Source: algorithm 4.3.
template <class V>
Pair<V> fast_sum(V a, V b) {
  const V s = a + b;
  return {s, b - (s - a)};
}

/// The same number with |lo| <= u |hi|. Valid range: |hi| >= |lo| or hi = 0. Max error: 0. Source: fast_sum.
template <class V>
Pair<V> normalized(V a) {
  return {a, 0.0};
}
template <class V>
Pair<V> normalized(Pair<V> a) {
  return fast_sum(a.hi, a.lo);
}

/// a + b. Valid range: all numbers. Max error: 0. Source: algorithm 4.4.
template <class V>
Pair<V> sum(V a, V b) {
  const V s = a + b;
  const V back = s - a;
  return {s, (a - (s - back)) + (b - back)};
}

/// a + b. Valid range: a >= 0 and b >= 0. Max error: 0. Source: algorithm 4.3 for the larger and the smaller number.
template <class V>
Pair<V> positive_sum(V a, V b) {
  const V s = a + b;
  return {s, min(a, b) - (s - max(a, b))};
}

/// a b. Valid range: where the low part does not underflow. Max error: 0. Source: algorithm 4.8.
template <class V>
Pair<V> product(V a, V b) {
  const V p = a * b;
  return {p, fma(a, b, -p)};
}

template <class V>
Pair<V> operator-(Pair<V> a) {
  return {-a.hi, -a.lo};
}

/// a + b. Valid range: all pairs. Max error: 3u² (|a| + |b|). Source: the exact sum of the high parts.
template <class V>
Pair<V> operator+(Pair<V> a, Pair<V> b) {
  const Pair<V> s = sum(a.hi, b.hi);
  return {s.hi, s.lo + (a.lo + b.lo)};
}

template <class V>
Pair<V> operator+(V a, Pair<V> b) {
  const Pair<V> s = sum(a, b.hi);
  return {s.hi, s.lo + b.lo};
}

/// a + b. Valid range: |a| >= |b| or a = 0. Max error: 2u² (|a| + |b|). Source: fast_sum of the high parts.
template <class V>
Pair<V> fast_sum(V a, Pair<V> b) {
  const Pair<V> s = fast_sum(a, b.hi);
  return {s.hi, s.lo + b.lo};
}

/// a b. Valid range: all pairs. Max error: 2u². Source: the exact product of the high parts.
template <class V>
Pair<V> operator*(V a, Pair<V> b) {
  const V p = a * b.hi;
  return {p, fma(a, b.lo, fma(a, b.hi, -p))};
}

template <class V>
Pair<V> product(V a, Pair<V> b) {
  return a * b;
}

/// a b without lo·lo. Valid range: all pairs. Max error: 6u². Source: the exact product of the high parts.
template <class V>
Pair<V> operator*(Pair<V> a, Pair<V> b) {
  const V p = a.hi * b.hi;
  return {p, fma(a.hi, b.lo, fma(a.lo, b.hi, fma(a.hi, b.hi, -p)))};
}

/// A denominator and its inverse; all quotients by it share this one division.
template <class V>
struct Divisor {
  Pair<V> d;
  V inverse;
  explicit Divisor(Pair<V> denominator) : Divisor(denominator, V(1.0) / denominator.hi) {}
  Divisor(Pair<V> denominator, V inverse_of_hi) : d(denominator), inverse(inverse_of_hi) {}
};

/// n/d, rounded; a zero keeps its sign. Max error: u + 21u². Source: the remainder corrects the quotient.
template <class V>
V divide(V n, const Divisor<V>& by) {
  const V q = fused_product(n, by.inverse);
  const V excess = fma(q, by.d.lo, fma(q, by.d.hi, -n));
  return fma(-excess, by.inverse, q);
}

/// n/d. The low part is computed from the remainder of the rounded quotient. Valid range: where the inverse of d is
/// normal. Max error: 21u². Source: division by a Newton step.
template <class V>
Pair<V> operator/(Pair<V> n, const Divisor<V>& by) {
  const V q = n.hi * by.inverse;
  const V remainder = fma(-q, by.d.lo, fma(-q, by.d.hi, n.hi) + n.lo);
  return {q, remainder * by.inverse};
}

/// A positive divisor of any size. It is multiplied by a power of two, so that its inverse is normal, and so is the
/// quotient. A quotient by infinity is 0. Valid range: d > 0. Max error: that of operator/.
template <class V>
struct Magnitude {
  Divisor<V> scaled;
  V power;

  explicit Magnitude(V d) : Magnitude(d, d > V(std::numeric_limits<typename V::Element>::max())) {}

 private:
  Magnitude(V d, typename V::Mask infinite)
      : Magnitude(
            select(infinite, V(1.0), d),
            select(infinite, V(0.0), select(d < V(0x1p-64), V(0x1p64), select(d > V(0x1p64), V(0x1p-64), V(1.0)))),
            infinite) {}
  Magnitude(V d, V scale, typename V::Mask infinite)
      : scaled({d * select(infinite, V(1.0), scale), 0.0}), power(scale) {}
};

template <class V>
Pair<V> operator/(Pair<V> n, const Magnitude<V>& by) {
  const Pair<V> q = n / by.scaled;
  return {q.hi * by.power, q.lo * by.power};
}

/// Whether d is a power of two with a finite inverse. It is if rounding it to one bit does not change it. Near the
/// largest number the result is false, which is harmless. Valid range: d > 0. Source: Veltkamp's splitting, algorithm
/// 4.9.
template <class V>
typename V::Mask is_power_of_two(V d) {
  const V c = d * V(1 / std::numeric_limits<typename V::Element>::epsilon() + 1);
  return select(d >= V(0x1p-64), c - (c - d), V(0.0)) == d;
}

template <class V>
Pair<V> select(typename V::Mask m, Pair<V> a, Pair<V> b) {
  return {select(m, a.hi, b.hi), select(m, a.lo, b.lo)};
}

/// c[0] + c[1] x + …, rounded at each step. Source: Horner's rule.
template <class V, class T, std::size_t n>
V polynomial(V x, const T (&c)[n]) {
  V p = c[n - 1];
  for (std::size_t i = n - 1; i-- > 0;) p = fma(p, x, V(c[i]));
  return p;
}

template <class V>
typename V::Mask is_finite(V x) {
  return abs(x) <= V(std::numeric_limits<typename V::Element>::max());
}

/// g (hi + lo), rounded. Valid range: finite g. Max error: u + u², as for multiply_any. Source: one fma.
template <class V>
V multiply(V g, Pair<V> d) {
  return fma(g, d.hi, fused_product(g, d.lo));
}

/// g n/d, rounded. Valid range: finite g; where the inverse of d and the remainder are normal. Max error: u + 22u².
/// Source: division by a Newton step, and multiply.
template <class V>
V multiply(V g, V n, const Divisor<V>& by) {
  const V q = n * by.inverse;
  const V excess = fma(q, by.d.lo, fma(q, by.d.hi, -n));
  return fma(g, q, fused_product(g, -(excess * by.inverse)));
}

/// g (hi + lo), rounded; it is infinite where the product overflows. Valid range: all g. Max error: u + u². Source: one
/// fma.
template <class V>
V multiply_any(V g, Pair<V> p) {
  const V product = fused_product(g, p.lo);
  // An infinite low part would make the sum NaN.
  return fma(g, p.hi, select(is_finite(product), product, V(0.0)));
}

/// The number value · half_scale², where half_scale is a power of two. It can represent derivatives down to the square
/// of the smallest normal number. A gradient is multiplied by the value first, including its low part. The product
/// therefore has only one rounding error, subnormal results are rounded only once, and a derivative far below the
/// smallest number is not lost if the gradient is large.
template <class V>
struct Scaled {
  Pair<V> value;
  V half_scale;
  friend V operator*(V g, Scaled s) { return scale(multiply_any(g, s.value), s.half_scale); }
};

}  // namespace fastact::math
