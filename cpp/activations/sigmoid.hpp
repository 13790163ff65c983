#pragma once

#include "math/exp.hpp"

namespace fastact::activations {

/// Logistic function, f(x) = σ(x) = 1/(1 + e^-x); f'(x) = σ(x) σ(-x).
///
/// With e = e^-|x|, σ(|x|) = 1/(1 + e), σ(-|x|) = e/(1 + e) and f' = e/(1 + e)²: nothing cancels and nothing overflows.
struct sigmoid {
  template <class V>
  struct Parts {
    math::Exponential<V> e;
    math::Divisor<V> one_plus_e;
  };
  template <class V>
  static Parts<V> parts(V x, V x_lo = 0.0) {
    const math::Exponential<V> e = math::exp(-abs(x), x_lo);
    return {e, math::Divisor<V>(fast_sum(V(1.0), e.significand))};
  }

  template <class V>
  static V forward(V x) {
    const auto [e, one_plus_e] = parts(x);
    const auto negative = x < V(0.0);
    const math::Pair<V> numerator = select(negative, e.significand, {1.0, 0.0});
    const V y = (numerator / one_plus_e).value();
    return select(negative, y * e.tail * e.tail, y);
  }
  template <class V>
  static math::Scaled<V> derivative(V x, V x_lo = 0.0) {
    const auto [e, one_plus_e] = parts(x, x_lo);
    return {(e.significand / one_plus_e / one_plus_e).value(), e.tail};
  }
  /// g y (1 - y).
  template <class V>
  static V backward_from_output(V y, V g) {
    return g * (y * (1.0 - y));
  }
};

/// f(x) = tanh x; f'(x) = 1/cosh² x.
///
/// With m = e^(-2|x|) - 1, tanh |x| = -m/(2 + m); with e = e^(-2|x|), f' = 4e/(1 + e)², four times the logistic
/// derivative at 2x.
struct tanh {
  template <class V>
  static V forward(V x) {
    const math::Pair<V> m = -math::expm1(-2.0 * abs(x));
    const math::Divisor<V> denominator(fast_sum(V(2.0), -m));
    return copysign((m / denominator).value(), x);
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::Scaled<V> d = sigmoid::derivative(2.0 * x);
    return {4.0 * d.value, d.tail};
  }
  /// g (1 - y²), as g (1 - y)(1 + y).
  template <class V>
  static V backward_from_output(V y, V g) {
    return g * ((1.0 - y) * (1.0 + y));
  }
};

}  // namespace fastact::activations
