#pragma once

#include "math/logistic.hpp"
#include "math/piecewise.hpp"
#include "math/tail.hpp"

namespace fastact::activations {

/// Logistic function, f(x) = σ(x) = 1/(1 + e^-x); f'(x) = σ(x) σ(-x).
struct sigmoid {
  template <class V>
  static V forward(V x) {
    const auto general = [](V w) {
      const math::Logistic<V> logistic(w);
      return math::scale(logistic.sigma().value(), logistic.tail());
    };
    return math::usually(x, [](auto v) { return divide(decltype(v)(1.0), math::one_plus_exp(-v)); }, general, x);
  }
  template <class V>
  static V backward(V x, V g) {
    return math::usually(
        fma(g, V(0.0), x), [](auto w, auto once) { return math::multiply(once, math::BothLogistics(w).derivative()); },
        [](V w, V once) { return once * derivative(w); }, x, g);
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::Logistic<V> logistic(x);
    return {logistic.derivative(), logistic.e.tail};
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
  static constexpr double beyond = 9.625;  // tanh is ±1 from here on
  template <class V>
  static V forward(V x) {
    if constexpr (math::is_single<V>) {
      const V bounded = min(V(beyond), abs(x));
      return copysign(math::Piece<math::pieces::Tanh, V>(bounded).times(bounded), x);
    } else {
      return copysign(of(abs(x)).value(), x);
    }
  }
  template <class V>
  static V backward(V x, V g) {
    return math::usually(
        fma(g, V(0.0), 2.0 * x),
        [](auto w, auto once) { return math::multiply(once, math::BothLogistics(2.0 * w).derivative(4.0)); },
        [](V w, V once) { return once * derivative(w); }, x, g);
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::Scaled<V> d = sigmoid::derivative(2.0 * x);
    return {{4.0 * d.value.hi, 4.0 * d.value.lo}, d.tail};
  }
  /// g (1 - y²), as g (1 - y)(1 + y).
  template <class V>
  static V backward_from_output(V y, V g) {
    return g * ((1.0 - y) * (1.0 + y));
  }
  /// tanh |x|.
  template <class V>
  static math::Pair<V> magnitude(V x) {
    if constexpr (math::is_single<V>) {
      const V bounded = min(V(beyond), abs(x));
      const math::Pair<V> f = math::Piece<math::pieces::Tanh, V>(bounded).pair();
      const V hi = fma(bounded, f.hi, bounded * f.lo);
      return {hi, fma(bounded, f.lo, fma(bounded, f.hi, -hi))};
    } else {
      return of(abs(x));
    }
  }
  /// tanh a for a >= 0.
  template <class V>
  static math::Pair<V> of(V a) {
    const math::Pair<V> m = -math::expm1(-2.0 * a);
    return m / math::Divisor<V>(fast_sum(V(2.0), -m));
  }
};

/// f(x) = x - tanh x; f'(x) = tanh² x.
///
/// In float, f(x) = x³ (x - tanh x)/x³, the quotient from a table, 2^30 times that: away from the subnormals, so that
/// only the last product rounds there. In double, up to |x| = 3/4, where the difference cancels, f(x) = x³ p(x²), with
/// p(0) = 1/3 as a pair.
struct tanh_shrink {
  static constexpr bool quadratic = true;  // f' is, near 0
  template <class V>
  static V forward(V x) {
    const V a = abs(x);
    if constexpr (math::is_single<V>) {
      const V bounded = min(V(tanh::beyond), a);
      const math::Pair<V> cube = bounded * math::product(bounded, bounded);
      return copysign(max(a - 1.0, math::Piece<math::pieces::TanhShrink, V>(bounded).times(cube) * 0x1p-30), x);
    } else {
      using C = math::Constants<typename V::Element>;
      const V square = a * a;
      // Away from the subnormals, so that only the last product rounds there.
      const V away = 0x1p30 * a;
      const math::Pair<V> cube = away * math::product(away, away);
      const V varying = square * math::polynomial(square, C::tanh_shrink);
      const math::Pair<V> p = fast_sum(V(C::third_hi), math::Pair<V>{varying, C::third_lo});
      const V near = (cube * p).value() * 0x1p-90;
      const V far = fast_sum(a, -tanh::of(a)).value_or_infinity();
      return copysign(select(a < V(0.75), near, far), x);
    }
  }
  /// (g t) t, so that t² doesn't underflow before a large g comes in, with the low part of t = tanh |x|.
  template <class V>
  static V backward(V x, V g) {
    const math::Pair<V> t = tanh::magnitude(x);
    const math::Pair<V> once = math::product(g, t.hi);
    const V low = fma(once.hi, 2.0 * t.lo, once.lo * t.hi);
    return fma(once.hi, t.hi, select(math::is_finite(once.hi), low, V(0.0)));
  }
};

}  // namespace fastact::activations
