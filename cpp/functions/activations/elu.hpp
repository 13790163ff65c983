// Exponential linear units: elu, celu, selu.
#pragma once

#include <limits>

#include "functions/activations/activation.hpp"
#include "functions/activations/nan.hpp"
#include "math/exp.hpp"
#include "math/fast_path.hpp"

namespace fastact::activations {

/// Exponential linear unit, f(x) = x for x > 0, else α(e^x - 1); f'(x) = 1 for x > 0, else α e^x.
/// The derivative is computed from e^x, not from (e^x - 1) + 1, which loses digits.
struct elu : Traits {
  template <class V>
  static V forward(V x, V alpha) {
    return select(x >= V(0.0), x, (alpha * math::expm1(min(V(0.0), x))).value_or_infinity());
  }
  template <class V>
  static V backward(V x, V g, V alpha) {
    const auto near = [](auto w, auto once, auto a) {
      const decltype(w) zero = 0.0;
      return select(w > zero, once, math::multiply_any(once, a * math::moderate_exp(min(zero, w))));
    };
    const auto general = []<class W>(W w, W once, W a) {
      // α e^x must not underflow before it is multiplied by a large g, nor g α overflow before a small e^x.
      const W one = 1.0, zero = 0.0, depth = select(abs(a) <= one, one, W(16.0));
      const math::Exponential<W> e = math::exp_kept(min(zero, w), depth);
      const Lowered<W> lowered_a(a, once), lowered_g(once, a);
      // A power of two keeps α e^x normal however small α is.
      const auto small = abs(a) < W(least_alpha);
      const W scaled = lowered_a.value * select(small, W(1 / least_alpha), one);
      const W back = lowered_g.value * select(small, W(least_alpha), one);
      const W half_scale = e.half_scale * lowered_a.root * lowered_g.root;
      const W dx = select(w > zero, once, back * math::Scaled<W>{scaled * e.significand, half_scale});
      const W lowest = math::Constants<typename W::Element>::lowest;
      if (all(w >= lowest)) [[likely]]
        return dx;
      // Where g α may be so large that an e^x below that of exp counts, it is the square of e^(x/2).
      const W root = select(abs(a) <= one, zero, select(w < lowest, max(W(0.75) * lowest, W(0.5) * w), zero));
      const math::Exponential<W> r = math::exp_kept(root, depth);
      const W least = std::numeric_limits<typename W::Element>::min();
      const W square = max(least, (r.half_scale * lowered_a.root) * (r.half_scale * lowered_g.root));
      return select(root < zero, back * math::Scaled<W>{scaled * (r.significand * r.significand), square}, dx);
    };
    // With a smaller α, α e^x may be subnormal in the range of the fast formula.
    const V infinity = std::numeric_limits<double>::infinity();
    return math::moderate_or_general(select(abs(alpha) < V(0x1p-20), infinity, x), near, general, x, g, alpha);
  }
  /// g for y > 0, else g (y + α). The sign of y is that of x if α >= 0. With an infinite α, y may be -∞.
  template <class V>
  static V backward_from_output(V y, V g, V alpha) {
    const V most = std::numeric_limits<typename V::Element>::max();
    return keep_nan(y, select(y > V(0.0), g, g * (max(-most, y) + alpha)));
  }
  static constexpr bool output_allows(double alpha) { return alpha >= 0; }
  static constexpr const char* output_allowed = "alpha >= 0";

 private:
  static constexpr double least_alpha = 0x1p-60;

  /// A factor of a product, divided by a power of two if it is huge and the other factor is large; root is the square
  /// root of that power.
  template <class V>
  struct Lowered {
    V value, root;
    Lowered(V factor, V other) : Lowered(factor, abs(factor) > V(huge * huge), abs(other) > V(1.0)) {}

