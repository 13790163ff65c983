#pragma once

#include "math/pair.hpp"

namespace fastact::activations {

/// Of an element with regard to x and to a learned parameter.
template <class V>
struct Gradients {
  V x;
  math::Pair<V> parameter;

  friend Gradients select(typename V::Mask m, const Gradients& a, const Gradients& b) {
    return {select(m, a.x, b.x), select(m, a.parameter, b.parameter)};
  }
};

/// g f'(x), unless the activation has a backward of its own: one with a flat piece, where f' = 0 whatever g is.
template <class A, class V, class... P>
V gradient(V x, V g, P... p) {
  if constexpr (requires { A::backward(x, g, p...); }) {
    return A::backward(x, g, p...);
  } else {
    return g * A::derivative(x, p...);
  }
}

}  // namespace fastact::activations
