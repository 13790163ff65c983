// Softplus, and the logarithm of the logistic function.
#pragma once

#include <limits>

#include "functions/activations/activation.hpp"
#include "functions/activations/sigmoid.hpp"
#include "math/expansion.hpp"
#include "math/log1p.hpp"
#include "math/logistic.hpp"

namespace fastact::activations {

/// f(x) = log(1 + e^(βx))/β, as max(x, 0) + log(1 + e^-|βx|)/β; f'(x) = σ(βx).
struct softplus : Traits {
  static constexpr Cost output_cost = computing;
  template <class V>
  static V forward(V x, V beta) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto general = []<class W>(W v, W b) {
      const W zero = 0.0;
      const auto positive = v > zero;
      const math::Pair<W> w = math::argument(-abs(v), b);
      const math::Exponential<W> e = math::exp(w.hi, w.lo);
      // Where half_scale is not 1 and x is positive, the logarithm is negligible compared with max(x, 0).
      const math::Pair<W> log = math::log1p(e.significand) / math::Magnitude<W>(b);
      const math::Pair<W> y = select(positive, v, zero) + log;
      // A subnormal β would make the quotient of the smallest exponential and β visible at -∞.
      const W negative = select(v == W(-infinity), zero, math::scale(log.value_or_infinity(), e.half_scale));
      return select(positive, y.value_or_infinity(), negative);
    };
    // Products with powers of two are exact.
    const auto exact = [](auto v, auto b) { return unit(v * b) * (1.0 / b); };
    return math::moderate_or_general(select(math::is_power_of_two(beta), x * beta, V(infinity)), exact, general, x,
                                     beta);
  }
  template <class V>
  static math::Scaled<V> derivative(V x, V beta) {
    const math::Pair<V> w = math::argument(x, beta);
    const math::Logistic<V> logistic(w.hi, w.lo);
    return {logistic.sigma(), logistic.half_scale()};
  }
  template <class V>
  static V backward(V x, V g, V beta) {
    const auto near = [](auto v, auto once, auto b) {
      const auto w = math::product(v, b);
      return divide(once, math::one_plus_exp(-w.hi, -w.lo));
    };
    return math::moderate_or_general(
        math::nan_unless_finite(g, x * beta), near, [](auto v, auto once, auto b) { return once * derivative(v, b); },
        x, g, beta);
  }
  /// σ(βx) = 1 - e^(-βy); it is 0 for y = 0, even if β is infinite.
  template <class V>
  static V backward_from_output(V y, V g, V beta) {
    return g * -math::expm1(-select(y == V(0.0), y, beta * y)).value();
  }
  static constexpr bool allows(double beta) { return beta > 0; }
  static constexpr const char* allowed = "beta > 0";

 private:
  /// log(1 + e^x). Valid range: |x| <= 80 (float) or 640 (double).
  template <class V>
  static V unit(V x) {
    const V a = abs(x);
    const auto in_table = [](auto v) {
      using F = math::expansions::Softplus;
      return math::expansion_or<F>(v <= decltype(v)(F::end), v, [v] { return math::exp_minus_half_square(-v); });
    };
    const auto formula = [](V v) { return math::log1p(math::moderate_exp(-v)); };
    const math::Pair<V> log = math::in_float<V>(in_table, formula, a);
    const auto s = math::positive_sum(max(V(0.0), x), log.hi);
    return s.hi + (s.lo + log.lo);
  }
};

/// f(x) = log σ(x) = -softplus(-x); f'(x) = σ(-x).
struct log_sigmoid : Traits {
  template <class V>
  static V forward(V x) {
    return V(0.0) - softplus::forward(-x, V(1.0));
  }
  template <class V>
  static V backward(V x, V g) {
    return sigmoid::gated(-x, g);
  }
};

}  // namespace fastact::activations
