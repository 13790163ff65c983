// The rectified linear unit and related functions.
#pragma once

#include <limits>

#include "functions/activations/activation.hpp"
#include "functions/activations/nan.hpp"
#include "math/pair.hpp"

namespace fastact::activations {

/// Rectified linear unit, f(x) = max(x, 0); f'(x) = 1 for x > 0, else 0. Exact.
struct relu : Traits {
  static constexpr Cost cost = copying;
  static constexpr bool selects = true;
  template <class V>
  static V forward(V x) {
    return select(x <= V(0.0), V(0.0), x);
  }
  template <class V>
  static V backward(V x, V g) {
    return keep_nan(x, select(x > V(0.0), g, V(0.0)));
  }
  template <class V>
  static V backward_from_output(V y, V g) {
    return backward(y, g);
  }
  template <class V>
  static V gated(V a, V b) {
    return forward(a) * b;
  }
};

/// f(x) = min(max(x, 0), 6); f'(x) = 1 for 0 < x < 6, else 0. Exact.
struct relu6 : Traits {
  static constexpr Cost cost = copying;
  static constexpr bool selects = true;
  template <class V>
  static V forward(V x) {
    return min(V(6.0), relu::forward(x));
  }
  template <class V>
  static V backward(V x, V g) {
    return select(x >= V(6.0), V(0.0), relu::backward(x, g));
  }
};

/// f(x) = max(x, 0)²; f'(x) = 2 max(x, 0). So et al., "Primer: searching for efficient transformers for language
/// modeling", 2021. One rounding.
struct relu_squared : Traits {
  static constexpr Cost cost = copying;
  static constexpr bool quadratic = true;
  template <class V>
  static V forward(V x) {
    const V r = relu::forward(x);
    return r * r;
  }
  template <class V>
  static V backward(V x, V g) {
    return select(x <= V(0.0), V(0.0), 2.0 * (g * x));
  }
};

/// f(x) = x for x > threshold, else value; f'(x) = 1 for x > threshold, else 0. Exact.
struct threshold : Traits {
  static constexpr Cost cost = copying;
  static constexpr bool selects = true;
  template <class V>
  static V forward(V x, V threshold, V value) {
    return select(x <= threshold, value, x);
  }
  template <class V>
  static V backward(V x, V g, V threshold, V) {
    return keep_nan(x, select(x > threshold, g, V(0.0)));
  }
};

/// f(x) = x for x > 0, else negative_slope x; f'(x) = 1 for x > 0, else negative_slope. Exact, or one rounding. With a
/// slope of 0, f(-∞) is the limit of f, and not 0·∞.
struct leaky_relu : Traits {
  static constexpr Cost cost = copying;
  template <class V>
  static V forward(V x, V negative_slope) {
    using Limits = std::numeric_limits<typename V::Element>;
    const V least = select(negative_slope == V(0.0), V(Limits::lowest()), V(-Limits::infinity()));
    return select(x >= V(0.0), x, negative_slope * max(least, x));
  }
  template <class V>
  static V backward(V x, V g, V negative_slope) {
    return keep_nan(x, select(x > V(0.0), g, negative_slope * g));
  }
};

/// leaky_relu with a learnable slope; df/dalpha = x for x <= 0, else 0. He et al., "Delving deep into
/// rectifiers", 2015.
struct prelu : leaky_relu {
  template <class V>
  static Gradients<V> gradients(V x, V g, V alpha) {
    return {backward(x, g, alpha), select(x > V(0.0), {0.0, 0.0}, math::product(g, x))};
  }
};

}  // namespace fastact::activations
