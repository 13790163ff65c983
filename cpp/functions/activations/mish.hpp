// Mish.
#pragma once

#include "functions/activations/activation.hpp"
#include "math/exp.hpp"
#include "math/fast_path.hpp"
#include "math/root.hpp"

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
    return math::moderate_or_general(
        x,
        [](auto v) {
          const Near<decltype(v)> p(v);
          return copysign(math::multiply(v, p.n / p.n_plus_2), v);
        },
        general, x);
  }
  template <class V>
  static V backward(V x, V g) {
    return math::moderate_or_general(
        math::nan_unless_finite(g, x),
        [](auto w, auto once) {
          return math::multiply(once, math::near_root<math::MishRoot>(w, V(math::none), near_derivative(w)));
        },
        [](V w, V once) { return once * derivative(w); }, x, g);
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
  /// n/(n + 2) and the rest of f' for floats; their limits hold from u = e^20 on. Valid range: |x| <= 68.
  template <class V>
  struct Near {
    math::Pair<V> u, n;
    math::Divisor<V> n_plus_2;
    explicit Near(V x) : Near(math::exp_by_table(min(V(20.0), x), V(math::none), V(0.0))) {}
    explicit Near(math::Pair<V> e) : u(e), n(times_sum(e, 2.0)), n_plus_2(V(2.0) + n) {}
    /// u (u + c). Its error counts little where u > c and a difference is not exact.
    static math::Pair<V> times_sum(math::Pair<V> u, double c) {
      const V linear = c * u.hi, hi = fma(u.hi, u.hi, linear);
      return {hi, fma(u.lo, fma(u.hi, V(2.0), V(c)), fma(u.hi, u.hi, linear - hi))};
    }
  };
  /// f' = n/(n + 2) + 4x u (u + 1)/(n + 2)².
  template <class V>
  static math::Pair<V> near_derivative(V x) {
    const Near<V> p(x);
    const math::Pair<V> slope = Near<V>::times_sum(p.u, 1.0) / p.n_plus_2;
    return p.n / p.n_plus_2 + (4.0 * min(V(20.0), x)) * slope / p.n_plus_2;
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
