#pragma once

#include "math/logistic.hpp"
#include "math/piecewise.hpp"

/// Float formulas beyond the tables' range, where e^-|x| is small: series in it, and no division. Beyond e^-40 their
/// squares and low parts would be subnormal.
namespace fastact::math {

/// What the functions of the form x σ(w) share where e = e^-|w| is below 2^-9, from the first terms of their series.
template <class V>
struct LogisticTail {
  Pair<V> e;
  V sum;
  explicit LogisticTail(Pair<V> exponential) : e(exponential), sum(e.value()) {}
  /// Where e has a tail: the other terms don't count there.
  explicit LogisticTail(Exponential<V> exponential)
      : e(exponential.significand), sum(select(exponential.tail == V(1.0), e.value(), V(0.0))) {}
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
Scaled<V> or_rest_of_one(V x, Scaled<V> d) {
  const V one = 1.0, rest = select(d.tail == one, -d.value.value(), V(0.0));  // with a tail it is nothing beside 1
  const auto negative = x < V(0.0);
  return {{select(negative, d.value.hi, one), select(negative, d.value.lo, rest)}, select(negative, d.tail, one)};
}

}  // namespace fastact::math
