#pragma once

#include "activations/sigmoid.hpp"
#include "math/log1p.hpp"

namespace fastact::activations {

/// f(x) = log(1 + e^(βx))/β, as max(x, 0) + log(1 + e^-|βx|)/β; f'(x) = σ(βx).
struct softplus {
  template <class V>
  static V forward(V x, V beta) {
    const V zero = 0.0;
    const auto positive = x > zero;
    const math::Exponential<V> e = negative_exp(x, beta);
    const math::Pair<V> log = math::log1p(e.significand) / math::Divisor<V>({beta, zero});
    // A tail other than 1 belongs to an x whose max(x, 0) no longer notices.
    const math::Pair<V> y = select(positive, x, zero) + log;
    const V finite = select(y.lo == y.lo, y.value(), y.hi);  // infinity leaves no low part
    return select(positive, finite, finite * e.tail * e.tail);
  }
  template <class V>
  static math::Scaled<V> derivative(V x, V beta) {
    const math::Exponential<V> e = negative_exp(x, beta);
    const auto negative = x < V(0.0);
    const math::Divisor<V> one_plus_e(fast_sum(V(1.0), e.significand));
    const math::Pair<V> numerator = select(negative, e.significand, {1.0, 0.0});
    return {(numerator / one_plus_e).value(), select(negative, e.tail, V(1.0))};
  }
  /// σ(βx) = 1 - e^(-βy).
  template <class V>
  static V backward_from_output(V y, V g, V beta) {
    return g * -math::expm1(-(beta * y)).value();
  }
  static constexpr bool allows(double beta) { return beta > 0; }
  static constexpr const char* allowed = "beta > 0";

 private:
  /// e^-|βx|, the product's rounding error included unless the product is beyond any exponential.
  template <class V>
  static math::Exponential<V> negative_exp(V x, V beta) {
    const math::Pair<V> p = math::product(-abs(x), beta);
    return math::exp(p.hi, select(p.hi > V(math::Constants<typename V::Element>::lowest), p.lo, V(0.0)));
  }
};

}  // namespace fastact::activations
