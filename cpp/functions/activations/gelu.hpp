// The Gaussian error linear unit and its approximation by tanh.
#pragma once

#include "functions/activations/activation.hpp"
#include "math/exponential_form.hpp"
#include "math/logistic.hpp"
#include "math/normal.hpp"

namespace fastact::activations {

/// Gaussian error linear unit, f(x) = x Φ(x); f'(x) = Φ(x) + x φ(x), zero at -0.7518.
///
/// With a = |x| and d = Φ(-a) - a φ(a), f = max(x, 0) - a Φ(-a), and f' is d for x < 0 and 1 - d for x >= 0. There is
/// no cancellation except at the root of f'.
struct gelu : Traits {
  template <class V>
  static V forward(V x) {
    if constexpr (math::is_single<V>) {
      return math::relu_minus<math::forms::Gelu>(x, exponent<V>);
    } else {
      return math::rounded(value(x), x);
    }
  }
  template <class V>
  static V gated(V a, V b) {
    return halved_near_zero(
        a, b, math::gated_or<math::forms::Gelu>(a, b, exponent<V>, [](V v, V factor) { return factor * value(v); }));
  }
  /// f(x).
  template <class V>
  static math::Scaled<V> value(V x) {
    const math::NormalTail<V> tail(x);
    const math::Pair<V> t = tail.x * (tail.mills_ratio() * tail.e.significand);
    const auto positive = x > V(0.0);
    const math::Pair<V> above = select(x > V(tail.end), {x, math::none}, tail.x + -t);
    return {select(positive, above, t), select(positive, V(1.0), tail.e.half_scale)};
  }
  template <class V>
  static V backward(V x, V g) {
    return math::mirrored_gradient_or<math::forms::GeluDerivative>(
        x, g, [](V a) { return math::product(a, a); },
        [](V v, V once) {
          math::Scaled<V> d = derivative(v);
          // Near the root hi may be 0, and its product with an infinite g would be NaN.
          if constexpr (math::is_single<V>) d.value = normalized(d.value);
          return once * d;
        });
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::NormalTail<V> tail(x);
    const math::Pair<V> d = (tail.mills_ratio() + -(abs(tail.x) * math::density<V>())) * tail.e.significand;
    const auto negative = x < V(0.0);
    const V one = 1.0;
    const math::Pair<V> value = select(negative, d, one + -d);
    return {value, select(negative, tail.e.half_scale, one)};
  }

 private:
  /// a², with m added.
  template <class V>
  static math::Pair<V> exponent(V a, V m) {
    const V hi = fma(a, a, m);
    return {hi, fma(a, a, m - hi)};
  }
};

/// The approximation of gelu by tanh, f(x) = x/2 (1 + tanh u) = x σ(w), w = 2u = 2√(2/π)(x + 0.044715 x³), Hendrycks
/// and Gimpel, "Gaussian error linear units", 2016. f'(x) = σ(w)(1 + x w' σ(-w)), zero at -0.7525.
struct gelu_tanh : Traits {
  template <class V>
  static V forward(V x) {
    if constexpr (math::is_single<V>) {
      return math::relu_minus<math::forms::GeluTanh>(x, exponent<V>);
    } else {
      return math::rounded(value(x), x);
    }
  }
  template <class V>
  static V gated(V a, V b) {
    return halved_near_zero(a, b, math::gated_or<math::forms::GeluTanh>(a, b, exponent<V>, [](V v, V factor) {
                              return factor * value(v);
                            }));
  }
  /// f(x).
  template <class V>
  static math::Scaled<V> value(V x) {
    const Argument<V> w(bounded(x));
    const math::Scaled<V> product = logistic_product(w.x, math::Logistic<V>(w.w.hi, w.w.lo));
    return {select(x > V(w.end), {x, math::none}, product.value), product.half_scale};
  }
  template <class V>
  static V backward(V x, V g) {
    return math::mirrored_gradient_or<math::forms::GeluTanhDerivative>(
        x, g, [](V a) { return Argument<V>(a).w; }, [](V v, V once) { return once * derivative(v); });
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const Argument<V> w(bounded(x));
    const math::Logistic<V> logistic(w.w.hi, w.w.lo);
    const math::Pair<V> value = logistic.product_derivative(w.x_derivative());
    return {value, logistic.half_scale()};
  }

 private:
  template <class V>
  static math::Pair<V> exponent(V a, V) {
    return Argument<V>(a).w;
  }
  /// Where |w| is beyond any exponential.
  template <class V>
  static V bounded(V x) {
    return max(V(-Argument<V>::end), min(V(Argument<V>::end), x));
  }
  /// w and x w'.
  template <class V>
  struct Argument {
    using C = math::Constants<typename V::Element>;
    static constexpr double end = C::normal_end;  // |w| is far larger than x²/2, so e^-|w| rounds to 0 here too
    V x, slope, growth, growth_lo;
    math::Pair<V> w;
    /// w/x = c1 + c3 x². The difference `growth` from c1 is exact, because c1 has few bits.
    explicit Argument(V argument) : x(argument) {
      const V c1 = C::gelu_tanh_1_hi, c3 = C::gelu_tanh_3_hi;
      const math::Pair<V> square = math::product(x, x);
      slope = fma(c3, square.hi, c1);
      growth = slope - c1;
      growth_lo = fma(c3, square.hi, -growth) + fma(c3, square.lo, square.hi * C::gelu_tanh_3_lo);
      w = x * math::Pair<V>{slope, growth_lo + C::gelu_tanh_1_lo};
    }
    math::Pair<V> x_derivative() const {
      const math::Pair<V> s = math::sum(slope, 2.0 * growth);
      return x * math::Pair<V>{s.hi, s.lo + fma(growth_lo, V(3.0), V(C::gelu_tanh_1_lo))};
    }
  };
};

}  // namespace fastact::activations
