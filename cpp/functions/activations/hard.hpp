// Piecewise linear and quadratic activations.
#pragma once

#include <limits>

#include "functions/activations/activation.hpp"
#include "functions/activations/nan.hpp"
#include "math/constants.hpp"
#include "math/pair.hpp"

namespace fastact::activations {

/// f(x) = min(max(slope x + offset, 0), 1); f'(x) = slope strictly inside, else 0. Max error 1 ulp.
///
/// 1/6 is not a binary number, and near x = -3 its rounding error would be visible. A slope equal to the nearest number
/// therefore means 1/6, and slope x + offset is (x + 6 offset)/6. For this, `low` x is added to slope x, which is
/// slightly less than (1/6 - slope) x, so that the sum is not above 0 at x = -6 offset.
struct hard_sigmoid : Traits {
  static constexpr Cost cost = copying;
  template <class V>
  static V forward(V x, V slope, V offset) {
    const V most = std::numeric_limits<typename V::Element>::max();
    const V low = select(is_sixth(slope), V(sixth_low<V>), V(0.0));
    const V bounded = max(-most, min(most, x)), from = max(-most, min(most, offset));
    // For x = 0 the product with an infinite slope would be NaN.
    const V line = select(x == V(0.0), from, fma(bounded, slope, from));
    return min(V(1.0), max(V(0.0), fma(bounded, low, line)));
  }
  template <class V>
  static V backward(V x, V g, V slope, V offset) {
    const V zero = 0.0, large = std::numeric_limits<typename V::Element>::max() / 8;
    const auto sixth = is_sixth(slope);
    const V unit = select(sixth, V(6.0), V(1.0)), factor = select(sixth, V(1.0), slope);
    const V bounded = max(-large, min(large, offset));
    const math::Pair<V> above_0 = unit * math::Pair<V>{bounded, 0.0}, below_1 = unit + -above_0;
    const V below_top = select(reaches(x, factor, below_1), zero, slope * g);
    return keep_nan(x, select(reaches(x, -factor, above_0), zero, below_top));
  }

 private:
  template <class V>
  static auto is_sixth(V slope) {
    return slope == V(1.0 / 6.0);
  }
  /// Whether slope x >= bound for a finite bound, which is false if an infinite slope makes the product NaN at x = 0.
  /// If the bound is 0, only the sign of the product matters, and it must neither underflow nor be NaN.
  template <class V>
  static auto reaches(V x, V slope, math::Pair<V> bound) {
    const V most = std::numeric_limits<typename V::Element>::max();
    const V sign = max(-most, min(most, slope * most * most));
    return fma(x, select(bound.hi == V(0.0), sign, slope), -bound.hi) >= bound.lo;
  }
  template <class V>
  static constexpr double sixth_low = [] {
    using T = typename V::Element;
    constexpr double low = math::Constants<T>::third_lo / 2, bit = std::numeric_limits<T>::epsilon();
    return low * (low < 0 ? 1 - bit : 1 + bit);
  }();
};

/// f(x) = min(max(x, min_value), max_value); f'(x) = 1 strictly inside, else 0. Exact.
struct hard_tanh : Traits {
  static constexpr Cost cost = copying;
  static constexpr bool selects = true;
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
struct hard_swish : Traits {
  static constexpr Cost cost = copying;
  template <class V>
  static V forward(V x) {
    // -b (b + 3) is p + excess, and the relative error of the sixth is a third of that of one rounding. The signs of
    // zeros give the result the sign of x, but f is +0 for x <= -3.
    const V b = max(V(-3.0), x), s = -3.0 - b, s_low = (-3.0 - s) - b, p = b * s;
    const V excess = fma(b, s_low, fma(b, s, -p)), sixth = -math::Constants<typename V::Element>::third_hi / 2;
    return select(x >= V(3.0), x, fma(p, sixth, excess * sixth));
  }
  template <class V>
  static V backward(V x, V g) {
    const V s = fma(2.0, x, 3.0), s_low = fma(2.0, x, 3.0 - s);
    using C = math::Constants<typename V::Element>;
    constexpr double sixth = C::third_hi / 2, sixth_low = C::third_lo / 2;
    const V inside = g * fma(s, sixth, fma(s, sixth_low, s_low * sixth));
    return select(x <= V(-3.0), V(0.0), select(x >= V(3.0), g, inside));
  }
};

/// f(x) = 0 for x <= -1, (x + 1)²/4 up to 1, x from there on; f'(x) = 0, (x + 1)/2, 1. The antiderivative of the
/// sparse sigmoid, sparsemax of two. Max error, float32: forward 0.75 ulp, derivative 0.5 ulp.
struct sparse_plus : Traits {
  static constexpr Cost cost = copying;
  template <class V>
  static V forward(V x) {
    // The low part of a + 1 is exact from -1 to 1.
    const V a = max(V(-1.0), x), s = a + 1.0, s_low = a - (s - 1.0), half = 0.5 * s;
    return select(x >= V(1.0), x, fma(half, half, half * s_low));
  }
  template <class V>
  static V backward(V x, V g) {
    return select(x <= V(-1.0), V(0.0), select(x >= V(1.0), g, g * fma(0.5, x, 0.5)));
  }
};

/// f(x) = x for |x| > λ, else 0; f'(x) = 1 for |x| > λ, else 0. Exact.
struct hard_shrink : Traits {
  static constexpr Cost cost = copying;
  static constexpr bool selects = true;
  template <class V>
  static V forward(V x, V lambd) {
    return select(abs(x) <= lambd, select(x == V(0.0), x, V(0.0)), x);
  }
  template <class V>
  static V backward(V x, V g, V lambd) {
    return keep_nan(x, select(abs(x) > lambd, g, V(0.0)));
  }
  static constexpr bool allows(double lambd) { return lambd >= 0; }
  static constexpr const char* allowed = "lambd >= 0";
};

/// f(x) = x - λ for x > λ, x + λ for x < -λ, else 0; f'(x) = 1 for |x| > λ, else 0. One rounding.
struct soft_shrink : Traits {
  static constexpr Cost cost = copying;
  static constexpr bool selects = true;
  template <class V>
  static V forward(V x, V lambd) {
    return select(abs(x) <= lambd, select(x == V(0.0), x, V(0.0)), x - copysign(lambd, x));
  }
  template <class V>
  static V backward(V x, V g, V lambd) {
    return hard_shrink::backward(x, g, lambd);
  }
  static constexpr auto allows = hard_shrink::allows;
  static constexpr auto allowed = hard_shrink::allowed;
};

}  // namespace fastact::activations
