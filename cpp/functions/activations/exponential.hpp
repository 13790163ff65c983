// The exponential function.
#pragma once

#include "functions/activations/activation.hpp"
#include "math/exp.hpp"
#include "math/fast_path.hpp"

namespace fastact::activations {

/// f(x) = f'(x) = e^x.
struct exponential : Traits {
  template <class V>
  static V forward(V x) {
    return math::moderate_or_general(
        x, [](auto v) { return math::moderate_exp(v).hi; }, []<class W>(W v) { return W(1.0) * derivative(v); }, x);
  }
  template <class V>
  static V backward(V x, V g) {
    return math::moderate_or_general(
        math::nan_unless_finite(g, x),
        [](auto v, auto once) { return math::multiply_any(once, math::moderate_exp(v)); },
        [](auto v, auto once) { return once * derivative(v); }, x, g);
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::Exponential<V> e = math::exp<true>(x);
    return {e.significand, e.half_scale};
  }
  /// g y.
  template <class V>
  static V backward_from_output(V y, V g) {
    return g * y;
  }
};

}  // namespace fastact::activations
