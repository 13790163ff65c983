// The cross-entropy of a logistic function and its target.
#pragma once

#include <limits>

#include "functions/activations/activation.hpp"
#include "math/log1p.hpp"
#include "math/logistic.hpp"

namespace fastact::activations {

/// f(x, t) = (1 - t) log(1 + e^x) + w t log(1 + e^-x), w = pos_weight; df/dx = (1 - t) σ(x) - w t σ(-x).
///
/// With e = e^-|x|, f = c log(1 + e) + m |x|, c = 1 - t + w t, m = 1 - t for x > 0, w t elsewhere: for t from 0 to 1 no
/// term is negative. Likewise df/dx = ±(m σ(|x|) - (c - m) σ(-|x|)). Where m is 0, that is, where
/// t = 1 and x > 0 or t = 0 and x < 0, the result is as small as e. Elsewhere such a small term is negligible compared
/// with m, unless m is tiny.
struct sigmoid_cross_entropy : Traits {
  static constexpr std::size_t arrays = 2;
  static constexpr bool selects = true;  // an input that is subnormal counts only beside a huge one
  template <class V>
  static V forward(V x, V t, V weight) {
    const auto near = [](auto v, auto target, auto w) {
      const Shares<decltype(v)> shares(v, target, w, decltype(v)(1.0));
      const auto log = math::log1p(math::moderate_exp(-abs(v)));
      return (shares.sum() * log + abs(v) * shares.main).value();
    };
    const auto general = []<class W>(W v, W target, W w) {
      const Lift<W> lift(v, target, w);
      const Shares<W> shares(v, target, w, lift.up);
      const math::Exponential<W> e = math::exp(-abs(v));
      const math::Pair<W> log = Shares<W>(v, target, w, W(1.0)).sum() * math::log1p(e.significand);
      const W zero = 0.0;
      const auto is_met = shares.main.hi == zero;
      return lift.rounded(is_met, W(1.0), log, e.half_scale, select(is_met, zero, abs(v)) * shares.main);
    };
    return math::moderate_or_general(ordinary(x, weight), near, general, x, t, weight);
  }
  template <class V>
  static V backward(V x, V t, V g, V weight) {
    const auto near = [](auto v, auto target, auto once, auto w) {
      const Shares<decltype(v)> shares(v, target, w, decltype(v)(1.0));
      const math::BothLogistics<decltype(v)> logistics(v);
      const auto d = logistics.larger * shares.main + -(logistics.smaller * shares.other);
      return math::multiply(once, select(v > decltype(v)(0.0), d, -d));
    };
    const auto general = []<class W>(W v, W target, W once, W w) {
      const Lift<W> lift(v, target, w);
      const Shares<W> shares(v, target, w, lift.up);
      const math::Logistic<W> logistic(-abs(v));
      const math::Pair<W> small = -(logistic.sigma() * shares.other);
      const math::Pair<W> large = math::Pair<W>{1.0, 0.0} / logistic.one_plus_e * shares.main;
      const W sign = select(v > W(0.0), once, -once);
      return lift.rounded(shares.main.hi == W(0.0), sign, small, logistic.half_scale(), large);
    };
    return math::moderate_or_general(math::nan_unless_finite(g, ordinary(x, weight)), near, general, x, t, g, weight);
  }
  static constexpr bool allows(double weight) {
    return weight >= 0 && weight < std::numeric_limits<double>::infinity();
  }
  static constexpr const char* allowed = "0 <= pos_weight < inf";

 private:
  /// x, or infinity where the weight is so large or small that its products may have no low part.
  template <class V>
  static V ordinary(V x, V weight) {
    const V infinity = std::numeric_limits<double>::infinity();
    return select(weight >= V(0x1p-20), select(weight <= V(0x1p20), x, infinity), infinity);
  }

  /// m and c - m, m times `up`.
  template <class V>
  struct Shares {
    math::Pair<V> main, other;
    Shares(V x, V t, V weight, V up) {
      const auto positive = x > V(0.0);
      const math::Pair<V> negatives = math::sum(V(1.0), -t), positives = math::product(weight, math::raised(t, up));
      main = select(positive, negatives, positives);
      other = select(positive, positives, negatives);
    }
    math::Pair<V> sum() const { return main + other; }
  };

  /// The factor `up`, a power of two that keeps a tiny m from being subnormal where e is as tiny; any other m is then
  /// much larger than e. The square of half_scale is its inverse.
  template <class V>
  struct Lift {
    static constexpr double power = math::is_single<V> ? 0x1p60 : 0x1p120,
                            root = math::is_single<V> ? 0x1p-30 : 0x1p-60;
    V up, half_scale;
    Lift(V x, V t, V weight) {
      const V one = 1.0, main = select(x > V(0.0), one, abs(weight * t));
      const auto is_tiny = select(abs(x) > V(math::is_single<V> ? 60.0 : 100.0), main, one) < V(1 / power);
      up = select(is_tiny, V(power), V(1.0));
      half_scale = select(is_tiny, V(root), V(1.0));
    }
    /// factor (small · small_half_scale² + large/up), without the second term where is_met.
    V rounded(typename V::Mask is_met, V factor, math::Pair<V> small, V small_half_scale, math::Pair<V> large) const {
      const V scale = small_half_scale * up;
      const math::Pair<V> both =
          large + math::Pair<V>{small.hi * scale * small_half_scale, small.lo * scale * small_half_scale};
      const math::Pair<V> value = {both.hi, select(both.lo == both.lo, both.lo, V(0.0))};
      return factor * math::Scaled<V>{select(is_met, small, value), select(is_met, small_half_scale, half_scale)};
    }
  };
};

}  // namespace fastact::activations
