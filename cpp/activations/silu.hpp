#pragma once

#include "activations/sigmoid.hpp"
#include "math/root.hpp"

namespace fastact::activations {

/// Sigmoid linear unit, f(x) = x σ(x); f'(x) = σ(x)(1 + x σ(-x)), zero at -1.2785.
///
/// With e = e^-|x|, f = x/(1 + e) or x e/(1 + e), and f' = (1 + e(1 + x))/(1 + e)² for x >= 0,
/// e(1 + x + e)/(1 + e)² for x < 0. Beyond `lowest` f is what it is there, -0, and f' is 0.
struct silu {
  template <class V>
  static V forward(V x) {
    using C = math::Constants<typename V::Element>;
    const V bounded = max(V(C::lowest), min(V(-C::lowest), x));
    const auto [e, one_plus_e] = sigmoid::parts(bounded);
    const auto negative = x < V(0.0);
    const math::Pair<V> numerator = select(negative, e.significand, {1.0, 0.0});
    const V y = (bounded * (numerator / one_plus_e)).value();
    return copysign(select(negative, y * e.tail * e.tail, select(x > V(-C::lowest), x, y)), x);
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    using C = math::Constants<typename V::Element>;
    const V bounded = max(V(C::lowest), min(V(-C::lowest), x));
    const auto [e, one_plus_e] = sigmoid::parts(bounded);
    const auto negative = x < V(0.0);
    const V one = 1.0;
    const math::Pair<V> one_plus_x = math::sum(one, bounded);
    const math::Pair<V> factor = select(negative, one_plus_x + e.significand, one_plus_x);
    const math::Pair<V> product = e.significand * factor;
    const math::Pair<V> numerator = select(negative, product, one + product);
    const V value = (numerator / one_plus_e / one_plus_e).value();
    return {math::near_root<math::SiluRoot>(x, value), select(negative, e.tail, one)};
  }
};

}  // namespace fastact::activations
