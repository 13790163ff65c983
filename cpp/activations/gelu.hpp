#pragma once

#include "math/normal.hpp"
#include "math/root.hpp"

namespace fastact::activations {

/// Gaussian error linear unit, f(x) = x Φ(x); f'(x) = Φ(x) + x φ(x), zero at -0.7518.
///
/// With a = |x|, f = max(x, 0) - a Φ(-a) and f' is d = Φ(-a) - a φ(a) for x < 0, 1 - d for x >= 0: nothing cancels
/// but at the root.
struct gelu {
  template <class V>
  static V forward(V x) {
    const math::NormalTail<V> tail(x);
    const math::Pair<V> t = tail.x * (tail.mills() * tail.e.significand);
    const V negative = t.value() * tail.e.tail * tail.e.tail;
    const V positive = (tail.x + -t).value();
    return copysign(select(x > V(0.0), select(x > V(tail.end), x, positive), negative), x);
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::NormalTail<V> tail(x);
    const math::Pair<V> d = (tail.mills() + -(abs(tail.x) * math::density<V>())) * tail.e.significand;
    const auto negative = x < V(0.0);
    const V one = 1.0;
    const V value = select(negative, d, one + -d).value();
    return {math::near_root<math::GeluRoot>(x, value), select(negative, tail.e.tail, one)};
  }
};

}  // namespace fastact::activations
