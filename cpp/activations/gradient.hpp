#pragma once

namespace fastact::activations {

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
