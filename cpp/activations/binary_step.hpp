#pragma once

#include "activations/cost.hpp"
#include "activations/nan.hpp"

namespace fastact::activations {

/// f(x) = 1 for x >= 0, else 0; f'(x) = 0. Exact.
struct binary_step {
  static constexpr Cost cost = copying;
  static constexpr bool chooses = true;
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
