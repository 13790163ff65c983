#pragma once

#include <cstddef>
#include <limits>

#include "math/subnormal.hpp"

/// Unevaluated sums of two numbers ("double-float", "double-double"): what a formula carries so that its one final
/// rounding is nearly the only one. Dekker, "A floating-point technique for extending the available precision", 1971;
/// the error-free sums and products are in Muller et al., "Handbook of Floating-Point Arithmetic", 2nd ed., chapter 4.
namespace fastact::math {

/// The low part of a number that has none: compilers leave out what adds -0, but not what adds 0.
constexpr double none = -0.0;

template <class V>
struct Pair {
  V hi, lo;
  V value() const { return hi + lo; }
  /// Also where hi is infinite and has left NaN in lo.
  V value_or_infinity() const { return select(lo == lo, hi + lo, hi); }
};

/// a + b exactly, where |a| >= |b| or a = 0 (algorithm 4.3).
template <class V>
Pair<V> fast_sum(V a, V b) {
  const V s = a + b;
  return {s, b - (s - a)};
}

template <class V>
Pair<V> normalized(V a) {
  return {a, 0.0};
}
template <class V>
Pair<V> normalized(Pair<V> a) {
  return fast_sum(a.hi, a.lo);
}

/// a + b exactly (algorithm 4.4).
template <class V>
Pair<V> sum(V a, V b) {
  const V s = a + b;
  const V back = s - a;
  return {s, (a - (s - back)) + (b - back)};
}

/// Likewise where neither is negative: the larger is the one of larger magnitude.
template <class V>
Pair<V> positive_sum(V a, V b) {
  const V s = a + b;
  return {s, min(a, b) - (s - max(a, b))};
}

/// a b exactly, unless the low part underflows (algorithm 4.8).
template <class V>
Pair<V> product(V a, V b) {
  const V p = a * b;
  return {p, fma(a, b, -p)};
}

template <class V>
Pair<V> operator-(Pair<V> a) {
  return {-a.hi, -a.lo};
}

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

/// a + b where |a| >= |b| or a = 0.
template <class V>
Pair<V> fast_sum(V a, Pair<V> b) {
  const Pair<V> s = fast_sum(a, b.hi);
  return {s.hi, s.lo + b.lo};
}

template <class V>
Pair<V> operator*(V a, Pair<V> b) {
  const V p = a * b.hi;
  return {p, fma(a, b.lo, fma(a, b.hi, -p))};
}

template <class V>
Pair<V> product(V a, Pair<V> b) {
  return a * b;
}

template <class V>
Pair<V> operator*(Pair<V> a, Pair<V> b) {
  const V p = a.hi * b.hi;
  return {p, fma(a.hi, b.lo, fma(a.lo, b.hi, fma(a.hi, b.hi, -p)))};
}

/// A denominator with the one division that all quotients by it share.
template <class V>
struct Divisor {
  Pair<V> d;
  V inverse;
  explicit Divisor(Pair<V> denominator) : Divisor(denominator, V(1.0) / denominator.hi) {}
  Divisor(Pair<V> denominator, V inverse_of_hi) : d(denominator), inverse(inverse_of_hi) {}
};

/// n/d, rounded; a zero keeps its sign.
template <class V>
V divide(V n, const Divisor<V>& by) {
  const V q = fma(n, by.inverse, V(-0.0));  // see subnormal.hpp
  const V excess = fma(q, by.d.lo, fma(q, by.d.hi, -n));
  return fma(-excess, by.inverse, q);
}

/// The remainder of the rounded quotient gives its low part.
template <class V>
Pair<V> operator/(Pair<V> n, const Divisor<V>& by) {
  const V q = n.hi * by.inverse;
  const V remainder = fma(-q, by.d.lo, fma(-q, by.d.hi, n.hi) + n.lo);
  return {q, remainder * by.inverse};
}

template <class V>
Pair<V> select(typename V::Mask m, Pair<V> a, Pair<V> b) {
  return {select(m, a.hi, b.hi), select(m, a.lo, b.lo)};
}

/// c[0] + c[1] x + … by Horner's rule.
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

/// g (hi + lo), infinite where that overflows.
template <class V>
V multiply_any(V g, Pair<V> p) {
  const V product = fma(g, p.lo, V(-0.0));  // see subnormal.hpp
  // An infinite low part would hide the result's sign.
  return fma(g, p.hi, select(is_finite(product), product, V(0.0)));
}

/// value · tail², tail a power of two: a derivative down to the square of the smallest normal number. A gradient meets
/// the normal value first, low part and all, so that one rounding is all the product costs, only the last one rounds to
/// the subnormals' few bits, and a derivative far below them still counts when a large gradient comes in.
template <class V>
struct Scaled {
  Pair<V> value;
  V tail;
  friend V operator*(V g, Scaled s) { return scale(multiply_any(g, s.value), s.tail); }
};

}  // namespace fastact::math
