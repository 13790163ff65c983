#pragma once

#include "math/logistic.hpp"
#include "math/piecewise.hpp"

/// Float formulas beyond the tables' range, where e^-|x| is small: series in it, and no division.
namespace fastact::math {

/// A derivative value · tail² that is as large as 2^60 where tail is not 1: a gradient meets tail first.
template <class V>
struct Lifted {
  Pair<V> value;
  V tail;
  V times(V g) const { return fma(multiply_any(g * tail, value), tail, V(-0.0)); }
};

/// e^x for x <= 0.
template <class V>
Exponential<V> long_exp(V x, V x_lo = none) {
  const V bounded = max(V(-200.0), x);
  const auto is_small = bounded < V(-80.0);
  return {exp_by_table(bounded, x_lo, select(is_small, V(170.0), V(0.0))), select(is_small, V(0x1p-85), V(1.0))};
}

/// What the functions of the form x σ(w) share where e = e^-|w| is below 2^-9, from the first terms of their series.
template <class V>
struct LogisticTail {
  Pair<V> e;
  V sum;
  explicit LogisticTail(Pair<V> exponential) : e(exponential), sum(e.value()) {}
  /// Where e has a tail: the other terms don't count there.
  explicit LogisticTail(Exponential<V> exponential)
      : e(exponential.significand), sum(fma(e.value(), exponential.tail, V(0.0))) {}
  /// log(1 + e) = e - e²/2 + e³/3 - ….
  Pair<V> log1p() const { return {e.hi, fma(sum * sum, fma(sum, V(1.0 / 3), V(-0.5)), e.lo)}; }
  /// σ(-|w|)(1 + z σ(|w|)) = e((1 + z) - e(1 + 2z) + e²(1 + 3z) - …).
  Pair<V> product_derivative(Pair<V> z) const {
    const Pair<V> k = V(1.0) + z;
    const V series = fma(sum, fma(z.hi, V(3.0), V(1.0)), fma(z.hi, V(-2.0), V(-1.0)));
    const Pair<V> d = e * k;
    return {d.hi, fma(e.value() * sum, series, d.lo)};
  }
};

/// As mirrored, d being small.
template <class V>
Lifted<V> or_rest_of_one(V x, Lifted<V> d) {
  const V rest = -scale(d.value.value(), d.tail), one = 1.0;
  const auto negative = x < V(0.0);
  return {{select(negative, d.value.hi, one), select(negative, d.value.lo, rest)}, select(negative, d.tail, one)};
}

}  // namespace fastact::math
