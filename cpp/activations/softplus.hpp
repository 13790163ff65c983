#pragma once

#include "math/log1p.hpp"
#include "math/logistic.hpp"
#include "math/piecewise.hpp"
#include "math/tail.hpp"

namespace fastact::activations {

/// f(x) = log(1 + e^(βx))/β, as max(x, 0) + log(1 + e^-|βx|)/β; f'(x) = σ(βx).
struct softplus {
  template <class V>
  static V forward(V x, V beta) {
    const V zero = 0.0;
    const auto positive = x > zero;
    const math::Divisor<V> by({beta, zero});
    const auto general = [&] {
      const math::Pair<V> w = math::argument(-abs(x), beta);
      const math::Exponential<V> e = math::exp(w.hi, w.lo);
      // A tail other than 1 belongs to an x whose max(x, 0) no longer notices.
      const math::Pair<V> y = select(positive, x, zero) + math::log1p(e.significand) / by;
      return select(positive, y.value_or_infinity(), y.value() * e.tail * e.tail);
    };
    if constexpr (math::is_single<V>) {
      const math::Pair<V> w = math::argument(x, beta);
      const auto tail = [&] {
        const V lo = select(positive, -w.lo, w.lo);
        const V log = (math::LogisticTail<V>(math::short_exp(-abs(w.hi), lo)).log1p() / by).value();
        return max(zero, x) + log;
      };
      return math::piecewise<math::pieces::Softplus>(
          w.hi, [&](const auto& f) { return (f.pair() / by).value(); },
          [&] { return math::within(w.hi, 80.0, tail, general); }, w.lo);
    } else {
      return general();
    }
  }
  template <class V>
  static math::Scaled<V> derivative(V x, V beta) {
    const math::Pair<V> w = math::argument(x, beta);
    const math::Logistic<V> logistic(w.hi, w.lo);
    return {logistic.sigma(), logistic.tail()};
  }
  template <class V>
  static V backward(V x, V g, V beta) {
    const auto general = [&] { return g * derivative(x, beta); };
    if constexpr (math::is_single<V>) {
      const math::Pair<V> w = math::argument(x, beta);
      const auto tail = [&] {
        const V lo = select(w.hi < V(0.0), w.lo, -w.lo);
        const math::Pair<V> d = math::LogisticTail<V>(math::short_exp(-abs(w.hi), lo)).sigma();
        return math::multiply(g, math::or_rest_of_one(w.hi, d));
      };
      return math::piecewise_gradient<math::pieces::Sigma>(
          w.hi, g, [&] { return math::within(fma(g, V(0.0), w.hi), 80.0, tail, general); }, w.lo);
    } else {
      return general();
    }
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
  static V backward(V x, V g) {
    return softplus::backward(-x, g, V(1.0));
  }
};

}  // namespace fastact::activations
