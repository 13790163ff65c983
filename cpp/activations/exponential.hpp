#pragma once

#include "math/piecewise.hpp"

namespace fastact::activations {

/// f(x) = f'(x) = e^x.
struct exponential {
  template <class V>
  static V forward(V x) {
    return math::usually(
        x, [](auto v) { return math::short_exp(v).hi; }, [](V v) { return V(1.0) * derivative(v); }, x);
  }
  template <class V>
  static V backward(V x, V g) {
    return math::usually(
        fma(g, V(0.0), x), [](auto v, auto once) { return math::multiply_any(once, math::short_exp(v)); },
        [](V v, V once) { return once * derivative(v); }, x, g);
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::Exponential<V> e = math::exp<true>(x);
    return {e.significand, e.tail};
  }
  /// g y.
  template <class V>
  static V backward_from_output(V y, V g) {
    return g * y;
  }
};

}  // namespace fastact::activations
