// Mish.
#pragma once

#include "functions/activations/activation.hpp"
#include "math/expansion.hpp"

namespace fastact::activations {

/// f(x) = x tanh(softplus x), Misra, "Mish: a self regularized non-monotonic activation function", 2019;
/// f' is zero at -1.1924.
///
/// With u = e^x and n = u(u + 2), f = x n/(n + 2) and f' = u ω/(n + 2)²,
/// ω = 4(x + 1) + (4x + 6)u + 4u² + u³. With e = e^-|x|, for x < 0 u = e; for x >= 0 numerator and denominator are
/// multiplied by e² and e⁴: n becomes 1 + 2e, n + 2 becomes 1 + 2e + 2e², and u ω the same cubic with its coefficients
/// reversed, (u ω)e⁴ = 1 + e(4 + e((4x + 6) + e 4(x + 1))).
struct mish : Traits {
  template <class V>
  static V forward(V x) {
    const auto general = [](V v) {
      const Parts<V> p(v);
      const V y = (p.x * (p.n / math::Divisor<V>(p.n_plus_2))).value();
      return copysign(select(p.negative, math::scale(y, p.e.half_scale), select(v > V(p.beyond), v, y)), v);
    };
    const auto fast = [general](auto v) {
      return math::moderate_or_general(v, [](auto w) { return math::multiply(w, tanh_softplus(w)); }, general, v);
    };
    return math::in_float<V>(fast, general, x);
  }
  template <class V>
  static V backward(V x, V g) {
    const auto general = [](V v, V once) { return once * derivative(v); };
    const auto fast = [general](auto v, auto once) {
      const auto near = [](auto w, auto factor) { return math::multiply(factor, near_derivative(w)); };
      return math::moderate_or_general(math::nan_unless_finite(once, v), near, general, v, once);
    };
    return math::in_float<V>(fast, general, x, g);
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    using math::Pair;
    const Parts<V> p(x);
    const Pair<V> e = p.e.significand;
    const Pair<V> four{4.0, 0.0}, one{1.0, 0.0};
    const Pair<V> one_plus_x = math::sum(V(1.0), p.x);
    const Pair<V> constant{4.0 * one_plus_x.hi, 4.0 * one_plus_x.lo};
    const Pair<V> linear = V(2.0) + constant;
    const Pair<V> cubic = select(p.negative, constant, one) +
                          e * (select(p.negative, linear, four) +
                               e * (select(p.negative, four, linear) + e * select(p.negative, one, constant)));
    const Pair<V> numerator = select(p.negative, e * cubic, cubic);
    const math::Divisor<V> by(p.n_plus_2);
    return {numerator / by / by, select(p.negative, p.e.half_scale, V(1.0))};
  }

 private:
  /// n/(n + 2) for floats, which is u - u²/2 + u⁴/4 + … for small u. Both parts are positive at 0, so that f keeps the
  /// sign of -0. Valid range: |x| <= 80.
  template <class V>
  static math::Pair<V> tanh_softplus(V x) {
    using F = math::expansions::Mish;
    return math::expansion_or<F>(V(F::begin) <= x, min(V(F::end), x), [x] { return math::exp_minus_half_square(x); });
  }
  /// f' for floats, which is u (1 + x - u (1/2 + x)) + … for small u. Valid range: |x| <= 80.
  template <class V>
  static math::Pair<V> near_derivative(V x) {
    using F = math::expansions::MishDerivative;
    return math::expansion_or<F>(V(F::begin) <= x, min(V(F::end), x), [x] {
      const auto [power, rest] = math::exp_by_steps(x, V(math::none), V(0.0));
      const V u = fma(power, rest, power), square = select(x > V(-40.0), u, V(0.0)) * u;  // u² is negligible beyond
      const math::Pair<V> first = math::product(1.0 + x, power);
      return math::Pair<V>{first.hi, fma(square, -0.5 - x, fma(first.hi, rest, first.lo))};
    });
  }
  template <class V>
  struct Parts {
    using C = math::Constants<typename V::Element>;
    static constexpr double beyond = -C::expm1_lowest;  // f(x) = x and f' = 1 from here on
    V x;
    typename V::Mask negative;
    math::Exponential<V> e;
    math::Pair<V> n, n_plus_2;
    explicit Parts(V unbounded)
        : x(max(V(C::lowest), min(V(beyond), unbounded))), negative(x < V(0.0)), e(math::exp(-abs(x))) {
      const math::Pair<V> square = e.significand * e.significand;
      const math::Pair<V> twice{2.0 * e.significand.hi, 2.0 * e.significand.lo};
      const math::Pair<V> one{1.0, 0.0}, two{2.0, 0.0};
      n = twice + select(negative, square, one);
      n_plus_2 = n + select(negative, two, {2.0 * square.hi, 2.0 * square.lo});
      // A half_scale of e other than 1 is that of n as well; e is then negligible in n + 2.
    }
  };
};

}  // namespace fastact::activations
