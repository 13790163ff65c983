#pragma once

#include <array>

#include "activations/nan.hpp"

namespace fastact::rowwise {

/// The largest of a row, the first of several; NaN if there is one. g goes to it alone. Goodfellow et al., "Maxout
/// networks", 2013.
struct maxout {
  static constexpr bool nonempty = true;
  template <class V>
  static V larger(V largest, V x) {
    return select(x > largest, x, activations::keep_nan(x, largest));
  }
  /// 0 for -0: which of them came first would depend on the order.
  template <class V>
  static V canonical(V largest) {
    return largest + 0.0;
  }
};

struct maxout_backward : maxout {
  /// dx for one x of the row, and what is left of g for those that follow: g, or 0 once one has had it.
  template <class V>
  static std::array<V, 2> share(V largest, V x, V g) {
    const auto found = x == largest;
    const V zero = 0.0;
    return {activations::keep_nan(largest, select(found, g, zero)), select(found, zero, g)};
  }
};

}  // namespace fastact::rowwise
