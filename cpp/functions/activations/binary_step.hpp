// The step function.
#pragma once

#include "functions/activations/activation.hpp"
#include "functions/activations/nan.hpp"

namespace fastact::activations {

/// f(x) = 1 for x >= 0, else 0; f'(x) = 0. Exact.
struct binary_step : Traits {
  static constexpr Cost cost = copying;
  static constexpr bool selects = true;
  template <class V>
  static V forward(V x) {
    return keep_nan(x, select(x >= V(0.0), V(1.0), V(0.0)));
  }
  template <class V>
  static V backward(V x, V) {
    return keep_nan(x, V(0.0));
  }
};

}  // namespace fastact::activations
