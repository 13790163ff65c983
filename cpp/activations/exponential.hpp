#pragma once

#include "math/exp.hpp"

namespace fastact::activations {

/// f(x) = f'(x) = e^x.
struct exponential {
  template <class V>
  static V forward(V x) {
    return V(1.0) * derivative(x);
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
