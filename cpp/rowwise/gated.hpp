#pragma once

#include <array>

#include "activations/list.hpp"

namespace fastact::rowwise {

/// f(u)·v of the two halves a, b of a row: u = a, v = b, unless the gate is the second half.
template <class A, bool gate_is_second = false>
struct gated {
  static constexpr bool gate = true;
  template <class V>
  static V apply(V a, V b) {
    return gate_is_second ? a * A::forward(b) : A::forward(a) * b;
  }
};

/// The gradient for u is g v f'(u), that for v is g f(u).
template <class A, bool gate_is_second = false>
struct gated_backward {
  static constexpr bool gate = true;
  template <class V>
  static std::array<V, 2> apply(V a, V b, V g) {
    const V u = gate_is_second ? b : a, v = gate_is_second ? a : b;
    const V du = activations::gradient<A>(u, g * v), dv = g * A::forward(u);
    return gate_is_second ? std::array<V, 2>{dv, du} : std::array<V, 2>{du, dv};
  }
};

/// Dauphin et al., "Language modeling with gated convolutional networks", 2017.
struct glu : gated<activations::sigmoid, true> {};
struct glu_backward : gated_backward<activations::sigmoid, true> {};

/// Shazeer, "GLU variants improve transformer", 2020.
struct reglu : gated<activations::relu> {};
struct reglu_backward : gated_backward<activations::relu> {};
struct geglu : gated<activations::gelu> {};
struct geglu_backward : gated_backward<activations::gelu> {};
struct swiglu : gated<activations::silu> {};
struct swiglu_backward : gated_backward<activations::silu> {};

}  // namespace fastact::rowwise
