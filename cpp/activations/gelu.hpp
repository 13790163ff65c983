#pragma once

#include "math/logistic.hpp"
#include "math/normal.hpp"
#include "math/piecewise.hpp"
#include "math/tail.hpp"

namespace fastact::activations {

/// Gaussian error linear unit, f(x) = x Φ(x); f'(x) = Φ(x) + x φ(x), zero at -0.7518.
///
/// With a = |x|, f = max(x, 0) - a Φ(-a) and f' is d = Φ(-a) - a φ(a) for x < 0, 1 - d for x >= 0: nothing cancels
/// but at the root.
struct gelu {
  template <class V>
  static V forward(V x) {
    if constexpr (math::is_single<V>) {
      return math::piecewise<math::pieces::Gelu>(
          x, [&](const auto& f) { return copysign(f.value(), x); },
          [&] {
            const V t = Tail<V>(x, 15.0).product();
            return select(x < V(0.0), -t, x - t);
          });
    } else {
      const math::NormalTail<V> tail(x);
      const math::Pair<V> t = tail.x * (tail.mills() * tail.e.significand);
      const V negative = math::scale(t.value(), tail.e.tail);
      const V positive = (tail.x + -t).value();
      return copysign(select(x > V(0.0), select(x > V(tail.end), x, positive), negative), x);
    }
  }
  template <class V>
  static V backward(V x, V g) {
    if constexpr (math::is_single<V>) {
      return math::piecewise_gradient<math::pieces::GeluDerivative>(
          x, g, [&] { return g * math::or_rest_of_one(x, Tail<V>(x, 19.75).derivative()); });
    } else {
      return g * derivative(x);
    }
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::NormalTail<V> tail(x);
    const math::Pair<V> d = (tail.mills() + -(abs(tail.x) * math::density<V>())) * tail.e.significand;
    const auto negative = x < V(0.0);
    const V one = 1.0;
    const math::Pair<V> value = select(negative, d, one + -d);
    return {value, select(negative, tail.e.tail, one)};
  }

 private:
  /// Beyond a = 5, up to an end where f, or f' times any number, rounds to zero. With M = a Φ(-a)/φ(a) = 1 + v m(v),
  /// v = 1/a²: a Φ(-a) = φ(a) M, and d = -a φ(a)(1 - v M).
  template <class V>
  struct Tail {
    V a, inverse_square, mills, tail;
    math::Pair<V> phi;
    explicit Tail(V x, double end) : a(min(V(end), abs(x))) {
      const math::Pair<V> square = math::product(a, a);
      const math::Exponential<V> e = math::exp(-0.5 * square.hi, -0.5 * square.lo);
      phi = e.significand * math::density<V>();
      tail = e.tail;
      inverse_square = V(1.0) / square.hi;
      mills = inverse_square * math::polynomial(inverse_square, math::pieces::mills);
    }
    V product() const { return math::scale(phi.hi + fma(phi.value(), mills, phi.lo), tail); }
    math::Scaled<V> derivative() const {
      const math::Pair<V> slope = -a * phi;
      return {{slope.hi, fma(slope.value(), -inverse_square * (1.0 + mills), slope.lo)}, tail};
    }
  };
};

/// The approximation of gelu by tanh, f(x) = x/2 (1 + tanh u) = x σ(w), w = 2u = 2√(2/π)(x + 0.044715 x³), Hendrycks
/// and Gimpel, "Gaussian error linear units", 2016. f'(x) = σ(w)(1 + x w' σ(-w)), zero at -0.7525.
struct gelu_tanh {
  template <class V>
  static V forward(V x) {
    if constexpr (math::is_single<V>) {
      const math::Pair<V> w = Argument<V>(x).w;
      const auto tail = [](V v) {
        const Argument<V> u(bounded(min(V(0.0), v)));
        const math::Exponential<V> e = math::exp(u.w.hi, u.w.lo);
        return select(v > V(0.0), v, math::scale((u.x * e.significand).value(), e.tail));
      };
      // Further out the low part of e^-w would be subnormal.
      const V inside = divide(x, math::one_plus_exp(-math::bounded(w.hi, 60.0), -w.lo));
      return math::within(w.hi, 60.0, inside, tail, x);
    } else {
      const Argument<V> w(bounded(x));
      return select(x > V(w.end), x, logistic_product(w.x, math::Logistic<V>(w.w.hi, w.w.lo)));
    }
  }
  template <class V>
  static V backward(V x, V g) {
    if constexpr (math::is_single<V>) {
      return math::piecewise_gradient<math::pieces::GeluTanhDerivative>(x, g, [&] {
        const Argument<V> w(bounded(-abs(x)));
        const math::Exponential<V> e = math::exp(w.w.hi, w.w.lo);
        const math::Pair<V> d = math::LogisticTail<V>(e).product_derivative(w.x_derivative());
        return g * math::or_rest_of_one(x, math::Scaled<V>{d, e.tail});
      });
    } else {
      return g * derivative(x);
    }
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const Argument<V> w(bounded(x));
    const math::Logistic<V> logistic(w.w.hi, w.w.lo);
    const math::Pair<V> value = logistic.product_derivative(w.x_derivative());
    return {value, logistic.tail()};
  }

 private:
  /// Where |w| is beyond any exponential.
  template <class V>
  static V bounded(V x) {
    return max(V(-Argument<V>::end), min(V(Argument<V>::end), x));
  }
  /// w and x w'.
  template <class V>
  struct Argument {
    using C = math::Constants<typename V::Element>;
    static constexpr double end = C::mills_end;
    V x, slope, growth, growth_lo;
    math::Pair<V> w;
    /// w/x = c1 + c3 x²; what it grows by is exact, since c1 has few bits.
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
