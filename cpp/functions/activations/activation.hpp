// The definition of an activation: its functions, and the traits that it may override.
#pragma once

#include <concepts>
#include <cstddef>

#include "math/pair.hpp"

namespace fastact::activations {

/// The time for one element of each type, in picoseconds on a processor with AVX-512. It determines the number of
/// threads for a call, and should be too low rather than too high.
struct Cost {
  std::size_t f32, f64;
};
/// The cost of functions that take little longer than copying their elements, and the cost of all others.
constexpr Cost copying = {80, 160}, computing = {300, 1200};

/// The base of every activation: the default traits, which an activation may redefine.
///
/// An activation is a struct with static member templates on vectors V: x, the gradient g, and one vector for each
/// parameter p:
///     forward(x, p…)                   f(x)
///     backward(x, g, p…)               g f'(x), where g × derivative(x, p…) would not do
///     derivative(x, p…)                f'(x), a V or a math::Scaled<V>, where there is no backward
///     backward_from_output(y, g, p…)   g f'(x) from y = f(x), where that saves the transcendental function
///     gated(a, b)                      f(a) b, where there is a gate of two arrays
///     times(x, b)                      f(x) b, where f(x) may be subnormal, with which a product would be slow
///     with_gradient(x, g, b)           WithGradient, f(x) b and g f'(x), where f and f' have much in common
///     gate_gradients(a, b, g)          GateGradients of floats, where computing both at once saves time
///     gradients(x, g, p)               Gradients, in place of backward, where the parameter is learnable
struct Traits {
  static constexpr Cost cost = computing;
  /// The cost of backward_from_output, for the choice of kernels.
  static constexpr Cost output_cost = copying;
  /// Whether kernels may compute more registers at a time than usual (kernels/elements/loop.hpp).
  static constexpr bool interleaves = true;
  /// How many arrays f is a function of. The derivative is that for the first one; the others precede g.
  static constexpr std::size_t arrays = 1;
  /// Whether results are inputs, constants and sums of them, so that subnormal inputs cost nothing; otherwise kernels
  /// guard against them (kernels/elements/subnormal_guard.hpp). If there are no parameters either, kernels do not
  /// convert half precision, whose patterns cannot be added (simd/patterns.hpp).
  static constexpr bool selects = false;
  /// Whether f, and g f' unless g is huge, are 0 for every subnormal x, because they decrease like x² or faster near 0.
  static constexpr bool quadratic = false, quadratic_derivative = false;
  /// The condition on the parameters in words; the function `allows(p…)` checks it. There is no condition if the words
  /// are null. For backward_from_output, `output_allowed` and `output_allows` replace it.
  static constexpr const char* allowed = nullptr;
  static constexpr const char* output_allowed = nullptr;
};

/// The gradients of one element with respect to x and to a learnable parameter.
template <class V>
struct Gradients {
  V x;
  math::Pair<V> parameter;

  friend Gradients select(typename V::Mask m, const Gradients& a, const Gradients& b) {
    return {select(m, a.x, b.x), select(m, a.parameter, b.parameter)};
  }
};

/// Whether the activation also defines the gradient with respect to its parameter.
template <class A>
concept Learnable = requires { &A::template gradients<double>; };

/// Whether the gradient can be computed from the output.
template <class A>
concept DifferentiableFromOutput = requires { &A::template backward_from_output<double>; };

/// A satisfies Gated if it defines `gated`, a gate f(a) b of two arrays.
template <class A>
concept Gated = requires { &A::template gated<double>; };

/// The gradients of one element of a gate f(a) b: g b f'(a), which is backward(a, g b), and g f(a), which is gated(a,
/// g).
template <class V>
struct GateGradients {
  V a, b;
};
template <class A>
concept SharesGateGradients = requires { &A::template gate_gradients<float>; };

/// y, but a b/2 next to a = 0, where that is f(a) b, and where the low part of f(a) may underflow.
template <class V>
V halved_near_zero(V a, V b, V y) {
  return select(abs(a) < V(0x1p-60), a * (0.5 * b), y);
}

/// g f'(x).
template <class A, class V, class... P>
V gradient(V x, V g, P... p) {
  if constexpr (requires { A::backward(x, g, p...); }) {
    return A::backward(x, g, p...);
  } else {
    return g * A::derivative(x, p...);
  }
}

/// f(x) b, f(x) being rounded first.
template <class A, class V>
V times(V x, V b) {
  if constexpr (requires { A::times(x, b); }) {
    return A::times(x, b);
  } else {
    return A::forward(x) * b;
  }
}

/// f(x) b and g f'(x).
template <class V>
struct WithGradient {
  V value, gradient;

  friend WithGradient select(typename V::Mask m, const WithGradient& a, const WithGradient& b) {
    return {select(m, a.value, b.value), select(m, a.gradient, b.gradient)};
  }
};
template <class A, class V>
WithGradient<V> with_gradient(V x, V g, V b) {
  if constexpr (requires { A::with_gradient(x, g, b); }) {
    return A::with_gradient(x, g, b);
  } else {
    return {times<A>(x, b), gradient<A>(x, g)};
  }
}

/// Whether A is an activation, computed on vectors V; P are the vectors of the forward pass other than x.
template <class A, class V, class... P>
concept Activation = std::derived_from<A, Traits> && requires(V x, V g, P... p) {
  { A::forward(x, p...) } -> std::same_as<V>;
} && (Learnable<A> ? requires(V x, V g, P... p) {
                       { A::gradients(x, g, p...) } -> std::same_as<Gradients<V>>;
                     } : requires(V x, V g, P... p) { gradient<A>(x, g, p...); });

}  // namespace fastact::activations
