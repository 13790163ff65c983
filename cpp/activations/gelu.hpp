#pragma once

#include "math/logistic.hpp"
#include "math/normal.hpp"
#include "math/root.hpp"

namespace fastact::activations {

/// Gaussian error linear unit, f(x) = x Φ(x); f'(x) = Φ(x) + x φ(x), zero at -0.7518.
///
/// With a = |x|, f = max(x, 0) - a Φ(-a) and f' is d = Φ(-a) - a φ(a) for x < 0, 1 - d for x >= 0: nothing cancels
/// but at the root.
struct gelu {
  template <class V>
  static V forward(V x) {
    const math::NormalTail<V> tail(x);
    const math::Pair<V> t = tail.x * (tail.mills() * tail.e.significand);
    const V negative = t.value() * tail.e.tail * tail.e.tail;
    const V positive = (tail.x + -t).value();
    return copysign(select(x > V(0.0), select(x > V(tail.end), x, positive), negative), x);
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::NormalTail<V> tail(x);
    const math::Pair<V> d = (tail.mills() + -(abs(tail.x) * math::density<V>())) * tail.e.significand;
    const auto negative = x < V(0.0);
    const V one = 1.0;
    const math::Pair<V> value = select(negative, d, one + -d);
    return {math::near_root<math::GeluRoot>(x, V(0.0), value), select(negative, tail.e.tail, one)};
  }
};

/// The approximation of gelu by tanh, f(x) = x/2 (1 + tanh u) = x σ(w), w = 2u = 2√(2/π)(x + 0.044715 x³), Hendrycks
/// and Gimpel, "Gaussian error linear units", 2016. f'(x) = σ(w)(1 + x w' σ(-w)), zero at -0.7525.
struct gelu_tanh {
  template <class V>
  static V forward(V x) {
    const Argument<V> w(x);
    return select(x > V(w.end), x, logistic_product(w.x, math::Logistic<V>(w.w.hi, w.w.lo)));
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const Argument<V> w(x);
    const math::Logistic<V> logistic(w.w.hi, w.w.lo);
    const math::Pair<V> value = logistic.product_derivative(w.x_derivative());
    return {math::near_root<math::GeluTanhRoot>(x, V(0.0), value), logistic.tail()};
  }

 private:
  /// w and x w' for x up to where w is beyond any exponential.
  template <class V>
  struct Argument {
    using C = math::Constants<typename V::Element>;
    static constexpr double end = C::mills_end;
    V x;
    math::Pair<V> linear, cubic, w;
    explicit Argument(V unbounded) : x(max(V(-end), min(V(end), unbounded))) {
      linear = x * math::Pair<V>{C::gelu_tanh_1_hi, C::gelu_tanh_1_lo};
      cubic = x * (math::product(x, x) * math::Pair<V>{C::gelu_tanh_3_hi, C::gelu_tanh_3_lo});
      w = linear + cubic;
    }
    math::Pair<V> x_derivative() const { return linear + V(3.0) * cubic; }
  };
};

}  // namespace fastact::activations
