#pragma once

#include "activations/gradient.hpp"
#include "math/logistic.hpp"
#include "math/piecewise.hpp"
#include "math/root.hpp"
#include "math/tail.hpp"

namespace fastact::activations {

/// Sigmoid linear unit, f(x) = x σ(x); f'(x) = σ(x)(1 + x σ(-x)), zero at -1.2785. Beyond `lowest` f is what it is
/// there, -0, and f' is 0.
struct silu {
  template <class V>
  static V forward(V x) {
    const auto general = [](V v) {
      const V w = bounded(v);
      return select(v > V(-math::Constants<typename V::Element>::lowest), v, logistic_product(w, math::Logistic<V>(w)));
    };
    return math::usually(x, [](auto v) { return divide(v, math::one_plus_exp(-v)); }, general, x);
  }
  template <class V>
  static V backward(V x, V g) {
    return math::piecewise_gradient<math::pieces::SiluDerivative>(
        x, g, 40.0, [](V beyond) { return tail_derivative(beyond, {-abs(beyond), math::none}); },
        [](V w, V once) { return once * derivative(w); });
  }
  /// By way of w = -|βx|, β being 1 here.
  template <class V>
  static math::Pair<V> tail_derivative(V x, math::Pair<V> w) {
    return math::mirrored(x, math::LogisticTail<V>(math::short_exp(w.hi, w.lo)).product_derivative(w));
  }
  template <class V>
  static math::Scaled<V> derivative(V x, V x_lo = 0.0) {
    const V w = bounded(x);
    const math::Logistic<V> logistic(w, x_lo);
    const math::Pair<V> value = logistic.product_derivative({w, x_lo});
    return {math::near_root<math::SiluRoot>(x, x_lo, value), logistic.tail()};
  }
  template <class V>
  static V bounded(V x) {
    using C = math::Constants<typename V::Element>;
    return max(V(C::lowest), min(V(-C::lowest), x));
  }
};

/// f(x) = x σ(1.702 x), the approximation of gelu in Hendrycks and Gimpel, "Gaussian error linear units", 2016.
/// f'(x) is silu' at 1.702 x, zero at -0.7512.
struct quick_gelu {
  template <class V>
  static V forward(V x) {
    const auto general = [](V v) {
      const V b = silu::bounded(v);
      const math::Pair<V> w = b * beta<V>();
      const V product = logistic_product(b, math::Logistic<V>(w.hi, w.lo));
      return select(v > V(-math::Constants<typename V::Element>::lowest), v, product);
    };
    const auto near = [](auto v) {
      const auto w = v * beta<decltype(v)>();
      return divide(v, math::one_plus_exp(-w.hi, -w.lo));
    };
    return math::usually(beta<V>().hi * x, near, general, x);
  }
  template <class V>
  static V backward(V x, V g) {
    return math::piecewise_gradient<math::pieces::QuickGeluDerivative>(
        x, g, 23.5, [](V beyond) { return silu::tail_derivative(beyond, -abs(beyond) * beta<V>()); },
        [](V w, V once) { return once * derivative(w); });
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::Pair<V> w = silu::bounded(x) * beta<V>();
    return silu::derivative(w.hi, w.lo);
  }
  template <class V>
  static math::Pair<V> beta() {
    using C = math::Constants<typename V::Element>;
    return {C::quick_gelu_hi, C::quick_gelu_lo};
  }
};

/// f(x) = x σ(βx), β learned; f'(x) is silu' at βx, and df/dβ = x² σ(βx) σ(-βx). Ramachandran, Zoph and Le, "Searching
/// for activation functions", 2017.
struct swish {
  template <class V>
  static V forward(V x, V beta) {
    const auto general = [](V v, V b) {
      const math::Pair<V> w = math::argument(v, b);
      const V limit = select(w.hi < V(0.0), copysign(V(0.0), v), v);
      return select(math::is_finite(v), logistic_product(v, math::Logistic<V>(w.hi, w.lo)), limit);
    };
    const auto near = [](auto v, auto b) {
      const auto w = math::product(v, b);
      return divide(v, math::one_plus_exp(-w.hi, -w.lo));
    };
    return math::usually(x * beta, near, general, x, beta);
  }
  template <class V>
  static Gradients<V> gradients(V x, V g, V beta) {
    return math::usually(x * beta, [](auto... v) { return near_gradients(v...); }, general_gradients<V>, x, g, beta);
  }

 private:
  template <class V>
  static Gradients<V> near_gradients(V x, V g, V beta) {
    const math::Pair<V> w = math::product(x, beta);
    const math::BothLogistics<V> logistics(w.hi, w.lo);
    const math::Pair<V> derivative = math::near_root<math::SiluRoot>(w.hi, w.lo, logistics.product_derivative(w));
    return {math::multiply_any(g, derivative), g * (x * (x * logistics.derivative()))};
  }
  template <class V>
  static Gradients<V> general_gradients(V x, V g, V beta) {
    const V zero = 0.0;
    const math::Pair<V> w = math::argument(x, beta);
    const math::Logistic<V> logistic(w.hi, w.lo);
    const V tail = logistic.e.tail;
    const V bounded = select(math::is_finite(x), x, select(beta == zero, x, zero));  // at infinity e^-|βx| wins
    const math::Pair<V> once = bounded * logistic.derivative();
    const math::Pair<V> of_beta = (bounded * tail) * math::Pair<V>{once.hi * tail, once.lo * tail};
    return {g * silu::derivative(w.hi, w.lo), g * of_beta};
  }
};

}  // namespace fastact::activations
