#pragma once

#include "math/exp.hpp"
#include "math/piecewise.hpp"
#include "math/root.hpp"
#include "math/tail.hpp"

namespace fastact::activations {

/// f(x) = x tanh(softplus x), Misra, "Mish: a self regularized non-monotonic activation function", 2019;
/// f' is zero at -1.1924.
///
/// With u = e^x and n = u(u + 2), f = x n/(n + 2) and f' = u ω/(n + 2)²,
/// ω = 4(x + 1) + (4x + 6)u + 4u² + u³. With e = e^-|x|, for x < 0 u = e; for x >= 0 numerator and denominator are
/// multiplied by e² and e⁴: n becomes 1 + 2e, n + 2 becomes 1 + 2e + 2e², and u ω the same cubic with its coefficients
/// reversed, (u ω)e⁴ = 1 + e(4 + e((4x + 6) + e 4(x + 1))).
struct mish {
  template <class V>
  static V forward(V x) {
    const auto general = [](V v) {
      const Parts<V> p(v);
      const V y = (p.x * (p.n / math::Divisor<V>(p.n_plus_2))).value();
      return copysign(select(p.negative, math::scale(y, p.e.tail), select(v > V(p.beyond), v, y)), v);
    };
    const auto tail = [](auto w) {
      const Tail<decltype(w)> u(w);
      const auto negative = math::multiply(w, {u.e.hi, fma(u.square, V(-0.5), u.e.lo)});
      return select(w < V(0.0), negative, fma(w * u.square, fma(u.sum, V(4.0), V(-2.0)), w));
    };
    return math::piecewise<math::pieces::Mish>(
        x, [=](const auto& f) { return copysign(f.value(), x); }, 40.0, tail, general);
  }
  template <class V>
  static V backward(V x, V g) {
    return math::piecewise_gradient<math::pieces::MishDerivative>(
        x, g, 40.0, [](V beyond) { return tail_derivative(beyond); }, [](V w, V once) { return once * derivative(w); });
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
    return {math::near_root<math::MishRoot>(x, V(0.0), numerator / by / by), select(p.negative, p.e.tail, V(1.0))};
  }

 private:
  /// Where u = e^-|x| is small: tanh(log(1 + u)) = u - u²/2 + u⁴/4 - … for x < 0, 1 - 2u² + 4u³ - … for x > 0.
  template <class V>
  struct Tail {
    math::Pair<V> e;
    V sum, square;
    explicit Tail(V x) : e(math::short_exp(-abs(x))), sum(e.value()), square(sum * sum) {}
  };
  template <class V>
  static math::Pair<V> tail_derivative(V x) {
    const Tail<V> u(x);
    const math::Pair<V> d = (1.0 + x) * u.e;
    const V rest = u.square * fma(u.sum, fma(x, V(-12.0), V(4.0)), fma(x, V(4.0), V(-2.0)));
    const auto negative = x < V(0.0);
    return {select(negative, d.hi, V(1.0)), select(negative, fma(u.square, V(-0.5) - x, d.lo), rest)};
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
      // A tail other than 1 stands for e; n has it too, n + 2 does not notice.
    }
  };
};

}  // namespace fastact::activations