   private:
    static constexpr double huge = math::is_single<V> ? 0x1p32 : 0x1p256;
    Lowered(V factor, typename V::Mask is_huge, typename V::Mask other_is_large)
        : value(select(is_huge, select(other_is_large, factor * (1 / (huge * huge)), factor), factor)),
          root(select(is_huge, select(other_is_large, V(huge), V(1.0)), V(1.0))) {}
  };
};

/// Continuously differentiable exponential linear unit, f(x) = x for x > 0, else α(e^(x/α) - 1); f'(x) = 1 for x > 0,
/// else e^(x/α). Barron, "Continuously differentiable exponential linear units", 2017.
struct celu : Traits {
  template <class V>
  static V forward(V x, V alpha) {
    const math::Pair<V> w = exponent(x, alpha);
    // Close to 0, where x/α may underflow, f(x) = x + x²/(2α) + … rounds to x.
    const V close = alpha * (-std::numeric_limits<typename V::Element>::epsilon() / 8);
    return select(x >= close, x, (alpha * math::expm1(w.hi, w.lo)).value());
  }
  template <class V>
  static V backward(V x, V g, V alpha) {
    const math::Pair<V> w = exponent(x, alpha);
    const V dx = math::moderate_or_general(
        w.hi, [](auto hi, auto lo, auto once) { return math::multiply_any(once, math::moderate_exp(hi, lo)); },
        []<class W>(W hi, W lo, W once) {
          const math::Exponential<W> e = math::exp(hi, lo);
          return once * math::Scaled<W>{e.significand, e.half_scale};
        },
        w.hi, w.lo, g);
    return select(x > V(0.0), g, dx);
  }
  static constexpr bool allows(double alpha) { return alpha > 0; }
  static constexpr const char* allowed = "alpha > 0";

 private:
  /// min(x, 0)/α, bounded to where the exponential is not 0. It is the bound for -∞, however large α is.
  template <class V>
  static math::Pair<V> exponent(V x, V alpha) {
    const V lowest = math::Constants<typename V::Element>::lowest;
    const V most = -std::numeric_limits<typename V::Element>::max();
    const V bounded = max(max(most, lowest * alpha), min(V(0.0), x));
    const math::Pair<V> w = math::Pair<V>{bounded, 0.0} / math::Magnitude<V>(alpha);
    return {select(x < most, lowest, w.hi), w.lo};
  }
};

/// Scaled exponential linear unit, f = λ elu(x, α) with the α and λ that keep activations at mean 0 and variance 1:
/// Klambauer et al., "Self-normalizing neural networks", 2017, equation 14.
struct selu : Traits {
  template <class V>
  static math::Pair<V> lambda() {
    using C = math::Constants<typename V::Element>;
    return {C::selu_lambda_hi, C::selu_lambda_lo};
  }
  template <class V>
  static math::Pair<V> lambda_alpha() {
    using C = math::Constants<typename V::Element>;
    return {C::selu_lambda_alpha_hi, C::selu_lambda_alpha_lo};
  }

  template <class V>
  static V forward(V x) {
    const V negative = (math::expm1(min(V(0.0), x)) * lambda_alpha<V>()).value();
    // The low part must neither be an infinity of the other sign nor change the sign of a zero.
    const V low = min(V(std::numeric_limits<typename V::Element>::max()), x) * lambda<V>().lo;
    return select(x >= V(0.0), copysign(fma(x, lambda<V>().hi, low), x), negative);
  }
  template <class V>
  static V backward(V x, V g) {
    const auto near = [](auto w, auto once) {
      using W = decltype(w);
      const auto negative = math::moderate_exp(min(W(0.0), w)) * lambda_alpha<W>();
      return math::multiply_any(once, select(w > W(0.0), lambda<W>(), negative));
    };
    const auto general = []<class W>(W w, W once) {
      const math::Exponential<W> e = math::exp(min(W(0.0), w));
      const auto positive = w > W(0.0);
      const math::Pair<W> d = select(positive, lambda<W>(), e.significand * lambda_alpha<W>());
      return once * math::Scaled<W>{d, select(positive, W(1.0), e.half_scale)};
    };
    return math::moderate_or_general(x, near, general, x, g);
  }
  /// g λ for y > 0, else g (y + λα).
  template <class V>
  static V backward_from_output(V y, V g) {
    return g * select(y > V(0.0), lambda<V>().hi, y + lambda_alpha<V>().hi);
  }
};

}  // namespace fastact::activations
