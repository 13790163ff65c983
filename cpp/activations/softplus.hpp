#pragma once

#include "math/log1p.hpp"
#include "math/logistic.hpp"

namespace fastact::activations {

/// f(x) = log(1 + e^(βx))/β, as max(x, 0) + log(1 + e^-|βx|)/β; f'(x) = σ(βx).
struct softplus {
  template <class V>
  static V forward(V x, V beta) {
    const V zero = 0.0;
    const auto positive = x > zero;
    const math::Pair<V> w = math::argument(-abs(x), beta);
    const math::Exponential<V> e = math::exp(w.hi, w.lo);
    const math::Pair<V> log = math::log1p(e.significand) / math::Divisor<V>({beta, zero});
    // A tail other than 1 belongs to an x whose max(x, 0) no longer notices.
    const math::Pair<V> y = select(positive, x, zero) + log;
    return select(positive, y.value_or_infinity(), y.value() * e.tail * e.tail);
  }
  template <class V>
  static math::Scaled<V> derivative(V x, V beta) {
    const math::Pair<V> w = math::argument(x, beta);
    const math::Logistic<V> logistic(w.hi, w.lo);
    return {logistic.sigma(), logistic.tail()};
  }
  /// σ(βx) = 1 - e^(-βy).
  template <class V>
  static V backward_from_output(V y, V g, V beta) {
    return g * -math::expm1(-(beta * y)).value();
  }
  static constexpr bool allows(double beta) { return beta > 0; }
  static constexpr const char* allowed = "beta > 0";
};

/// f(x) = log σ(x) = -softplus(-x); f'(x) = σ(-x).
struct log_sigmoid {
  template <class V>
  static V forward(V x) {
    return V(0.0) - softplus::forward(-x, V(1.0));
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::Logistic<V> logistic(-x);
    return {logistic.sigma(), logistic.tail()};
  }
};

}  // namespace fastact::activations
