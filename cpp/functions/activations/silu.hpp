// Activations of the form x σ(βx): silu, quick_gelu, swish.
#pragma once

#include "functions/activations/activation.hpp"
#include "math/logistic.hpp"
#include "math/logistic_derivative.hpp"
#include "math/root.hpp"

namespace fastact::activations {

/// Sigmoid linear unit, f(x) = x σ(x); f'(x) = σ(x)(1 + x σ(-x)), zero at -1.2785. For x below `lowest`, f is -0 and f'
/// is 0.
struct silu : Traits {
  template <class V>
  static V forward(V x) {
    return math::moderate_or_general(
        x, [](auto v) { return divide(v, math::one_plus_exp(-v)); }, [](auto v) { return math::rounded(value(v), v); },
        x);
  }
  template <class V>
  static V gated(V a, V b) {
    const auto near = [](auto v, auto factor) { return math::multiply(factor, v, math::one_plus_exp(-v)); };
    const auto any = [near](V v, V factor) {
      const auto general = [](auto w, auto by) { return by * value(w); };
      return halved_near_zero(v, factor,
                              math::moderate_or_general(math::nan_unless_finite(factor, v), near, general, v, factor));
    };
    return math::ordinary_or(math::nan_unless_finite(b, a), near, any, a, b);
  }
  template <class V>
  static WithGradient<V> with_gradient(V x, V g, V b) {
    const auto near = []<class W>(W v, W once, W factor) {
      const auto by = math::one_plus_exp(-v);
      const math::Pair<W> w = {v, math::none};
      return WithGradient<W>{divide(v, by) * factor,
                             math::multiply(once, math::logistic_product_derivative<math::SiluRoot>(v, by, w))};
    };
    const auto general = []<class W>(W v, W once, W factor) {
      const W within = bounded(v);
      const math::Logistic<W> logistic(within);
      return WithGradient<W>{math::rounded(value(v, within, logistic), v) * factor,
                             once * derivative(v, W(0.0), logistic)};
    };
    return math::moderate_or_general(math::nan_unless_finite(g, x), near, general, x, g, b);
  }
  template <class V>
  static GateGradients<V> gate_gradients(V a, V b, V g) {
    const auto near = [](auto v, auto of_v, auto once) {
      const auto by = math::one_plus_exp(-v);
      const math::Pair<V> w = {v, math::none};
      return GateGradients<V>{math::multiply(of_v, math::logistic_product_derivative<math::SiluRoot>(v, by, w)),
                              math::multiply(once, v, by)};
    };
    const auto any = [](V v, V of_v, V once) { return GateGradients<V>{backward(v, of_v), gated(v, once)}; };
    return math::ordinary_or(math::nan_unless_finite(b * g, a), near, any, a, b * g, g);
  }
  /// x σ(x), and x σ(βx) for a pair β.
  template <class V>
  static math::Scaled<V> value(V x) {
    const V b = bounded(x);
    return value(x, b, math::Logistic<V>(b));
  }
  template <class V>
  static math::Scaled<V> value(V x, math::Pair<V> beta) {
    const V b = bounded(x);
    const math::Pair<V> w = b * beta;
    return value(x, b, math::Logistic<V>(w.hi, w.lo));
  }
  template <class V>
  static math::Scaled<V> value(V x, V b, const math::Logistic<V>& logistic) {
    const math::Scaled<V> product = logistic_product(b, logistic);
    const auto is_whole = x > V(-math::Constants<typename V::Element>::lowest);
    return {select(is_whole, {x, math::none}, product.value), product.half_scale};
  }
  template <class V>
  static V backward(V x, V g) {
    const auto near = []<class W>(W v, W once) {
      const math::Pair<W> w = {v, math::none};
      return math::multiply(once, math::logistic_product_derivative<math::SiluRoot>(v, math::one_plus_exp(-v), w));
    };
    return math::moderate_or_general(
        math::nan_unless_finite(g, x), near, [](auto w, auto once) { return once * derivative(w); }, x, g);
  }
  template <class V>
  static math::Scaled<V> derivative(V x, V x_lo = 0.0) {
    return derivative(x, x_lo, math::Logistic<V>(bounded(x), x_lo));
  }
  template <class V>
  static math::Scaled<V> derivative(V x, V x_lo, const math::Logistic<V>& logistic) {
    return {logistic.product_derivative({bounded(x), x_lo}), logistic.half_scale()};
  }
  template <class V>
  static V bounded(V x) {
    using C = math::Constants<typename V::Element>;
    return max(V(C::lowest), min(V(-C::lowest), x));
  }
};

/// f(x) = x σ(1.702 x), the approximation of gelu in Hendrycks and Gimpel, "Gaussian error linear units", 2016.
/// f'(x) is silu' at 1.702 x, zero at -0.7512.
struct quick_gelu : Traits {
  template <class V>
  static V forward(V x) {
    const auto near = [](auto v) { return divide(v, denominator(v)); };
    const auto general = []<class W>(W v) { return math::rounded(silu::value(v, beta<W>()), v); };
    return math::moderate_or_general(beta<V>().hi * x, near, general, x);
  }
  template <class V>
  static V gated(V a, V b) {
    const auto near = [](auto v, auto factor) { return math::multiply(factor, v, denominator(v)); };
    const auto any = [near](V v, V factor) {
      const auto general = []<class W>(W w, W by) { return by * silu::value(w, beta<W>()); };
      return halved_near_zero(
          v, factor,
          math::moderate_or_general(math::nan_unless_finite(factor, beta<V>().hi * v), near, general, v, factor));
    };
    return math::ordinary_or(math::nan_unless_finite(b, beta<V>().hi * a), near, any, a, b);
  }
  template <class V>
  static V backward(V x, V g) {
    const auto near = []<class W>(W v, W once) {
      const math::Pair<W> w = v * beta<W>();
      const auto by = math::one_plus_exp(-w.hi, -w.lo);
      return math::multiply(once, math::logistic_product_derivative<math::QuickGeluRoot>(v, by, w));
    };
    return math::moderate_or_general(
        math::nan_unless_finite(g, beta<V>().hi * x), near, [](auto w, auto once) { return once * derivative(w); }, x,
        g);
  }
  template <class V>
  static GateGradients<V> gate_gradients(V a, V b, V g) {
    const auto near = [](auto v, auto of_v, auto once) {
      const math::Pair<V> w = v * beta<V>();
      const auto by = math::one_plus_exp(-w.hi, -w.lo);
      return GateGradients<V>{math::multiply(of_v, math::logistic_product_derivative<math::QuickGeluRoot>(v, by, w)),
                              math::multiply(once, v, by)};
    };
    const auto any = [](V v, V of_v, V once) { return GateGradients<V>{backward(v, of_v), gated(v, once)}; };
    return math::ordinary_or(math::nan_unless_finite(b * g, beta<V>().hi * a), near, any, a, b * g, g);
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

 private:
  /// 1 + e^-βx.
  template <class V>
  static math::Divisor<V> denominator(V x) {
    const math::Pair<V> w = x * beta<V>();
    return math::one_plus_exp(-w.hi, -w.lo);
  }
};

/// f(x) = x σ(βx) with a learnable β; f'(x) is silu' at βx, and df/dβ = x² σ(βx) σ(-βx). Ramachandran, Zoph and Le,
/// "Searching for activation functions", 2017.
struct swish : Traits {
  template <class V>
  static V forward(V x, V beta) {
    const auto general = []<class W>(W v, W b) {
      const math::Pair<W> w = math::argument(v, b);
      const W limit = select(w.hi < W(0.0), copysign(W(0.0), v), v);
      return select(math::is_finite(v), math::rounded(logistic_product(v, math::Logistic<W>(w.hi, w.lo)), v), limit);
    };
    const auto near = [](auto v, auto b) {
      const auto w = math::product(v, b);
      return divide(v, math::one_plus_exp(-w.hi, -w.lo));
    };
    return math::moderate_or_general(x * beta, near, general, x, beta);
  }
  template <class V>
  static Gradients<V> gradients(V x, V g, V beta) {
    return math::moderate_or_general(
        x * beta, [](auto... v) { return near_gradients(v...); }, [](auto... v) { return general_gradients(v...); }, x,
        g, beta);
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
    const V half_scale = logistic.e.half_scale;
    const V end = -math::Constants<typename V::Element>::lowest;
    const V bounded = select(abs(w.hi) < end, x, zero);  // beyond it, x² e^-|βx| is 0
    const math::Pair<V> once = bounded * logistic.derivative();
    const math::Pair<V> of_beta = (bounded * half_scale) * math::Pair<V>{once.hi * half_scale, once.lo * half_scale};
    return {g * silu::derivative(w.hi, w.lo, logistic), g * of_beta};
  }
};

}  // namespace fastact::activations
