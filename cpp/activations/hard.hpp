#pragma once

#include <limits>

#include "activations/nan.hpp"
#include "math/pair.hpp"

/// Piecewise linear and quadratic functions.
namespace fastact::activations {

/// f(x) = min(max(slope x + offset, 0), 1); f'(x) = slope strictly inside, else 0. Max error 1 ulp.
///
/// No binary number is 1/6, and beside -3 the difference would show. The number nearest to it stands for it: then
/// slope x + offset is (x + 6 offset)/6.
struct hard_sigmoid {
  template <class V>
  static V forward(V x, V slope, V offset) {
    return min(V(1.0), max(V(0.0), linear(x, slope, offset)));
  }
  template <class V>
  static V backward(V x, V g, V slope, V offset) {
    const V from_0 = linear(x, slope, offset), from_1 = linear(x, slope, offset - 1.0);
    return keep_nan(x, select(from_0 > V(0.0), select(from_1 < V(0.0), slope * g, V(0.0)), V(0.0)));
  }

 private:
  template <class V>
  static V linear(V x, V slope, V offset) {
    const V most = std::numeric_limits<typename V::Element>::max();
    const math::Pair<V> sum = math::sum(max(-most, min(most, x)), 6.0 * offset);
    const V sixth = (sum / math::Divisor<V>({6.0, 0.0})).value();
    return select(slope == V(1.0 / 6.0), sixth, fma(slope, x, offset));
  }
};

/// f(x) = min(max(x, min_value), max_value); f'(x) = 1 strictly inside, else 0. Exact.
struct hard_tanh {
  template <class V>
  static V forward(V x, V min_value, V max_value) {
    return min(max_value, max(min_value, x));
  }
  template <class V>
  static V backward(V x, V g, V min_value, V max_value) {
    return keep_nan(x, select(x > min_value, select(x < max_value, g, V(0.0)), V(0.0)));
  }
  static constexpr bool allows(double min_value, double max_value) { return min_value <= max_value; }
  static constexpr const char* allowed = "min_value <= max_value";
};

/// f(x) = x min(max(x + 3, 0), 6)/6; f'(x) = 0 for x <= -3, 1 for x >= 3, else (2x + 3)/6. Howard et al., "Searching
/// for MobileNetV3", 2019.
struct hard_swish {
  template <class V>
  static V forward(V x) {
    const V bounded = max(V(-3.0), min(V(3.0), x));
    const V inside = (bounded * math::sum(bounded, V(3.0)) / six<V>()).value();
    return select(x <= V(-3.0), V(0.0), select(x >= V(3.0), x, copysign(inside, x)));
  }
  template <class V>
  static V backward(V x, V g) {
    const V bounded = max(V(-3.0), min(V(3.0), x));
    const V inside = g * (math::sum(2.0 * bounded, V(3.0)) / six<V>()).value();
    return select(x <= V(-3.0), V(0.0), select(x >= V(3.0), g, inside));
  }

 private:
  template <class V>
  static math::Divisor<V> six() {
    return math::Divisor<V>({6.0, 0.0});
  }
};

/// f(x) = x for |x| > λ, else 0; f'(x) = 1 for |x| > λ, else 0. Exact.
struct hard_shrink {
  template <class V>
  static V forward(V x, V lambd) {
    return select(abs(x) <= lambd, copysign(V(0.0), select(x == V(0.0), x, V(1.0))), x);
  }
  template <class V>
  static V backward(V x, V g, V lambd) {
    return keep_nan(x, select(abs(x) > lambd, g, V(0.0)));
  }
  static constexpr bool allows(double lambd) { return lambd >= 0; }
  static constexpr const char* allowed = "lambd >= 0";
};

/// f(x) = x - λ for x > λ, x + λ for x < -λ, else 0; f'(x) = 1 for |x| > λ, else 0. One rounding.
struct soft_shrink {
  template <class V>
  static V forward(V x, V lambd) {
    return select(abs(x) <= lambd, hard_shrink::forward(x, lambd), x - copysign(lambd, x));
  }
  template <class V>
  static V backward(V x, V g, V lambd) {
    return hard_shrink::backward(x, g, lambd);
  }
  static constexpr auto allows = hard_shrink::allows;
  static constexpr auto allowed = hard_shrink::allowed;
};

}  // namespace fastact::activations
