// The identity.
#pragma once

#include "functions/activations/activation.hpp"
#include "functions/activations/nan.hpp"

namespace fastact::activations {

/// f(x) = x, f'(x) = 1. Exact.
struct identity : Traits {
  static constexpr Cost cost = copying;
  static constexpr bool selects = true;
  template <class V>
  static V forward(V x) {
    return x;
  }
  template <class V>
  static V backward(V x, V g) {
    return keep_nan(x, g);
  }
  template <class V>
  static V gated(V a, V b) {
    return a * b;
  }
};

}  // namespace fastact::activations
