// The logistic function and the hyperbolic tangent.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "functions/activations/activation.hpp"
#include "functions/activations/nan.hpp"
#include "math/exponential_form.hpp"
#include "math/logistic.hpp"
#include "math/multiple.hpp"

namespace fastact::activations {

/// Logistic function, f(x) = σ(x) = 1/(1 + e^-x); f'(x) = σ(x) σ(-x).
struct sigmoid : Traits {
  template <class V>
  static V forward(V x) {
    const auto general = []<class W>(W w) {
      const math::Logistic<W> logistic(w);
      return math::scale(logistic.sigma().value(), logistic.half_scale());
    };
    return math::moderate_or_general(
        x, [](auto v) { return divide(decltype(v)(1.0), math::one_plus_exp(-v)); }, general, x);
  }
  template <class V>
  static V backward(V x, V g) {
    return math::logistic_gradient(x, g, 1.0, [](auto v, auto once) { return once * derivative(v); });
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::Logistic<V> logistic(x);
    return {logistic.derivative(), logistic.e.half_scale};
  }
  /// g y (1 - y).
  template <class V>
  static V backward_from_output(V y, V g) {
    return g * (y * (1.0 - y));
  }
  template <class V>
  static V gated(V a, V b) {
    const auto general = []<class W>(W v, W factor) {
      const math::Logistic<W> logistic(v);
      return factor * math::Scaled<W>{logistic.sigma(), logistic.half_scale()};
    };
    return math::moderate_or_general(
        math::nan_unless_finite(b, a), [](auto v, auto factor) { return divide(factor, math::one_plus_exp(-v)); },
        general, a, b);
  }
};

/// f(x) = tanh x; f'(x) = 1/cosh² x.
///
/// With m = e^(-2|x|) - 1, -tanh |x| = m/(2 + m); with e = e^(-2|x|), f' = 4e/(1 + e)², four times the logistic
/// derivative at 2x.
struct tanh : Traits {
  using Form = math::multiples::Tanh;  // tanh is ±1 beyond its end
  template <class V>
  static V forward(V x) {
    if constexpr (math::is_single<V>) {
      const V a = min(V(Form::end), abs(x));
      return copysign(math::Multiple<Form, V>(a).times(min(V(Form::knee), a)), x);
    } else {
      return copysign(negative(abs(x)).value(), x);
    }
  }
  template <class V>
  static V backward(V x, V g) {
    return math::logistic_gradient(x, g, 2.0, [](auto v, auto once) { return once * derivative(v); });
  }
  template <class V>
  static math::Scaled<V> derivative(V x) {
    const math::Scaled<V> d = sigmoid::derivative(2.0 * x);
    return {{4.0 * d.value.hi, 4.0 * d.value.lo}, d.half_scale};
  }
  /// g (1 - y²), as g (1 - y)(1 + y).
  template <class V>
  static V backward_from_output(V y, V g) {
    return g * ((1.0 - y) * (1.0 + y));
  }
  /// tanh a for floats a >= 0. Max error: that of Multiple.
  template <class V>
  static math::Pair<V> magnitude(V a) {
    const V bounded = min(V(Form::end), a);
    return math::Multiple<Form, V>(bounded).pair_times(min(V(Form::knee), bounded));
  }
  /// -tanh (a + a_lo) for a >= 0. Max error: 2^-28 (float) or 2^-52 (double) relative.
  template <class V>
  static math::Pair<V> negative(V a, V a_lo = math::none) {
    const math::Pair<V> m = math::expm1(-2.0 * a, -2.0 * a_lo);
    return m / math::Divisor<V>(fast_sum(V(2.0), m));
  }
};

/// f(x) = cap tanh(x/cap); f'(x) = 1/cosh²(x/cap). Gemma Team, "Gemma 2: improving open language models at a practical
/// size", 2024, section 2.
struct softcap : Traits {
  template <class V>
  static V forward(V x, V cap) {
    const auto general = []<class W>(W v, W c) {
      const math::Pair<W> w = quotient(v, c, W(limit), W(1.0));
      const auto from_table = [](auto a, auto a_lo) {
        const math::Pair<W> t = tanh::magnitude(a);
        return math::Pair<W>{t.hi, fma(a_lo, fma(-t.hi, t.hi, 1.0), t.lo)};  // tanh' = 1 - tanh²
      };
      const auto formula = [](W a, W a_lo) { return tanh::negative(a, a_lo); };
      const math::Pair<W> t = math::in_float<W>(from_table, formula, w.hi, w.lo);
      // Close to 0, where x/cap may underflow, f(x) = x - x³/(3 cap²) + … is x.
      constexpr double close = math::is_single<W> ? 0x1p-14 : 0x1p-28;
      return select(w.hi <= W(close), v, copysign(fma(c, t.hi, c * t.lo), v));
    };
    const auto fast = [general](auto v, auto c) {
      const auto near = [](auto u, auto its_cap) { return multiple(u, its_cap); };
      return math::near_or_general(is_ordinary(c), near, general, v, c);
    };
    return math::in_float<V>(fast, general, x, cap);
  }
  template <class V>
  static V backward(V x, V g, V cap) {
    const auto general = []<class W>(W v, W once, W c) {
      const math::Pair<W> w = quotient(v, c, W(limit), W(2.0));
      const math::Logistic<W> logistic(w.hi, w.lo);
      const math::Pair<W> d = logistic.derivative();
      return once * math::Scaled<W>{{4.0 * d.hi, 4.0 * d.lo}, logistic.e.half_scale};
    };
    const auto floats = [general](auto v, auto once, auto c) {
      // With w = 2|x|/cap, 2^72 f'(x) is computed first where w > 68.5. From 115.2 on, g f'(x) is 0 if |g| <= 2^14.
      const auto near = [](auto of, auto factor, auto by) {
        const math::Pair<V> w = quotient(of, by, V(115.2), V(2.0));
        const V down = math::down_where<V>(w.hi > V(68.5));
        const math::BothLogistics<V> logistics(math::one_plus_large_exp(w.hi, w.lo, down));
        const V y = math::multiply(factor, logistics.derivative(4.0));
        return math::unlifted(y, down, copysign(down, y));
      };
      const auto is_far = [](V number, V, V its_cap) { return abs(number) > 34.0 * its_cap; };
      return math::near_unless_large(once, 0x1p14, is_far, near, general, v, once, c);
    };
    const auto doubles = [general](V v, V once, V c) {
      const math::Pair<V> w = quotient(v, c, V(700.0), V(2.0));
      const auto near = []<class W>(W, W factor, W, W hi, W lo) {
        return math::multiply(factor, math::BothLogistics<W>(math::one_plus_large_exp(hi, lo)).derivative(4.0));
      };
      const auto far = [general](auto of, auto factor, auto by, auto, auto) { return general(of, factor, by); };
      return math::near_or_general(math::nan_unless_finite(once, w.hi) <= V(640.0), near, far, v, once, c, w.hi, w.lo);
    };
    return math::in_float<V>(floats, doubles, x, g, cap);
  }
  static constexpr bool allows(double cap) { return cap > 0; }
  static constexpr const char* allowed = "cap > 0";

