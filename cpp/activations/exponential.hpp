#pragma once

#include "math/tail.hpp"

namespace fastact::activations {

/// f(x) = f'(x) = e^x.
struct exponential {
  template <class V>
  static V forward(V x) {
    const auto general = [&] { return V(1.0) * derivative(x); };
    if constexpr (math::is_single<V>) {
      return math::within(x, 80.0, [&] { return math::short_exp(x).value(); }, general);
    } else {
      return general();
    }
  }
  template <class V>
  static V backward(V x, V g) {
    const auto general = [&] { return g * derivative(x); };
    if constexpr (math::is_single<V>) {
      const auto near = [&] { return g * math::Scaled<V>{math::short_exp(x), 1.0}; };
      return math::within(fma(g, V(0.0), x), 80.0, near, general);
    } else {
      return general();
    }
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
