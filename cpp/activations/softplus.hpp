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
    const auto general = [](V v, V b) {
      const V zero = 0.0;
      const auto positive = v > zero;
      const math::Pair<V> w = math::argument(-abs(v), b);
      const math::Exponential<V> e = math::exp(w.hi, w.lo);
      // A tail other than 1 belongs to an x whose max(x, 0) no longer notices.
      const math::Pair<V> log = math::log1p(e.significand) / math::Divisor<V>({b, zero});
      const math::Pair<V> y = select(positive, v, zero) + log;
      return select(positive, y.value_or_infinity(), math::scale(y.value(), e.tail));
    };
    if constexpr (math::is_single<V>) {
      const math::Pair<V> w = math::argument(x, beta);
      const math::Divisor<V> by({beta, 0.0});
      const auto tail = [&] {
        const V lo = select(x > V(0.0), -w.lo, w.lo);
        const V log = (math::LogisticTail<V>(math::short_exp(max(V(-40.0), -abs(w.hi)), lo)).log1p() / by).value();
        return math::within(w.hi, 40.0, max(V(0.0), x) + log, general, x, beta);
      };
      return math::piecewise<math::pieces::Softplus>(
          w.hi, [&](const auto& f) { return (f.pair() / by).value(); }, tail, w.lo);
    } else {
      return general(x, beta);
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
    const auto near = [](auto v, auto once, auto b) {
      const auto w = math::product(v, b);
      return divide(once, math::one_plus_exp(-w.hi, -w.lo));
    };
    return math::usually(
        fma(g, V(0.0), x * beta), near, [](V v, V once, V b) { return once * derivative(v, b); }, x, g, beta);
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
    return math::usually(
        fma(g, V(0.0), x), [](auto v, auto once) { return divide(once, math::one_plus_exp(v)); },
        [](V v, V once) { return once * softplus::derivative(-v, V(1.0)); }, x, g);
  }
};

}  // namespace fastact::activations