 private:
  using Form = math::multiples::Tanh;
  static constexpr double limit = 1600;  // beyond it, f'(x) is 0
  /// Whether 1/cap and its low part are normal floats.
  template <class V>
  static auto is_ordinary(V cap) {
    return select(cap >= V(0x1p-90), cap, V(0x1p100)) <= V(0x1p90);
  }
  /// The least number whose interval begins at the knee or beyond.
  static constexpr float border = [] {
    const auto offset = std::bit_cast<std::uint32_t>(Form::offset);
    const auto at_knee = static_cast<float>(double{Form::knee} * double{Form::slope} + double{Form::start});
    return std::bit_cast<float>(((std::bit_cast<std::uint32_t>(at_knee) + offset) & 0xFFC00000U) - offset);
  }();
  /// f(x) for floats and an ordinary cap, as a multiple of |x| up to cap knee, and of cap knee beyond. |x|/cap is
  /// rounded only after the centre of its interval is subtracted.
  template <class V>
  static V multiple(V x, V cap) {
    const V inverse = 1.0 / cap, inverse_lo = fma(-inverse, cap, 1.0) * inverse;
    const math::Pair<V> most = math::product(cap, V(Form::knee));
    const V a = min(Form::end * cap, abs(x)), z = fma(a, inverse * Form::slope, Form::start);
    const V index = z.plus_bits(V(Form::offset)).template shift_right<22>();
    const V s = fma(a, inverse_lo, fma(a, inverse, -index.lookup(Form::centre)));
    // Beyond the knee, W is between 0.76 and 0.84, which is near enough to 0.82 for the low part of cap knee.
    const auto is_beyond = z >= V(border);
    const V n = select(is_beyond, most.hi, a), low = select(is_beyond, 0.82 * most.lo, V(0.0));
    return copysign(fma(n, index.lookup(Form::column[0]), fma(n * s, math::terms<Form, 1>(index, s), low)), x);
  }
  /// `times` |x|/cap, but at most `end`. |x| and cap are multiplied by a power of two that leaves the inverse in range.
  /// The inverse is a pair, which a call with one cap computes once.
  template <class V>
  static math::Pair<V> quotient(V x, V cap, V end, V times) {
    const V most = std::numeric_limits<typename V::Element>::max();
    const V scale = select(cap > V(1.0), V(0x1p-16), V(0x1p100)), divisor = scale * cap, inverse = 1.0 / divisor;
    const V inverse_lo = select(divisor <= most, fma(-inverse, divisor, 1.0) * inverse, V(0.0));
    const V dividend = min(min(most, end * divisor), (times * scale) * abs(x)), q = dividend * inverse;
    return {q, fma(dividend, inverse_lo, fma(dividend, inverse, -q))};
  }
};

/// f(x) = x - tanh x; f'(x) = tanh² x.
///
/// In float, f(x) is a multiple of a m², with a = |x| and m = min(a, knee). The table contains 2^30 times the factor,
/// so that no intermediate result is subnormal and only the last product is rounded to a subnormal number. In double,
/// f(a) = a³ p(a²) up to a = 39/64, where the difference would cancel, with p(0) = 1/3 as a pair; from there on it is
/// (a - 1) + 2σ(-2a), whose first difference is exact.
struct tanh_shrink : Traits {
  static constexpr bool quadratic = true, quadratic_derivative = true;
  template <class V>
  static V forward(V x) {
    const V a = abs(x);
    if constexpr (math::is_single<V>) {
      using Form = math::multiples::TanhShrink;
      const V bounded = min(V(Form::end), a), m = min(V(Form::knee), bounded);
      const math::Pair<V> cube = bounded * math::product(m, m);
      return copysign(max(a - 1.0, math::Multiple<Form, V>(bounded).times(cube) * 0x1p-30), x);
    } else {
      using C = math::Constants<typename V::Element>;
      const math::Pair<V> square = math::product(a, a), cube = a * square;
      const V varying = fma(square.hi, math::polynomial(square.hi, C::tanh_shrink), V(C::third_lo));
      const V near = fma(cube.hi, V(C::third_hi), fma(cube.hi, varying, cube.lo * C::third_hi));
      const math::BothLogistics<V> sigma(math::one_plus_large_exp(min(V(600.0), 2.0 * a)));
      const V far = fma(V(2.0), sigma.smaller.lo, fma(V(2.0), sigma.smaller.hi, a - 1.0));
      return copysign(select(a < V(0.609375), near, far), x);
    }
  }
  /// (g t) t with t = ±tanh x as a pair, so that t² does not underflow before it is multiplied by a large g.
  template <class V>
  static V backward(V x, V g) {
    const auto from_table = [](auto a) { return tanh::magnitude(a); };
    const math::Pair<V> t = math::in_float<V>(from_table, [](V a) { return tanh::negative(a); }, abs(x));
    const math::Pair<V> once = math::product(g, t.hi);
    const V low = fma(once.hi, 2.0 * t.lo, once.lo * t.hi);
    return fma(once.hi, t.hi, select(math::is_finite(once.hi), low, V(0.0)));
  }
};

}  // namespace fastact::activations
