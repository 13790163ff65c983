// The Gaussian error linear unit and its approximation by tanh.
#pragma once

#include "functions/activations/activation.hpp"
#include "math/exponential_form.hpp"
#include "math/logistic.hpp"
#include "math/logistic_derivative.hpp"
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
  static V times(V x, V b) {
    const auto floats = [](auto v, auto factor) {
      const auto [y, down] = math::relu_minus_pair<math::forms::Gelu>(v, exponent<V>);
      return math::unlifted_product(y.value(), down, factor, V(math::forms::Gelu::most));
    };
    return math::in_float<V>(floats, [](V v, V factor) { return forward(v) * factor; }, x, b);
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
    return value(x, tail, tail.mills_ratio());
  }
  template <class V>
  static math::Scaled<V> value(V x, const math::NormalTail<V>& tail, math::Pair<V> mills_ratio) {
    const math::Pair<V> t = tail.x * (mills_ratio * tail.e.significand);
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
  static WithGradient<V> with_gradient(V x, V g, V b) {
    const auto apart = [](auto v, auto once, auto factor) {
      return WithGradient<V>{times(v, factor), backward(v, once)};
    };
    const auto together = [](V v, V once, V factor) {
      const math::NormalTail<V> tail(v);
      const math::Pair<V> ratio = tail.mills_ratio();
      return WithGradient<V>{math::rounded(value(v, tail, ratio), v) * factor, once * derivative(v, tail, ratio)};
    };
    return math::in_float<V>(apart, together, x, g, b);
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::NormalTail<V> tail(x);
    return derivative(x, tail, tail.mills_ratio());
  }
  template <class V>
  static math::Scaled<V> derivative(V x, const math::NormalTail<V>& tail, math::Pair<V> mills_ratio) {
    const math::Pair<V> d = (mills_ratio + -(abs(tail.x) * math::density<V>())) * tail.e.significand;
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
      const Argument<V> w(math::clamped<Range>(x));
      const V y = divide(w.x, w.one_plus_exp());
      if (all(abs(x) <= V(Range::near))) return y;
      return select(x > V(Range::near), x, math::unlifted(y, w.down(), -w.down()));
    } else {
      return math::rounded(value(x), x);
    }
  }
  template <class V>
  static V times(V x, V b) {
    const auto floats = [](auto v, auto factor) {
      const Argument<V> w(math::clamped<Range>(v));
      const V y = divide(w.x, w.one_plus_exp());
      if (all(abs(v) <= V(Range::near))) return y * factor;
      return math::unlifted_product(select(v > V(Range::near), v, y), w.down(), factor, V(Range::most));
    };
    return math::in_float<V>(floats, [](V v, V factor) { return forward(v) * factor; }, x, b);
  }
  template <class V>
  static V gated(V a, V b) {
    const auto formula = [](auto v) {
      const Argument<V> w(math::clamped<Range>(v));
      const auto y = math::Pair<V>{w.x, math::none} / w.one_plus_exp();
      return math::Lifted<V>{select(v > V(Range::near), {v, math::none}, y), w.down()};
    };
    const auto general = [](V v, V factor) { return factor * value(v); };
    return halved_near_zero(a, b, math::times_or_general<Range>(a, b, formula, general));
  }
  /// f(x).
  template <class V>
  static math::Scaled<V> value(V x) {
    const Argument<V> w(bounded(x));
    return value(x, w, math::Logistic<V>(w.w.hi, w.w.lo));
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const Argument<V> w(bounded(x));
    return derivative(w, math::Logistic<V>(w.w.hi, w.w.lo));
  }
  template <class V>
  static V backward(V x, V g) {
    return math::mirrored_gradient_or<math::forms::GeluTanhDerivative>(
        x, g, exponent<V>, [](V v, V once) { return once * derivative(v); });
  }
  template <class V>
  static WithGradient<V> with_gradient(V x, V g, V b) {
    const auto near = [](auto v, auto once, auto factor) {
      const Argument<V> w(math::clamped<Range>(v));
      const auto by = w.one_plus_exp();
      const V down = w.down(), y = divide(w.x, by);
      const V d =
          math::multiply(once, math::logistic_product_derivative<math::GeluTanhRoot>(w.x, by, w.x_derivative()));
      return WithGradient<V>{math::unlifted_product(select(v > V(Range::near), v, y), down, factor, V(Range::most)),
                             math::unlifted(d, down, copysign(down, d))};
    };
    const auto fast = [near](auto v, auto once, auto factor) {
      if (all(abs(once) <= V(Range::most))) [[likely]]
        return near(v, once, factor);
      const auto apart = [](V u, V of_u, V c) { return WithGradient<V>{times(u, c), quotient_gradient(u, of_u)}; };
      return math::cold_path(apart, v, once, factor);
    };
    const auto general = [](V v, V once, V factor) {
      const Argument<V> w(bounded(v));
      const math::Logistic<V> logistic(w.w.hi, w.w.lo);
      return WithGradient<V>{math::rounded(value(v, w, logistic), v) * factor, once * derivative(w, logistic)};
    };
    return math::in_float<V>(fast, general, x, g, b);
  }

 private:
  /// For floats: σ(w) is 1 for x >= near; for x < -near, 2^72 f(x) and 2^72 f'(x) are computed first; for x <= -end,
  /// f(x) and g f'(x) with |g| <= most are 0.
  struct Range {
    static constexpr float near = 9.125F, end = 11.25F, most = 0x1p14F;
  };
  /// The exponent of f'(-a).
  template <class V>
  static math::Pair<V> exponent(V a) {
    using F = math::forms::GeluTanhDerivative;
    const math::Pair<V> square = math::product(a, a);
    const V slope = fma(F::cubic, square.hi, F::linear);
    return a * math::Pair<V>{slope, fma(F::cubic, square.lo, fma(F::cubic, square.hi, F::linear - slope))};
  }
  /// g f'(x) for floats, with the bits that with_gradient computes.
  template <class V>
  static V quotient_gradient(V x, V g) {
    const auto formula = [](auto v) {
      const Argument<V> w(math::clamped<Range>(v));
      return math::Lifted<V>{
          math::logistic_product_derivative<math::GeluTanhRoot>(w.x, w.one_plus_exp(), w.x_derivative()), w.down()};
    };
    return math::times_or_general<Range>(x, g, formula, [](V v, V once) { return once * derivative(v); });
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
    V x, growth, low;
    math::Pair<V> w;
    /// w/x = c1 + c3 x². The difference `growth` from c1 is exact, because c1 has few bits.
    explicit Argument(V argument) : x(argument) {
      const V c1 = C::gelu_tanh_1_hi, c3 = C::gelu_tanh_3_hi;
      const math::Pair<V> square = math::product(x, x);
      const V slope = fma(c3, square.hi, c1);
      growth = slope - c1;
      const V constants = fma(square.hi, V(C::gelu_tanh_3_lo), V(C::gelu_tanh_1_lo));
      low = fma(c3, square.hi, -growth) + fma(c3, square.lo, constants);
      w = x * math::Pair<V>{slope, low};
    }
    /// x w' = x (c1 + 3 c3 x²). The difference of c1 and the sum is exact.
    math::Pair<V> x_derivative() const {
      const V three = 3.0, c1 = C::gelu_tanh_1_hi, hi = fma(growth, three, c1);
      return x * math::Pair<V>{hi, fma(growth, three, c1 - hi) + fma(low, three, V(-2 * C::gelu_tanh_1_lo))};
    }
    V down() const { return math::down_where<V>(x < V(-Range::near)); }
    math::Divisor<V> one_plus_exp() const { return math::one_plus_exp(-w.hi, -w.lo, down()); }
  };
  template <class V>
  static math::Scaled<V> value(V x, const Argument<V>& w, const math::Logistic<V>& logistic) {
    const math::Scaled<V> product = logistic_product(w.x, logistic);
    return {select(x > V(w.end), {x, math::none}, product.value), product.half_scale};
  }
  template <class V>
  static math::Scaled<V> derivative(const Argument<V>& w, const math::Logistic<V>& logistic) {
    return {logistic.product_derivative(w.x_derivative()), logistic.half_scale()};
  }
};

}  // namespace fastact::activations
